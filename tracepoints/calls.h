/*
 * CALLS: every function of the C library that libshmguard.so exports, and the event that records it.
 *
 * A row is X(symbol, event, result, parameters). `event` names a row of EVENTS in events.h; `none` marks a call that is
 * intercepted to be right about the others and has no event of its own. From this table come the pointers to the
 * originals (preload/real.h), the enumeration `symbol` of the trace, the export test and the README's list. New families
 * come last, as traces hold the numbers of symbols.
 */
#ifndef SHMGUARD_CALLS_H
#define SHMGUARD_CALLS_H

#include <dlfcn.h>
#include <fcntl.h>
#include <mntent.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* Objects and their names. */
#define CALLS_NAME(X)                                                                                                  \
	X(shm_open, shm_open, int, (const char *name, int flags, mode_t mode))                                         \
	X(shm_unlink, unlink, int, (const char *name))                                                                 \
	X(memfd_create, memfd_create, int, (const char *name, unsigned flags))                                         \
	X(sem_open, sem_open, sem_t *, (const char *name, int flags, ...))                                             \
	X(sem_close, sem_close, int, (sem_t * sem))                                                                    \
	X(sem_unlink, unlink, int, (const char *name))                                                                 \
	X(unlink, unlink, int, (const char *path))                                                                     \
	X(unlinkat, unlink, int, (int dirfd, const char *path, int flags))                                             \
	X(remove, unlink, int, (const char *path))                                                                     \
	X(rename, rename, int, (const char *from, const char *to))                                                     \
	X(renameat, rename, int, (int from_dirfd, const char *from, int to_dirfd, const char *to))                     \
	X(renameat2, rename, int, (int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags))    \
	X(link, link, int, (const char *from, const char *to))                                                         \
	X(linkat, link, int, (int from_dirfd, const char *from, int to_dirfd, const char *to, int flags))

/* Ways to a descriptor. */
#define CALLS_OPEN(X)                                                                                                  \
	X(open, open, int, (const char *path, int flags, ...))                                                         \
	X(open64, open, int, (const char *path, int flags, ...))                                                       \
	X(__open, open, int, (const char *path, int flags, ...))                                                       \
	X(__open64, open, int, (const char *path, int flags, ...))                                                     \
	X(__open_2, open, int, (const char *path, int flags))                                                          \
	X(__open64_2, open, int, (const char *path, int flags))                                                        \
	X(openat, open, int, (int dirfd, const char *path, int flags, ...))                                            \
	X(openat64, open, int, (int dirfd, const char *path, int flags, ...))                                          \
	X(__openat_2, open, int, (int dirfd, const char *path, int flags))                                             \
	X(__openat64_2, open, int, (int dirfd, const char *path, int flags))                                           \
	X(creat, open, int, (const char *path, mode_t mode))                                                           \
	X(creat64, open, int, (const char *path, mode_t mode))                                                         \
	X(mkstemp, open, int, (char *path))                                                                            \
	X(mkstemp64, open, int, (char *path))                                                                          \
	X(mkostemp, open, int, (char *path, int flags))                                                                \
	X(mkostemp64, open, int, (char *path, int flags))                                                              \
	X(mkstemps, open, int, (char *path, int suffix))                                                               \
	X(mkstemps64, open, int, (char *path, int suffix))                                                             \
	X(mkostemps, open, int, (char *path, int suffix, int flags))                                                   \
	X(mkostemps64, open, int, (char *path, int suffix, int flags))                                                 \
	X(fopen, open, FILE *, (const char *path, const char *mode))                                                   \
	X(fopen64, open, FILE *, (const char *path, const char *mode))                                                 \
	X(freopen, open, FILE *, (const char *path, const char *mode, FILE *stream))                                   \
	X(freopen64, open, FILE *, (const char *path, const char *mode, FILE *stream))

/* Descriptors. */
#define CALLS_FD(X)                                                                                                    \
	X(close, close, int, (int fd))                                                                                 \
	X(__close, close, int, (int fd))                                                                               \
	X(close_range, close, int, (unsigned first, unsigned last, int flags))                                         \
	X(closefrom, close, void, (int first))                                                                         \
	X(fclose, close, int, (FILE * stream))                                                                         \
	X(dup, dup, int, (int fd))                                                                                     \
	X(dup2, dup, int, (int fd, int target))                                                                        \
	X(dup3, dup, int, (int fd, int target, int flags))                                                             \
	X(fcntl, dup, int, (int fd, int command, ...))                                                                 \
	X(fcntl64, dup, int, (int fd, int command, ...))                                                               \
	X(sendmsg, sendmsg, ssize_t, (int socket, const struct msghdr *message, int flags))                            \
	X(recvmsg, recvmsg, ssize_t, (int socket, struct msghdr *message, int flags))                                  \
	X(socket, none, int, (int domain, int type, int protocol))                                                     \
	X(pipe, none, int, (int ends[2]))                                                                              \
	X(pipe2, none, int, (int ends[2], int flags))

/* Size, mode, owner. */
#define CALLS_SIZE(X)                                                                                                  \
	X(ftruncate, ftruncate, int, (int fd, off_t length))                                                           \
	X(ftruncate64, ftruncate, int, (int fd, off_t length))                                                         \
	X(truncate, ftruncate, int, (const char *path, off_t length))                                                  \
	X(truncate64, ftruncate, int, (const char *path, off_t length))                                                \
	X(fallocate, fallocate, int, (int fd, int mode, off_t offset, off_t length))                                   \
	X(fallocate64, fallocate, int, (int fd, int mode, off_t offset, off_t length))                                 \
	X(posix_fallocate, fallocate, int, (int fd, off_t offset, off_t length))                                       \
	X(posix_fallocate64, fallocate, int, (int fd, off_t offset, off_t length))                                     \
	X(chmod, chmod, int, (const char *path, mode_t mode))                                                          \
	X(fchmod, chmod, int, (int fd, mode_t mode))                                                                   \
	X(fchmodat, chmod, int, (int dirfd, const char *path, mode_t mode, int flags))                                 \
	X(chown, chown, int, (const char *path, uid_t uid, gid_t gid))                                                 \
	X(fchown, chown, int, (int fd, uid_t uid, gid_t gid))                                                          \
	X(lchown, chown, int, (const char *path, uid_t uid, gid_t gid))                                                \
	X(fchownat, chown, int, (int dirfd, const char *path, uid_t uid, gid_t gid, int flags))

/* Mappings. */
#define CALLS_MAP(X)                                                                                                   \
	X(mmap, mmap, void *, (void *addr, size_t length, int prot, int flags, int fd, off_t offset))                  \
	X(mmap64, mmap, void *, (void *addr, size_t length, int prot, int flags, int fd, off_t offset))                \
	X(munmap, munmap, int, (void *addr, size_t length))                                                            \
	X(mremap, mremap, void *, (void *addr, size_t length, size_t new_length, int flags, ...))                      \
	X(mprotect, mprotect, int, (void *addr, size_t length, int prot))                                              \
	X(pkey_mprotect, mprotect, int, (void *addr, size_t length, int prot, int key))                                \
	X(madvise, madvise, int, (void *addr, size_t length, int advice))                                              \
	X(mlock, mlock, int, (const void *addr, size_t length))                                                        \
	X(mlock2, mlock, int, (const void *addr, size_t length, unsigned flags))                                       \
	X(munlock, mlock, int, (const void *addr, size_t length))                                                      \
	X(mlockall, mlock, int, (int flags))                                                                           \
	X(syscall, none, long, (long number, ...))      

/* Processes and threads. */
#define CALLS_PROCESS(X)                                                                                               \
	X(execve, exec, int, (const char *path, char *const argv[], char *const envp[]))                               \
	X(execv, exec, int, (const char *path, char *const argv[]))                                                    \
	X(execvp, exec, int, (const char *file, char *const argv[]))                                                   \
	X(execvpe, exec, int, (const char *file, char *const argv[], char *const envp[]))                              \
	X(execl, exec, int, (const char *path, const char *arg, ...))                                                  \
	X(execlp, exec, int, (const char *file, const char *arg, ...))                                                 \
	X(execle, exec, int, (const char *path, const char *arg, ...))                                                 \
	X(fexecve, exec, int, (int fd, char *const argv[], char *const envp[]))                                        \
	X(execveat, exec, int, (int dirfd, const char *path, char *const argv[], char *const envp[], int flags))       \
	X(posix_spawn, spawn, int,                                                                                     \
	  (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,    \
	   char *const argv[], char *const envp[]))                                                                    \
	X(posix_spawnp, spawn, int,                                                                                    \
	  (pid_t * pid, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,    \
	   char *const argv[], char *const envp[]))                                                                    \
	X(fork, none, pid_t, (void))                                                                                   \
	X(__fork, none, pid_t, (void))                                                                                 \
	X(forkpty, none, int,                                                                                          \
	  (int *terminal, char *name, const struct termios *modes, const struct winsize *size))                        \
	X(daemon, none, int, (int stays, int keeps))                                                                   \
	X(wait, wait, pid_t, (int *status))                                                                            \
	X(waitpid, wait, pid_t, (pid_t pid, int *status, int options))                                                 \
	X(wait3, wait, pid_t, (int *status, int options, struct rusage *usage))                                        \
	X(wait4, wait, pid_t, (pid_t pid, int *status, int options, struct rusage *usage))                             \
	X(waitid, wait, int, (idtype_t type, id_t id, siginfo_t *info, int options))                                   \
	X(_exit, exit, void, (int status))                                                                             \
	X(_Exit, exit, void, (int status))                                                                             \
	X(pthread_create, none, int,                                                                                   \
	  (pthread_t * thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg))                         \
	X(pthread_mutex_init, mutex, int, (pthread_mutex_t * mutex, const pthread_mutexattr_t *attr))

/* Dispositions: with the first object mapped, SIGBUS gets a handler of ours, which the program does not see. */
#define CALLS_SIGNAL(X)                                                                                                \
	X(sigaction, none, int, (int number, const struct sigaction *action, struct sigaction *old))                   \
	X(__sigaction, none, int, (int number, const struct sigaction *action, struct sigaction *old))                 \
	X(signal, none, sighandler_t, (int number, sighandler_t handler))                                              \
	X(bsd_signal, none, sighandler_t, (int number, sighandler_t handler))                                          \
	X(ssignal, none, sighandler_t, (int number, sighandler_t handler))                                             \
	X(sysv_signal, none, sighandler_t, (int number, sighandler_t handler))                                         \
	X(__sysv_signal, none, sighandler_t, (int number, sighandler_t handler))                                       \
	X(sigset, none, sighandler_t, (int number, sighandler_t handler))                                              \
	X(sigignore, none, int, (int number))                                                                          \
	X(sigaltstack, none, int, (const stack_t *stack, stack_t *old))                                                \
	X(siginterrupt, none, int, (int number, int interrupts))                                                       \
	X(longjmp, none, void, (struct __jmp_buf_tag environment[1], int value))                                       \
	X(_longjmp, none, void, (struct __jmp_buf_tag environment[1], int value))                                      \
	X(siglongjmp, none, void, (sigjmp_buf environment, int value))                                                 \
	X(__longjmp_chk, none, void, (struct __jmp_buf_tag environment[1], int value))                                 \
	X(pthread_setcanceltype, none, int, (int type, int *old))                                                      \
	X(pthread_setcancelstate, none, int, (int state, int *old))

/* Programs that confine themselves. */
#define CALLS_CONFINE(X)                                                                                               \
	X(prctl, none, int, (int option, ...))                                                                         \
	X(unshare, none, int, (int flags))                                                                             \
	X(setns, none, int, (int fd, int type))

/* Children that share memory. */
#define CALLS_SHARING(X)                                                                                               \
	X(vfork, none, pid_t, (void))                                                                                  \
	X(__vfork, none, pid_t, (void))                                                                                \
	X(clone, none, int, (int (*start)(void *), void *stack, int flags, void *arg, ...))                            \
	X(__clone, none, int, (int (*start)(void *), void *stack, int flags, void *arg, ...))

/* Taking turns: what processes that write the same memory make or use. */
#define CALLS_TURNS(X)                                                                                                 \
	X(pthread_rwlock_init, sync, int, (pthread_rwlock_t * lock, const pthread_rwlockattr_t *attr))                 \
	X(pthread_barrier_init, sync, int,                                                                             \
	  (pthread_barrier_t * barrier, const pthread_barrierattr_t *attr, unsigned count))                            \
	X(pthread_spin_init, sync, int, (pthread_spinlock_t * lock, int shared))                                       \
	X(sem_init, sync, int, (sem_t * sem, int shared, unsigned value))                                              \
	X(semop, sync, int, (int id, struct sembuf *operations, size_t count))                                         \
	X(semtimedop, sync, int,                                                                                       \
	  (int id, struct sembuf *operations, size_t count, const struct timespec *timeout))                           \
	X(flock, sync, int, (int fd, int operation))                                                                   \
	X(lockf, sync, int, (int fd, int command, off_t length))                                                       \
	X(lockf64, sync, int, (int fd, int command, off_t length))

/* Shells that the C library starts by itself. */
#define CALLS_SHELL(X)                                                                                                 \
	X(system, none, int, (const char *command))                                                                    \
	X(popen, none, FILE *, (const char *command, const char *type))

/* Access lists. */
#define CALLS_LIST(X)                                                                                                  \
	X(setxattr, chmod, int,                                                                                        \
	  (const char *path, const char *attribute, const void *value, size_t bytes, int how))                         \
	X(lsetxattr, chmod, int,                                                                                       \
	  (const char *path, const char *attribute, const void *value, size_t bytes, int how))                         \
	X(fsetxattr, chmod, int, (int fd, const char *attribute, const void *value, size_t bytes, int how))

/* Ways to make an object without a descriptor of one's own. */
#define CALLS_NODE(X)                                                                                                  \
	X(mknod, open, int, (const char *path, mode_t mode, dev_t device))                                             \
	X(mknodat, open, int, (int dirfd, const char *path, mode_t mode, dev_t device))                                \
	X(posix_spawn_file_actions_addopen, open, int,                                                                 \
	  (posix_spawn_file_actions_t * actions, int fd, const char *path, int flags, mode_t mode))

/* Other names and ways of the same: programs built for older C libraries call them, or it is how they make several at once. */
#define CALLS_MORE(X)                                                                                                  \
	X(sendmmsg, sendmsg, int, (int socket, struct mmsghdr *messages, unsigned count, int flags))                   \
	X(recvmmsg, recvmsg, int,                                                                                      \
	  (int socket, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit))                   \
	X(lchmod, chmod, int, (const char *path, mode_t mode))                                                         \
	X(__xmknod, open, int, (int version, const char *path, mode_t mode, dev_t *device))                            \
	X(__xmknodat, open, int, (int version, int dirfd, const char *path, mode_t mode, dev_t *device))               \
	X(__dup2, dup, int, (int fd, int target))                                                                      \
	X(__fcntl, dup, int, (int fd, int command, ...))                                                               \
	X(_IO_fopen, open, FILE *, (const char *path, const char *mode))                                               \
	X(_IO_fclose, close, int, (FILE *stream))                                                                      \
	X(_IO_popen, none, FILE *, (const char *command, const char *type))

/* Limits. */
#define CALLS_LIMIT(X)                                                                                                 \
	X(getrlimit, none, int, (__rlimit_resource_t resource, struct rlimit * limit))                                 \
	X(getrlimit64, none, int, (__rlimit_resource_t resource, struct rlimit64 * limit))                             \
	X(setrlimit, none, int, (__rlimit_resource_t resource, const struct rlimit *limit))                            \
	X(setrlimit64, none, int, (__rlimit_resource_t resource, const struct rlimit64 *limit))                        \
	X(prlimit, none, int,                                                                                          \
	  (pid_t pid, enum __rlimit_resource resource, const struct rlimit *new_limit, struct rlimit *old_limit))      \
	X(prlimit64, none, int,                                                                                        \
	  (pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *new_limit, struct rlimit64 *old_limit))

/* Tables of mounts, which the C library opens by itself. */
#define CALLS_TABLE(X)                                                                                                 \
	X(setmntent, open, FILE *, (const char *path, const char *mode))                                               \
	X(endmntent, close, int, (FILE *stream))

/* Functions by their names. */
#define CALLS_LOOKUP(X)                                                                                                \
	X(dlsym, none, void *, (void *library, const char *name))

/* What a spawned child is given. */
#define CALLS_GIVEN(X)                                                                                                 \
	X(posix_spawn_file_actions_adddup2, none, int, (posix_spawn_file_actions_t * actions, int fd, int target))

/* Other pages of what is mapped. */
#define CALLS_PAGES(X)                                                                                                 \
	X(remap_file_pages, mmap, int, (void *start, size_t size, int prot, size_t page, int flags))

/* Coroutines. */
#define CALLS_CONTEXT(X)                                                                                               \
	X(makecontext, none, void, (ucontext_t * context, void (*start)(void), int count, ...))

#define CALLS(X)                                                                                                       \
	CALLS_NAME(X)                                                                                                  \
	CALLS_OPEN(X)                                                                                                  \
	CALLS_FD(X)                                                                                                    \
	CALLS_SIZE(X)                                                                                                  \
	CALLS_MAP(X)                                                                                                   \
	CALLS_PROCESS(X)                                                                                               \
	CALLS_SIGNAL(X)                                                                                                \
	CALLS_CONFINE(X)                                                                                               \
	CALLS_SHARING(X)                                                                                               \
	CALLS_TURNS(X)                                                                                                 \
	CALLS_SHELL(X)                                                                                                 \
	CALLS_LIST(X)                                                                                                  \
	CALLS_NODE(X)                                                                                                  \
	CALLS_MORE(X)                                                                                                  \
	CALLS_LIMIT(X)                                                                                                 \
	CALLS_TABLE(X)                                                                                                 \
	CALLS_LOOKUP(X)                                                                                                \
	CALLS_GIVEN(X)                                                                                                 \
	CALLS_PAGES(X)                                                                                                 \
	CALLS_CONTEXT(X)

/* `symbol` in an event: which of the exported names the program called. */
enum symbol {
	SYMBOL_none,
#define SYMBOL_ENUMERATOR(symbol, event, result, parameters) SYMBOL_##symbol,
	CALLS(SYMBOL_ENUMERATOR)
#undef SYMBOL_ENUMERATOR
	SYMBOL_COUNT
};

#endif
