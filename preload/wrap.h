/* What the families of wrappers share: the calls that syscall(2) reaches too, and the hiding of our libraries' descriptors. */
#ifndef SHMGUARD_WRAP_H
#define SHMGUARD_WRAP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload/own.h"
#include "tracepoints/calls.h"

/* Has a library of ours just made this descriptor? */
static inline bool wrap_hides(int fd, const void *caller)
{
	return fd >= 0 && own_caller(caller);
}

/* No process can have that many (fs.nr_open). */
enum { NO_DESCRIPTOR = INT_MAX };

/*
 * Every wrapper of a call that takes a descriptor begins with it: for the program those of our libraries do not exist, and the
 * kernel is to find that out as it does of any other.
 */
static inline int wrap_given(int fd, const void *caller)
{
	return __builtin_expect(own_fd(fd), false) && !own_caller(caller) ? NO_DESCRIPTOR : fd;
}

struct visit;
struct identity;
/* The policy may have refused the call under way, and then it is said of what. */
void wrap_refused(struct visit *visit, const struct identity *identity);
/* The same of what the path leads to, as an object of that name and kind. */
void wrap_refused_path(struct visit *visit, int dirfd, const char *path, int flags, const char *name, uint8_t kind);

/* Each does what the wrapper of its name does, around `real_...`. */
int wrap_memfd_create(int (*real_create)(const char *, unsigned), const char *name, unsigned flags, const void *caller);
int wrap_close(int (*real_close)(int), int fd, const void *caller);
int wrap_close_range(int (*real_close_range)(unsigned, unsigned, int), unsigned first, unsigned last, int flags,
		     const void *caller);
int wrap_ftruncate(int (*real_ftruncate)(int, off_t), enum symbol symbol, int fd, off_t length, const void *caller);
void *wrap_mmap(void *(*real_mmap)(void *, size_t, int, int, int, off_t), void *addr, size_t length, int prot,
		int flags, int fd, off_t offset, const void *caller);
int wrap_munmap(int (*real_munmap)(void *, size_t), void *addr, size_t length, const void *caller);
/* The object that is mapped at the address, as it is now, for the policy. */
struct fault_site;
bool wrap_policed_object(const void *addr, size_t length, struct fault_site *site, const void *caller);
int wrap_remap_file_pages(int (*real_remap)(void *, size_t, int, size_t, int), void *start, size_t size, int prot,
			  size_t page, int flags, const void *caller);
void *wrap_mremap(void *(*real_mremap)(void *, size_t, size_t, int, ...), void *addr, size_t length, size_t new_length,
		  int flags, void *new_addr, const void *caller);
int wrap_execve(int (*real_execve)(const char *, char *const[], char *const[]), const char *path, char *const argv[],
		char *const envp[], const void *caller);
int wrap_execveat(int (*real_execveat)(int, const char *, char *const[], char *const[], int), int dirfd,
		  const char *path, char *const argv[], char *const envp[], int flags, const void *caller);

/* exit_group(2) by syscall(2), and _exit: the process ends here. */
void wrap_leaving(int status);

/* exit(2), which ends one thread: the process with it, if no other is the program's. */
void wrap_thread_leaving(int status);

/* rt_sigaction(2) by syscall(2), whose arguments these are. */
long wrap_rt_sigaction(long (*real_call)(long, ...), long number, long action, long old, long size);

/* seccomp(2) or prctl(2), by number: what is to follow may be a filter of system calls. */
void wrap_confining(long number, long first, long second, long third);
int wrap_unshare(int (*real_unshare)(int), int flags, const void *caller);
int wrap_setns(int (*real_setns)(int, int), int fd, int type, const void *caller);

/* prlimit(2), around a call of the same arguments. */
typedef int prlimit_function(pid_t pid, int resource, const struct rlimit *new_limit, struct rlimit *old_limit);
int wrap_prlimit(prlimit_function *real_call, pid_t pid, int resource, const struct rlimit *new_limit,
		 struct rlimit *old_limit);

/* The descriptor is closed, or replaced, by the call that follows: tells so, and answers the event's number. */
uint32_t wrap_closing(int fd, const void *caller);
/* It was called: what this process has let go by that is looked after. done: the call succeeded. */
void wrap_closed(bool done, const void *caller);

#endif
