#include "preload/unwaiting.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/recorder.h"
#include "preload/text.h"
#include "preload/unsignalled.h"

static long send_at_once(int fd, struct iovec *text)
{
	struct msghdr message = {.msg_iov = text, .msg_iovlen = 1};

	return kernel_call(SYS_sendmsg, fd, (long)&message, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
}

struct writing {
	int fd;
	const struct stat *st;
	const void *bytes;
	size_t length;
};

/*
 * That there is room says nothing of how much a terminal has, nor of who fills a pipe meanwhile: where it can be, it is
 * opened once more, as one that does not wait.
 */
static long write_into_room(void *context)
{
	const struct writing *w = context;
	struct pollfd room = {.fd = w->fd, .events = POLLOUT};
	const struct timespec at_once = {0};

	if (kernel_call(SYS_ppoll, (long)&room, 1, (long)&at_once, 0, 0, 0) <= 0)
		return -EAGAIN;
	long own = text_reopen_same(w->fd, O_WRONLY | O_NONBLOCK | O_NOCTTY, w->st->st_dev, w->st->st_ino),
	     written = unsignalled_write(own < 0 ? w->fd : (int)own, w->bytes, w->length);
	if (own >= 0)
		kernel_close((int)own);
	return written;
}

long unwaiting_write(int fd, const void *bytes, size_t length)
{
	struct iovec text = {(void *)(uintptr_t)bytes, length};
	struct stat st;
	long result = kernel_stat(fd, &st);

	if (result < 0)
		return result;
	if (S_ISSOCK(st.st_mode))
		return send_at_once(fd, &text);
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return unsignalled_write(fd, bytes, length);
	/* Pipes can since Linux 6.4. A filter of system calls may kill for it. */
	result = recorder_filtered ? -EOPNOTSUPP : unsignalled_writev_at_once(fd, &text);
	return result == -EOPNOTSUPP || result == -ENOSYS
		       ? apart_hidden(fd, write_into_room, &(struct writing){fd, &st, bytes, length})
		       : result;
}
