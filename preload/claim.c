#include "preload/claim.h"

#include <sys/stat.h>

#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/signals.h"

/*
 * Which byte: of the object the upper bits, of the time in milliseconds the lower ones, so that one question is about what
 * was claimed until now, and claims that come later do not count: whoever makes them sees the mapping. Objects that share
 * their bits only wait for each other.
 */
enum { TIME_BITS = 40, OBJECT_BITS = 23, LONGEST = 10000, PATIENCE = 1000 };

static int directory = -1;
static uint64_t directory_dev;

static long open_directory(void)
{
	return kernel_open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void claim_initialise(void)
{
	struct stat st;
	long fd = open_directory();

	if (fd < 0)
		return;
	if (kernel_call(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) == 0)
		directory_dev = st.st_dev;
	directory = own_fd_hide((int)fd);
}

int claim_directory(void)
{
	return directory;
}

static uint64_t now_ms(void)
{
	return kernel_clock(CLOCK_MONOTONIC) / 1000000;
}

static uint64_t byte_of(const struct identity *identity, uint64_t time)
{
	uint64_t object = identity->ino * 0x9e3779b97f4a7c15u >> (64 - OBJECT_BITS);
	return object << TIME_BITS | (time & ((UINT64_C(1) << TIME_BITS) - 1));
}

static long lock(int fd, int command, struct flock *range)
{
	return kernel_call(SYS_fcntl, fd, command, (long)range, 0, 0, 0);
}

bool claim_take(struct claim *claim, const struct identity *identity)
{
	/* A program that has mounted another /dev/shm since has its objects there. */
	long fd = directory >= 0 && directory_dev == identity->dev
			  ? kernel_call(SYS_openat, directory, (long)".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0)
			  : open_directory();
	struct flock range = {.l_type = F_RDLCK, .l_len = 1};

	if (fd < 0)
		return false;
	*claim = (struct claim){.fd = (int)fd, .mask = signals_block()};
	range.l_start = (off_t)byte_of(identity, now_ms());
	if (lock(claim->fd, F_OFD_SETLK, &range) == 0)
		return true;
	claim_give(claim);
	return false;
}

void claim_give(const struct claim *claim)
{
	struct flock all = {.l_type = F_UNLCK};

	/* A child that was forked meanwhile has the descriptor, too. */
	lock(claim->fd, F_OFD_SETLK, &all);
	kernel_close(claim->fd);
	signals_restore(claim->mask);
}

static bool is_claimed(int fd, const struct identity *identity, uint64_t until)
{
	uint64_t from = until > LONGEST ? until - LONGEST : 0;
	struct flock range = {
		.l_type = F_WRLCK, .l_start = (off_t)byte_of(identity, from), .l_len = (off_t)(until - from + 1)};

	return lock(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

void claim_await(const struct identity *identity)
{
	uint64_t mapped = now_ms();
	bool usual = directory >= 0 && directory_dev == identity->dev;
	long fd = usual ? directory : open_directory();

	while (fd >= 0 && is_claimed((int)fd, identity, mapped) && now_ms() - mapped < PATIENCE)
		kernel_rest(500000);
	if (fd >= 0 && !usual)
		kernel_close((int)fd);
}
