#include "preload/unsignalled.h"

#include "preload/signals.h"

/*
 * The kernel sends SIGPIPE and SIGXFSZ to the thread that writes, before the call returns: blocked, they wait there to be
 * taken away. Where SIGTTOU is blocked it is not sent, and the terminal is written to.
 */
static long unsignalled(long number, long of, long a, long b, long c, long d, long e)
{
	const uint64_t ours = SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGTTOU);
	const struct timespec at_once = {0};
	uint64_t before = signals_block_these(ours), pending = 0;

	kernel_call(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0, 0, 0);
	long result = kernel_call(number, of, a, b, c, d, e);
	uint64_t sent = (result == -EPIPE   ? SIGNAL_BIT(SIGPIPE)
			 : result == -EFBIG ? SIGNAL_BIT(SIGXFSZ)
					    : 0) &
			~pending;
	if (sent)
		kernel_call(SYS_rt_sigtimedwait, (long)&sent, 0, (long)&at_once, sizeof sent, 0, 0);
	signals_restore(before);
	return result;
}

long unsignalled_write(int fd, const void *bytes, size_t length)
{
	return unsignalled(SYS_write, fd, (long)bytes, (long)length, 0, 0, 0);
}

long unsignalled_writev_at_once(int fd, const struct iovec *text)
{
	return unsignalled(SYS_pwritev2, fd, (long)text, 1, -1, -1, RWF_NOWAIT);
}

long unsignalled_pwrite(int fd, const void *bytes, size_t length, uint64_t offset)
{
	return unsignalled(SYS_pwrite64, fd, (long)bytes, (long)length, (long)offset, 0, 0);
}

long unsignalled_ftruncate(int fd, uint64_t length)
{
	return unsignalled(SYS_ftruncate, fd, (long)length, 0, 0, 0, 0);
}

long unsignalled_truncate(const char *path, uint64_t length)
{
	return unsignalled(SYS_truncate, (long)path, (long)length, 0, 0, 0, 0);
}

long unsignalled_fallocate(int fd, int mode, int64_t offset, int64_t length)
{
	return unsignalled(SYS_fallocate, fd, mode, offset, length, 0, 0);
}
