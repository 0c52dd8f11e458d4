#include "preload/audit_log.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "preload/apart.h"
#include "preload/facts_files.h"
#include "preload/identity.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/recorder.h"
#include "preload/text.h"
#include "preload/unwaiting.h"

enum policy_log audit_log_kind;
static atomic_int log_fd = -1;
static const char *log_path;
static _Atomic uint64_t log_device, log_inode; /* what the descriptor leads to */
static atomic_bool mending;                    /* somebody looks after a lost one */
static atomic_int syslog_type;                 /* of its socket */
static _Atomic uint64_t connecting;            /* when that was last tried, in nanoseconds */

enum { CONNECT_AGAIN = 100000000 /* nanoseconds between two such tries */ };

/* What standard error was at the start, if it was open. */
static struct stat first_stderr;
static bool was_open;

/* Who may write into the directory could have laid there what hangs us, or makes us write where he may not. */
static const char *unfit(const struct stat *st)
{
	if (S_ISCHR(st->st_mode))
		return NULL;
	if (!S_ISREG(st->st_mode))
		return "is no regular file, as a log must be";
	if (facts_stranger(st->st_uid))
		return "belongs to another user, who could change the log";
	return st->st_nlink > 1 ? "has a second name, as what is no log of ours might have" : NULL;
}

static bool not_opened(long result, char why[static 256])
{
	text_append(why, 256, "cannot be opened: ");
	text_append(why, 256, strerrordesc_np((int)-result));
	if (result == -EACCES)
		text_append(why, 256, "; every user that the program becomes must be able to append to it");
	return false;
}

static bool keep(long fd)
{
	struct stat st = {0};

	kernel_stat(fd, &st);
	atomic_store(&log_device, st.st_dev);
	atomic_store(&log_inode, st.st_ino);
	atomic_store(&log_fd, own_fd_hide((int)fd));
	return true;
}

static long open_existing(const char *path, int flags)
{
	return kernel_call(SYS_openat, AT_FDCWD, (long)path,
			   O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | flags, 0600, 0, 0);
}

static bool open_file(const char *path, char why[static 256])
{
	struct stat st;
	long fd = open_existing(path, O_CREAT);
	/* A FIFO that nobody reads is refused by the kernel. */
	long looked = fd == -ENXIO ? kernel_stat_at(AT_FDCWD, path, 0, &st) : fd < 0 ? fd : kernel_stat(fd, &st);
	const char *fault = looked < 0 ? NULL : unfit(&st);

	if (fd >= 0 && looked == 0 && !fault) {
		kernel_call(SYS_fcntl, fd, F_SETFL, O_APPEND, 0, 0, 0);
		return keep(fd);
	}
	if (fd >= 0)
		kernel_close((int)fd);
	return fault ? !text_append(why, 256, fault) : not_opened(fd < 0 ? fd : looked, why);
}

/* A stream's queue of who connects may be full: only at the start is it waited for. */
static long connect_as(int type, bool waits)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const struct timeval second = {.tv_sec = 1};
	long fd = kernel_call(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0, 0, 0, 0);

	if (fd < 0)
		return fd;
	if (waits)
		kernel_call(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, (long)&second, sizeof second, 0);
	long result = kernel_call(SYS_connect, fd, (long)&address, sizeof address, 0, 0, 0);
	if (result >= 0)
		return fd;
	kernel_close((int)fd);
	return result;
}

/* Of either type, as syslog(3) does. */
static long connect_syslog(bool waits)
{
	int type = SOCK_DGRAM;
	long fd = connect_as(type, waits);

	if (fd == -EPROTOTYPE)
		fd = connect_as(type = SOCK_STREAM, waits);
	if (fd >= 0)
		atomic_store(&syslog_type, type);
	return fd;
}

static bool open_syslog(char why[static 256])
{
	long fd = connect_syslog(true);

	return fd < 0 ? not_opened(fd, why) : keep(fd);
}

bool audit_log_open(enum policy_log log, const char *path, char why[static 256])
{
	audit_log_kind = log;
	log_path = path;
	was_open = kernel_stat(STDERR_FILENO, &first_stderr) == 0;
	return log == LOG_file ? open_file(path, why) : log != LOG_syslog || open_syslog(why);
}

/*
 * Where a program has closed it, the number is that of the next thing it opens: an object, a database, a connection. What
 * it was at the start it may be for good; another terminal, or a file or pipe opened only to be written to, is a log to
 * which the program has redirected it.
 */
static bool stderr_is_a_log(void)
{
	struct stat st;
	struct identity object;

	if (kernel_stat(STDERR_FILENO, &st) < 0)
		return false;
	if (was_open && st.st_dev == first_stderr.st_dev && st.st_ino == first_stderr.st_ino)
		return true;
	if (S_ISCHR(st.st_mode))
		return true;
	long flags = kernel_call(SYS_fcntl, STDERR_FILENO, F_GETFL, 0, 0, 0, 0);
	return (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)) && flags >= 0 && (flags & O_ACCMODE) == O_WRONLY &&
	       !identity_of_fd(STDERR_FILENO, &object);
}

/* A line that the end of the disk has cut is ended before the next. */
static bool write_line(int fd, const char *line, size_t length)
{
	static atomic_bool cut;

	if (atomic_load(&cut) && unwaiting_write(fd, "\n", 1) == 1)
		atomic_store(&cut, false);
	long written = unwaiting_write(fd, line, length);
	if (written > 0 && (size_t)written < length)
		atomic_store(&cut, true);
	return written == (long)length;
}

static bool is_the_log(int fd)
{
	struct stat st;

	long result = kernel_stat(fd, &st);
	/* A filter of system calls may refuse to tell. */
	return result < 0 ? result != -EBADF
			  : st.st_dev == atomic_load(&log_device) && st.st_ino == atomic_load(&log_inode);
}

/* Its number is nobody's, or the program's, from now on. What another root or a rotation has put in its place is no log. */
static void open_again(int lost)
{
	own_fd_forget(lost);
	if (audit_log_kind == LOG_syslog) {
		long fd = connect_syslog(false);
		if (fd >= 0)
			keep(fd);
		return;
	}
	long fd = open_existing(log_path, 0);
	if (fd >= 0 && is_the_log((int)fd)) {
		kernel_call(SYS_fcntl, fd, F_SETFL, O_APPEND, 0, 0, 0);
		keep(fd);
	} else if (fd >= 0) {
		kernel_close((int)fd);
	}
}

/* Where it runs apart (apart.h) what is opened is there for this line alone: by the number that it has. */
static bool borrow_again(int lost)
{
	long fd = audit_log_kind == LOG_syslog ? connect_syslog(false) : open_existing(log_path, 0);
	bool good = fd >= 0 && (audit_log_kind == LOG_syslog || is_the_log((int)fd)) &&
		    kernel_call(SYS_dup3, fd, lost, O_CLOEXEC, 0, 0, 0) >= 0;

	if (fd >= 0)
		kernel_close((int)fd);
	return good;
}

/*
 * The C library closes by itself, and dup3 by syscall(2) is no call of ours. In a child by vfork(2) the number is its
 * parent's.
 */
static bool look_after_descriptor(void)
{
	if (is_the_log(atomic_load(&log_fd)))
		return true;
	if (apart_for())
		return borrow_again(atomic_load(&log_fd));
	if (recorder_is_vfork_child() || atomic_exchange(&mending, true))
		return false;
	open_again(atomic_load(&log_fd));
	atomic_store(&mending, false);
	return is_the_log(atomic_load(&log_fd));
}

void audit_log_fork_reset(void)
{
	atomic_store(&mending, false);
}

/* On a stream the end of a message is a zero byte. */
static long send_line(const char *line, size_t length)
{
	struct iovec text[] = {{(void *)(uintptr_t)line, length - 1}, {(void *)(uintptr_t) "", 1}};
	struct msghdr message = {.msg_iov = text, .msg_iovlen = atomic_load(&syslog_type) == SOCK_STREAM ? 2 : 1};

	return kernel_call(SYS_sendmsg, atomic_load(&log_fd), (long)&message, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
}

/* The descriptor keeps its number, onto which another thread may be writing. */
static bool connect_anew(void)
{
	uint64_t now = kernel_clock(CLOCK_MONOTONIC), before = atomic_load(&connecting);

	if (now - before < CONNECT_AGAIN || apart_for() || recorder_is_vfork_child() || atomic_exchange(&mending, true))
		return false;
	atomic_store(&connecting, now);
	struct stat st = {0};
	long fd = connect_syslog(false);
	bool connected = fd >= 0 && kernel_stat(fd, &st) == 0 &&
			 kernel_call(SYS_dup3, fd, atomic_load(&log_fd), O_CLOEXEC, 0, 0, 0) >= 0;
	if (connected) {
		atomic_store(&log_device, st.st_dev);
		atomic_store(&log_inode, st.st_ino);
	}
	if (fd >= 0)
		kernel_close((int)fd);
	atomic_store(&mending, false);
	return connected;
}

/* Who listened there has ended, and may have been started again. */
static bool is_over(long result)
{
	return result == -ECONNREFUSED || result == -ENOTCONN || result == -ECONNRESET || result == -EPIPE;
}

static bool send_to_syslog(const char *line, size_t length)
{
	long result = send_line(line, length);

	if (is_over(result) && connect_anew())
		result = send_line(line, length);
	return result >= 0;
}

bool audit_log_write(const char *line)
{
	size_t length = strlen(line);

	if ((audit_log_kind == LOG_syslog || audit_log_kind == LOG_file) && !look_after_descriptor())
		return false;
	if (audit_log_kind == LOG_syslog)
		return send_to_syslog(line, length);
	if (audit_log_kind == LOG_file)
		return write_line(log_fd, line, length);
	/* What a program without a standard error decides is told nowhere, later neither. */
	return !stderr_is_a_log() || write_line(STDERR_FILENO, line, length);
}
