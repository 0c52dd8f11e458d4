#include "preload/claim.h"

#include <string.h>
#include <sys/stat.h>

#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/signals.h"
#include "preload/text.h"

/*
 * Which byte: of the object the upper bits, of the time in milliseconds the lower ones, so that one question is about what
 * was claimed until now, and claims that come later do not count: whoever makes them sees the mapping. Objects that share
 * their bits only wait for each other.
 */
enum { TIME_BITS = 40, OBJECT_BITS = 23, LONGEST = 10000, PATIENCE = 1000 };

/*
 * Who leaves an object, or looks at it in turn, has a byte in place of a time: that it does, the pid namespace by its number in
 * the kernel (these are given one after the other), and the process, or thread, in it.
 */
enum { STATE_SHIFT = 38, NAMESPACE_SHIFT = 22, NAMESPACE_BITS = 16, LEAVE_PATIENCE = 250 };
enum state { STATE_claims, STATE_waits, STATE_leaves, STATE_looks };

static const uint64_t last_process = (UINT64_C(1) << STATE_SHIFT) - 1;

static int directory = -1;
static uint64_t directory_dev;
static int leaving = -1; /* held to the end */
static uint64_t leaving_dev;

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
	if (kernel_stat(fd, &st) == 0)
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
	return object << TIME_BITS | (time & ((UINT64_C(1) << STATE_SHIFT) - 1));
}

static uint64_t byte_of_process(const struct identity *identity, enum state state, uint64_t process)
{
	return byte_of(identity, 0) | (uint64_t)state << STATE_SHIFT | process;
}

static long lock(int fd, int command, struct flock *range)
{
	return kernel_call(SYS_fcntl, fd, command, (long)range, 0, 0, 0);
}

/* A program that has mounted another /dev/shm since has its objects there. */
static bool is_there(const struct identity *identity)
{
	return directory >= 0 && directory_dev == identity->dev;
}

/* To look for locks alone. */
static long borrow(const struct identity *identity)
{
	return is_there(identity) ? directory : open_directory();
}

static void give_back(long fd)
{
	if (fd >= 0 && fd != directory)
		kernel_close((int)fd);
}

static long open_anew(const struct identity *identity)
{
	return is_there(identity)
		       ? kernel_call(SYS_openat, directory, (long)".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0)
		       : open_directory();
}

bool claim_take(struct claim *claim, const struct identity *identity)
{
	long fd = open_anew(identity);
	struct flock range = {.l_type = F_RDLCK, .l_len = 1};

	if (fd < 0)
		return false;
	*claim = (struct claim){.fd = (int)fd, .mask = signals_block()};
	claim->byte = byte_of(identity, now_ms());
	range.l_start = (off_t)claim->byte;
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

void claim_hold(const struct claim *claim, const struct identity *identity)
{
	struct flock range = {.l_type = F_RDLCK, .l_start = (off_t)claim->byte, .l_len = 1};

	if (leaving >= 0 && leaving_dev == identity->dev)
		lock(leaving, F_OFD_SETLK, &range);
	claim_give(claim);
}

/* By another open file description, any of so many bytes. */
static bool is_locked(int fd, uint64_t first, uint64_t count)
{
	struct flock range = {.l_type = F_WRLCK, .l_start = (off_t)first, .l_len = (off_t)count};

	return lock(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

static bool is_claimed(int fd, const struct identity *identity, uint64_t until)
{
	uint64_t from = until > LONGEST ? until - LONGEST : 0;

	return is_locked(fd, byte_of(identity, from), until - from + 1);
}

void claim_await(const struct identity *identity)
{
	uint64_t mapped = now_ms();
	long fd = borrow(identity);

	while (fd >= 0 && is_claimed((int)fd, identity, mapped) && now_ms() - mapped < PATIENCE)
		kernel_rest(500000);
	give_back(fd);
}

/* As a link in /proc calls it; false: it cannot be known, or is not that number here. */
static bool own_number(const char *link, long expected, uint64_t *process)
{
	char name[32], text[64];
	const char *at = name + strlen("pid:["), *digits;
	uint64_t space, number;
	long length = kernel_readlink("/proc/self/ns/pid", name, sizeof name - 1);
	long text_length = kernel_readlink(link, text, sizeof text - 1);

	if (length <= at - name || text_length <= 0)
		return false;
	name[length] = text[text_length] = 0;
	digits = strrchr(text, '/');
	digits = digits ? digits + 1 : text;
	if (!text_decimal(&at, &space) || !text_decimal(&digits, &number) || number != (uint64_t)expected)
		return false;
	*process = (space & ((1u << NAMESPACE_BITS) - 1)) << NAMESPACE_SHIFT | number;
	return true;
}

/* Of this process in its namespace. */
static bool own_process(uint64_t *process)
{
	return own_number("/proc/self", kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0), process);
}

/* Of this thread, whose number no process has. */
static bool number_of_thread(uint64_t *thread)
{
	return own_number("/proc/thread-self", kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0), thread);
}

/* type: F_RDLCK, or F_UNLCK to take the mark back. */
static bool mark(int fd, short type, const struct identity *identity, enum state state, uint64_t process)
{
	struct flock range = {.l_type = type, .l_start = (off_t)byte_of_process(identity, state, process), .l_len = 1};

	return lock(fd, F_OFD_SETLK, &range) == 0;
}

/* Has another marked the object so, among the processes from the one to the other? */
static bool is_marked(int fd, const struct identity *identity, enum state state, uint64_t from, uint64_t to)
{
	return from <= to && is_locked(fd, byte_of_process(identity, state, from), to - from + 1);
}

/*
 * Locks to read exclude nobody: each marks that it looks, and sees the others' marks. Who finds one of a lower number takes its
 * own back and waits, who finds one of a higher waits as it is. So of two that have marked it one goes on.
 */
static bool await_turn(int fd, const struct identity *identity, uint64_t own)
{
	const uint64_t until = now_ms() + PATIENCE;

	for (;; kernel_rest(200000)) {
		if (!is_marked(fd, identity, STATE_looks, 0, own - 1)) {
			if (!mark(fd, F_RDLCK, identity, STATE_looks, own))
				return false;
			if (!is_marked(fd, identity, STATE_looks, 0, own - 1))
				break;
			mark(fd, F_UNLCK, identity, STATE_looks, own);
		}
		if (now_ms() > until)
			return false;
	}
	for (; is_marked(fd, identity, STATE_looks, own + 1, last_process); kernel_rest(200000))
		if (now_ms() > until)
			return false;
	return true;
}

bool claim_turn(struct claim *claim, const struct identity *identity)
{
	uint64_t mask = signals_block(), own;
	long fd = open_anew(identity);

	*claim = (struct claim){.fd = (int)fd, .mask = mask};
	if (fd >= 0 && number_of_thread(&own) && await_turn(claim->fd, identity, own))
		return true;
	if (fd >= 0)
		claim_give(claim);
	else
		signals_restore(mask);
	return false;
}

void claim_leave(const struct identity *identity)
{
	uint64_t process;

	if (!own_process(&process))
		return;
	if (leaving < 0 || leaving_dev != identity->dev) {
		leaving = own_fd_hide((int)open_anew(identity));
		leaving_dev = identity->dev;
	}
	mark(leaving, F_RDLCK, identity, STATE_leaves, process);
}

bool claim_is_left(const struct identity *identity, uint64_t pid)
{
	long fd = borrow(identity);
	bool left = false;
	uint64_t own;

	if (fd >= 0 && own_process(&own)) {
		uint64_t process = (own >> NAMESPACE_SHIFT << NAMESPACE_SHIFT) | pid;
		left = is_marked((int)fd, identity, STATE_leaves, process, process);
	}
	give_back(fd);
	return left;
}

/* own: this process among those who leave the object, 0: it goes on. */
static enum claim_last outlive(int fd, const struct identity *identity, uint64_t own)
{
	uint64_t began = now_ms();

	if (!is_marked(fd, identity, STATE_leaves, 0, last_process))
		return CLAIM_alone;
	if (own)
		mark(fd, F_RDLCK, identity, STATE_waits, own);
	while (is_marked(fd, identity, STATE_leaves, 0, last_process)) {
		/* Of those who wait for each other one goes on. */
		if (own && is_marked(fd, identity, STATE_waits, 0, own - 1))
			return CLAIM_handed;
		if (now_ms() - began > LEAVE_PATIENCE)
			return CLAIM_late;
		kernel_rest(200000);
	}
	return CLAIM_outlived;
}

enum claim_last claim_outlive(const struct identity *identity)
{
	uint64_t own;

	if (leaving >= 0 && leaving_dev == identity->dev)
		return own_process(&own) ? outlive(leaving, identity, own) : CLAIM_alone;
	long fd = borrow(identity);
	if (fd < 0)
		return CLAIM_alone;
	enum claim_last last = outlive((int)fd, identity, 0);
	give_back(fd);
	return last;
}

void claim_stay(void)
{
	if (leaving < 0)
		return;
	own_fd_forget(leaving);
	kernel_close(leaving);
	leaving = -1;
}
