#include "analyzer/cleaner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/memory.h"

#define ASIDE ".shmguard-clean."
#define ASIDE_DIGITS 16

/* Descriptors are few, and whoever opens one of these waits for the whole batch. */
enum { BATCH = 256, GRACE_MS = 100, TURN_MS = 30000, TURN_STEP_MS = 20 };

/* The kernel tells the holder of a lease by this signal that it is wanted. */
#define WANTED SIGIO

static void cleaner_sleep(long milliseconds)
{
	struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	while (nanosleep(&rest, &rest) && errno == EINTR)
		;
}

static long cleaner_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cleaner_open(struct cleaner *cleaner, const char *path, char **error)
{
	uint64_t number;
	int waited = 0;

	*cleaner = (struct cleaner){.aside_fd = -1};
	cleaner->directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cleaner->directory < 0) {
		*error = memory_format("%s: %s", path, strerror(errno));
		return -1;
	}
	while (flock(cleaner->directory, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK || waited >= TURN_MS) {
			*error = memory_format("%s: %s", path,
					       errno == EWOULDBLOCK ? "another cleaner is at work and does not end"
								    : strerror(errno));
			close(cleaner->directory);
			return -1;
		}
		cleaner_sleep(TURN_STEP_MS);
		waited += TURN_STEP_MS;
	}
	/* While it is blocked it is waited for, afterwards it shall do nothing. */
	signal(WANTED, SIG_IGN);
	/* Nobody can have made it before, to have our objects moved into a directory of his. */
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)getpid();
	cleaner->aside = memory_format(ASIDE "%0*" PRIx64, ASIDE_DIGITS, number);
	return 0;
}

void cleaner_close(struct cleaner *cleaner)
{
	free(cleaner->aside);
	close(cleaner->directory);
}

static void recover_name(struct cleaner *cleaner, int from, const char *aside, const char *name, size_t *moved,
			 size_t *stuck)
{
	if (!renameat2(from, aside, cleaner->directory, name, RENAME_NOREPLACE))
		++*moved;
	else
		++*stuck;
}

static void recover_directory(struct cleaner *cleaner, const char *name, size_t *moved, size_t *stuck)
{
	int fd = openat(cleaner->directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	bool ours = fd >= 0 && !fstat(fd, &status) && status.st_uid == geteuid();
	DIR *aside = ours ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (aside && (entry = readdir(aside))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		recover_name(cleaner, dirfd(aside), entry->d_name, entry->d_name, moved, stuck);
	}
	if (aside)
		closedir(aside);
	else if (fd >= 0)
		close(fd);
	if (ours)
		unlinkat(cleaner->directory, name, AT_REMOVEDIR);
}

size_t cleaner_recover(struct cleaner *cleaner, size_t *stuck)
{
	int fd = openat(cleaner->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *root = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t moved = 0;

	*stuck = 0;
	while (root && (entry = readdir(root))) {
		const char *name = strncmp(entry->d_name, ASIDE, strlen(ASIDE)) ? NULL : entry->d_name + strlen(ASIDE);

		/* Whoever made it does not run any more: it is our turn. */
		if (name && strspn(name, "0123456789abcdef") == ASIDE_DIGITS && name[ASIDE_DIGITS] == '.' &&
		    name[ASIDE_DIGITS + 1])
			recover_name(cleaner, cleaner->directory, entry->d_name, name + ASIDE_DIGITS + 1, &moved,
				     stuck);
		else if (name)
			recover_directory(cleaner, entry->d_name, &moved, stuck);
	}
	if (root)
		closedir(root);
	else if (fd >= 0)
		close(fd);
	return moved;
}

/* detail: NULL, or the rest of the sentence. The first reason is the one. */
static void item_spare(struct cleaner_item *item, const char *why, const char *detail)
{
	if (!item->why)
		item->why = memory_format("%s%s%s", why, detail ? ": " : "", detail ? detail : "");
}

static int64_t item_time(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static bool item_is_same(struct cleaner_item *item, const struct stat *status)
{
	if (status->st_dev != item->device || status->st_ino != item->inode) {
		item_spare(item, "the name leads to another object now", NULL);
		return false;
	}
	if (item_time(&status->st_mtim) > item->touched || item_time(&status->st_atim) > item->touched ||
	    item_time(&status->st_ctim) > item->touched) {
		item_spare(item, "it was used since it was looked at", NULL);
		return false;
	}
	return true;
}

/* Its mode may allow less than both. The lease needs any of them. */
static int item_descriptor(const struct cleaner *cleaner, const struct cleaner_item *item)
{
	static const int modes[] = {O_RDWR, O_RDONLY, O_WRONLY};
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(modes) / sizeof(modes[0]); i++)
		fd = openat(cleaner->directory, item->name, modes[i] | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd;
}

static void item_lease(const struct cleaner *cleaner, struct cleaner_item *item)
{
	struct stat status;

	item->fd = item_descriptor(cleaner, item);
	if (item->fd < 0) {
		if (errno == ENOENT)
			item_spare(item, "it is gone", NULL);
		else
			item_spare(item, "it cannot be opened to make sure that nobody uses it", strerror(errno));
		return;
	}
	if (fstat(item->fd, &status)) {
		item_spare(item, "it cannot be looked at", strerror(errno));
	} else if (item_is_same(item, &status) && fcntl(item->fd, F_SETLEASE, F_WRLCK)) {
		if (errno == EAGAIN)
			item_spare(item, "somebody has it open or mapped", NULL);
		else
			item_spare(item, "the kernel gives no lease on it", strerror(errno));
	}
}

static void item_move_aside(struct cleaner *cleaner, struct cleaner_item *item)
{
	struct stat status;

	char *aside = cleaner->no_inode ? memory_format("%s.%s", cleaner->aside, item->name) : memory_text(item->name);

	if (renameat2(cleaner->directory, item->name, cleaner->aside_fd, aside, RENAME_NOREPLACE)) {
		item_spare(item, "it cannot be moved aside", strerror(errno));
		free(aside);
		return;
	}
	item->aside = aside;
	if (fstatat(cleaner->aside_fd, aside, &status, AT_SYMLINK_NOFOLLOW) || status.st_ino != item->inode ||
	    status.st_dev != item->device)
		item_spare(item, "the name leads to another object now", NULL);
}

static void item_forget_aside(struct cleaner_item *item)
{
	free(item->aside);
	item->aside = NULL;
}

static void item_move_back(struct cleaner *cleaner, struct cleaner_item *item)
{
	if (!item->aside)
		return;
	if (!renameat2(cleaner->aside_fd, item->aside, cleaner->directory, item->name, RENAME_NOREPLACE)) {
		item_forget_aside(item);
		return;
	}
	free(item->why);
	item->why = memory_format("somebody uses it, and the name was taken meanwhile (%s): it stays in %s",
				  strerror(errno), cleaner->no_inode ? item->aside : cleaner->aside);
}

/* Is somebody waiting to open it? */
static bool item_is_wanted(struct cleaner_item *item)
{
	if (fcntl(item->fd, F_GETLEASE) == F_WRLCK)
		return false;
	item_spare(item, "somebody opened it just now", NULL);
	return true;
}

static void item_wipe(struct cleaner_item *item, const struct stat *status)
{
	off_t block = status->st_blksize ? status->st_blksize : 4096;
	off_t length = (status->st_size + block - 1) / block * block;

	/* What was written past the end of the last page counts as well. */
	if (length && fallocate(item->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length)) {
		item_spare(item, "it could not be wiped", strerror(errno));
		return;
	}
	if (lseek(item->fd, 0, SEEK_DATA) >= 0) {
		item_spare(item, "it was wiped and still holds data", NULL);
		return;
	}
	item->wiped = true;
}

static void item_unlink(struct cleaner *cleaner, struct cleaner_item *item, bool zero)
{
	struct stat status;

	if (item->why || item_is_wanted(item))
		return;
	if (fstat(item->fd, &status)) {
		item_spare(item, strerror(errno), NULL);
		return;
	}
	item->links = status.st_nlink - 1;
	if (zero && item->links)
		item_spare(item, "it has another name, by which it may still be wanted: it is not wiped", NULL);
	else if (zero)
		item_wipe(item, &status);
	if (item->why || item_is_wanted(item) || !item->aside)
		return;
	if (unlinkat(cleaner->aside_fd, item->aside, 0)) {
		item_spare(item, strerror(errno), NULL);
		return;
	}
	item_forget_aside(item);
	item->removed = true;
	item->freed = item->links ? 0 : (uint64_t)status.st_blocks * 512;
}

/* He who waits has it at once, before somebody makes the name anew. */
static void item_give_back(struct cleaner *cleaner, struct cleaner_item *item)
{
	item_move_back(cleaner, item);
	if (item->fd >= 0)
		close(item->fd);
	item->fd = -1;
}

static void item_take(struct cleaner *cleaner, struct cleaner_item *item)
{
	item_lease(cleaner, item);
	if (!item->why)
		item_move_aside(cleaner, item);
	if (item->why || item_is_wanted(item))
		item_give_back(cleaner, item);
}

/* Returns how many are left. */
static size_t cleaner_ask(struct cleaner *cleaner, struct cleaner_item *items, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i].why)
			continue;
		if (item_is_wanted(&items[i]))
			item_give_back(cleaner, &items[i]);
		else
			left++;
	}
	return left;
}

/* Did somebody want any of them since the last time, or does so within these milliseconds? */
static bool cleaner_is_asked(long milliseconds)
{
	struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, WANTED);
	return sigtimedwait(&wanted, NULL, &timeout) == WANTED;
}

/* membarrier(2) takes tens of milliseconds, in which nobody would be given back what he waits for: so a child calls it. */
static pid_t barrier_start(void)
{
	pid_t pid = fork();

	if (pid <= 0)
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	if (pid == 0)
		_exit(0);
	return pid;
}

static void cleaner_grace(struct cleaner *cleaner, struct cleaner_item *items, size_t count)
{
	pid_t barrier = barrier_start();
	long until = cleaner_now() + GRACE_MS;

	while (cleaner_ask(cleaner, items, count)) {
		long left = until - cleaner_now();

		if (barrier > 0 && waitpid(barrier, NULL, WNOHANG) == barrier)
			barrier = -1;
		if (left <= 0 && barrier < 0)
			break;
		cleaner_is_asked(left > 0 ? left : 1);
	}
	if (barrier > 0)
		waitpid(barrier, NULL, 0);
}

static void cleaner_batch(struct cleaner *cleaner, struct cleaner_item *items, size_t count, bool zero)
{
	for (size_t i = 0; i < count; i++) {
		item_take(cleaner, &items[i]);
		if (cleaner_is_asked(0))
			cleaner_ask(cleaner, items, i + 1);
	}
	if (!cleaner_ask(cleaner, items, count))
		return;
	cleaner_grace(cleaner, items, count);
	for (size_t i = 0; i < count; i++) {
		if (items[i].why)
			continue;
		item_unlink(cleaner, &items[i], zero);
		item_give_back(cleaner, &items[i]);
		if (cleaner_is_asked(0))
			cleaner_ask(cleaner, items + i + 1, count - i - 1);
	}
}

/* 0, or an errno. */
static int cleaner_make_aside(struct cleaner *cleaner)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	cleaner->no_inode = mkdirat(cleaner->directory, cleaner->aside, 0700);
	if (cleaner->no_inode && errno != ENOSPC)
		return errno;
	cleaner->aside_fd = openat(cleaner->directory, cleaner->no_inode ? "." : cleaner->aside, flags);
	return cleaner->aside_fd < 0 ? errno : 0;
}

void cleaner_remove(struct cleaner *cleaner, struct cleaner_item *items, size_t count, bool zero)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, WANTED};
	sigset_t set, before;
	int error;

	/* Not between the move and its end. */
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	error = cleaner_make_aside(cleaner);
	for (size_t at = 0; at < count; at += BATCH) {
		size_t some = count - at < BATCH ? count - at : BATCH;

		for (size_t i = at; error && i < at + some; i++)
			item_spare(&items[i], "no directory can be made to move it to", strerror(error));
		if (!error)
			cleaner_batch(cleaner, items + at, some, zero);
	}
	if (cleaner->aside_fd >= 0)
		close(cleaner->aside_fd);
	if (!cleaner->no_inode)
		unlinkat(cleaner->directory, cleaner->aside, AT_REMOVEDIR);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
