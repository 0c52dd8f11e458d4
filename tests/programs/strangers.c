/*
 * strangers FILE: does every intercepted call that takes a descriptor with each number that this program was never given,
 * those of /proc/self/fd and one that nobody has. Prints what is not EBADF; how many there were goes into FILE.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "hostile.h"

extern int __close(int);
extern int __dup2(int, int);
extern int __fcntl(int, int, ...);
extern int __openat_2(int, const char *, int);
extern int __openat64_2(int, const char *, int);
extern int __xmknodat(int, int, const char *, mode_t, dev_t *);

enum { NOBODYS = 900, FREE = 901, MOST = 1000 };

static char byte[PAGE];
static struct iovec piece = {byte, 1};
static struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};
static char *const arguments[] = {"false", NULL};
static dev_t none;

/* Those of posix_fallocate answer the error, and mmap answers MAP_FAILED, which is -1 as well. */
#define BY_ERROR(call) (errno = (call), errno ? -1 : 0)

/* A name is that of the row in CALLS; there may be several calls by it. */
#define EACH(X)                                                                                                        \
	X(unlinkat, unlinkat(fd, "none", 0))                                                                           \
	X(renameat, renameat(fd, "none", fd, "other"))                                                                 \
	X(renameat2, renameat2(fd, "none", fd, "other", 0))                                                            \
	X(linkat, linkat(fd, "none", fd, "other", 0))                                                                  \
	X(linkat, linkat(AT_FDCWD, "/dev/null", fd, "other", 0))                                                       \
	X(openat, openat(fd, "none", O_RDONLY))                                                                        \
	X(openat64, openat64(fd, "none", O_RDONLY))                                                                    \
	X(__openat_2, __openat_2(fd, "none", O_RDONLY))                                                                \
	X(__openat64_2, __openat64_2(fd, "none", O_RDONLY))                                                            \
	X(dup, dup(fd))                                                                                                \
	X(dup2, dup2(fd, FREE))                                                                                        \
	X(dup3, dup3(fd, FREE, 0))                                                                                     \
	X(__dup2, __dup2(fd, FREE))                                                                                    \
	X(fcntl, fcntl(fd, F_GETFL))                                                                                   \
	X(fcntl64, fcntl64(fd, F_DUPFD, FREE))                                                                         \
	X(__fcntl, __fcntl(fd, F_SETFD, 0))                                                                            \
	X(ftruncate, ftruncate(fd, 0))                                                                                 \
	X(ftruncate64, ftruncate64(fd, 0))                                                                             \
	X(fallocate, fallocate(fd, 0, 0, 1))                                                                           \
	X(fallocate64, fallocate64(fd, 0, 0, 1))                                                                       \
	X(posix_fallocate, BY_ERROR(posix_fallocate(fd, 0, 1)))                                                        \
	X(posix_fallocate64, BY_ERROR(posix_fallocate64(fd, 0, 1)))                                                    \
	X(fchmod, fchmod(fd, 0666))                                                                                    \
	X(fchmodat, fchmodat(fd, "none", 0666, 0))                                                                     \
	X(fchown, fchown(fd, getuid(), getgid()))                                                                      \
	X(fchownat, fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH))                                               \
	X(fsetxattr, fsetxattr(fd, "user.none", byte, 1, 0))                                                           \
	X(mmap, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0))                                                        \
	X(mmap64, mmap64(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0))                                                   \
	X(fexecve, fexecve(fd, arguments, arguments + 1))                                                              \
	X(execveat, execveat(fd, "", arguments, arguments + 1, AT_EMPTY_PATH))                                         \
	X(setns, setns(fd, 0))                                                                                         \
	X(flock, flock(fd, LOCK_SH | LOCK_NB))                                                                         \
	X(lockf, lockf(fd, F_TEST, 0))                                                                                 \
	X(lockf64, lockf64(fd, F_TEST, 0))                                                                             \
	X(sendmsg, sendmsg(fd, &message.msg_hdr, MSG_DONTWAIT))                                                        \
	X(sendmmsg, sendmmsg(fd, &message, 1, MSG_DONTWAIT))                                                           \
	X(recvmsg, recvmsg(fd, &message.msg_hdr, MSG_DONTWAIT | MSG_PEEK))                                             \
	X(recvmmsg, recvmmsg(fd, &message, 1, MSG_DONTWAIT | MSG_PEEK, NULL))                                          \
	X(mknodat, mknodat(fd, "none", 0600, 0))                                                                       \
	X(__xmknodat, __xmknodat(0, fd, "none", 0600, &none))                                                          \
	X(syscall, syscall(SYS_ftruncate, fd, 0))                                                                      \
	X(syscall, syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0))                                        \
	X(syscall, syscall(SYS_setns, fd, 0))                                                                          \
	X(syscall, syscall(SYS_execveat, fd, "", arguments, arguments + 1, AT_EMPTY_PATH))                             \
	X(syscall, syscall(SYS_close, fd))                                                                             \
	X(close, close(fd))                                                                                            \
	X(__close, __close(fd))

static void judge(const char *call, int fd, long result)
{
	if (result != -1 || errno != EBADF)
		printf("%d: %s = %ld %s\n", fd, call, result, result == -1 ? strerrorname_np(errno) : "");
}

static void each(int fd)
{
#define JUDGE(name, call) judge(#call, fd, (long)(call));
	EACH(JUDGE)
	/* The name of a path that begins at the root is all that counts. */
	int null = openat(fd, "/dev/null", O_RDONLY);
	must(null >= 0 && close(null) == 0, "openat");
	/* Here it does not count at all. */
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	must(map != MAP_FAILED && munmap(map, PAGE) == 0, "MAP_ANONYMOUS");
}

int main(int argc, char **argv)
{
	int strangers[MOST] = {NOBODYS}, count = 1, own;

	must(argc == 2 && close_range(3, ~0u, 0) == 0, "close_range");
	own = object();
	setbuf(stdout, NULL);
	use(own);
	DIR *list = opendir("/proc/self/fd");
	must(list, "/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(list)) && count < MOST;) {
		int fd = atoi(entry->d_name);
		if (fd > 2 && fd != own && fd != dirfd(list))
			strangers[count++] = fd;
	}
	for (int i = 0; i < count; i++)
		each(strangers[i]);
	must(ftruncate(own, 2 * PAGE) == 0 && fchmod(own, 0600) == 0 && fcntl(own, F_GETFD) >= 0, "own");
	use(own);
	FILE *file = fopen(argv[1], "w");
	must(file && fprintf(file, "%d\n", count) > 0 && fclose(file) == 0, argv[1]);
	puts("went on");
	return 0;
}
