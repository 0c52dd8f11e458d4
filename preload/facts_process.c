#include "preload/facts_process.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "preload/claim.h"
#include "preload/entries.h"
#include "preload/kernel.h"
#include "preload/text.h"

/* How long one waits for a program that is only starting. */
enum { START_MS = 20 };

static void see_file(const char *rest, uint64_t dev, uint64_t ino, struct facts_wanted *wanted)
{
	if (!ino || (wanted->files && dev == wanted->dev && ino == wanted->ino))
		return;
	wanted->files++;
	wanted->dev = dev;
	wanted->ino = ino;
	size_t length = strlen(wanted->library), line = strcspn(rest, "\n");
	wanted->guarded = wanted->guarded || memmem(rest, line, wanted->library, length);
	wanted->loader = wanted->loader || memmem(rest, line, "/ld", 3);
}

/*
 * In the midst of an exec a process shows no mapping, then those of the program, and of the loader, which brings our library
 * before all others. A static program has no loader.
 */
static bool is_starting(const struct facts_wanted *wanted)
{
	return !wanted->guarded && (wanted->files < 2 || (wanted->files == 2 && wanted->loader));
}

/* "7f00-7f10 rw-s 00001000 00:1b 5406    /dev/shm/x": does it map the object beyond the offset? */
static bool line_maps(const char *at, struct facts_wanted *wanted)
{
	uint64_t start, end, offset, device_major, device_minor, ino, reached;
	const struct identity *identity = wanted->identity;

	if (!text_hexadecimal(&at, &start) || *at++ != '-' || !text_hexadecimal(&at, &end) || strnlen(at, 6) < 6)
		return false;
	bool closed = strncmp(at, " ---", 4) == 0;
	at += 6;
	if (!text_hexadecimal(&at, &offset) || *at++ != ' ' || !text_hexadecimal(&at, &device_major) || *at++ != ':' ||
	    !text_hexadecimal(&at, &device_minor) || *at++ != ' ' || !text_decimal(&at, &ino))
		return false;
	uint64_t dev = makedev((unsigned)device_major, (unsigned)device_minor);
	if (wanted->holders == HOLDERS_guarded)
		see_file(at, dev, ino, wanted);
	reached = offset + (end - start);
	if (ino != identity->ino || dev != identity->dev || reached <= wanted->beyond || (closed && wanted->touched))
		return false;
	wanted->end = reached;
	if (wanted->furthest)
		wanted->beyond = reached;
	return true;
}

/* In pieces that end at a line's end, so that a line is never cut. */
bool facts_process_maps(int fd, char *scratch, struct facts_wanted *wanted)
{
	size_t kept = 0;
	bool maps = false;
	long got;

	wanted->empty = true;
	while ((got = kernel_read(fd, scratch + kept, FACTS_SCRATCH - kept - 1)) > 0) {
		size_t length = kept + (size_t)got;
		scratch[length] = 0;
		wanted->empty = false;
		char *line = scratch, *newline;
		for (; (newline = memchr(line, '\n', length - (size_t)(line - scratch))); line = newline + 1)
			if (line_maps(line, wanted)) {
				maps = true;
				if (!wanted->furthest)
					return true;
			}
		kept = length - (size_t)(line - scratch);
		memmove(scratch, line, kept);
		if (kept + 1 >= FACTS_SCRATCH)
			return maps;
	}
	return maps;
}

/* A process that was not seen for want of a descriptor may be a user. */
static void note_want(long fd, struct facts_mappers *found)
{
	if (fd == -EMFILE || fd == -ENFILE)
		found->gave_up = EMFILE;
}

/* path: "/proc/PID/maps". A process that vanished, or a kernel thread (no command line), is no one that we failed to see. */
static void count_unreadable(char path[static 64], const struct identity *identity, struct facts_mappers *found)
{
	struct stat st;
	char first[2], status[512];
	size_t directory = (size_t)(strrchr(path, '/') - path);

	path[directory] = 0;
	bool gone = kernel_stat_at(AT_FDCWD, path, 0, &st) < 0;
	text_append(path, 64, "/cmdline");
	if (gone || text_read(path, first, sizeof first) <= 0)
		return;
	path[directory] = 0;
	text_append(path, 64, "/status");
	/* /proc/PID is root's where the process has made itself undumpable, or has changed its user: proc(5). */
	uint64_t uid = st.st_uid;
	if (text_read(path, status, sizeof status) > 0)
		text_field(status, "Uid:", &uid);
	found->unreadable++;
	found->strangers += uid != 0;
	found->owners += uid != 0 && uid == identity->uid;
}

/* path: "/proc/PID" or "/proc/PID/task/TID". */
static bool look_at_maps(const char *directory, char *scratch, struct facts_wanted *wanted, struct facts_mappers *found)
{
	char path[64] = "";

	wanted->empty = wanted->guarded = wanted->loader = false;
	wanted->files = 0;
	text_append(path, sizeof path, directory);
	text_append(path, sizeof path, "/maps");
	long fd = kernel_open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -EACCES || fd == -EPERM)
		count_unreadable(path, wanted->identity, found);
	note_want(fd, found);
	if (fd < 0)
		return false;
	bool maps = facts_process_maps((int)fd, scratch, wanted);
	if (maps)
		found->end = wanted->end;
	kernel_close((int)fd);
	return maps;
}

/*
 * Whose first thread has ended (pthread_exit in main) shows its memory, and its descriptors, by the others; a kernel thread
 * has none of either. path: becomes that of the other.
 */
static bool look_at_threads(char path[static 64], char *scratch, struct facts_wanted *wanted,
			    struct facts_mappers *found)
{
	_Alignas(struct dirent64) char buffer[512];
	const struct dirent64 *entry;
	struct stat st;
	bool maps = false;

	text_append(path, 64, "/task");
	/* Two names of its own, and one of each thread. */
	if (kernel_stat_at(AT_FDCWD, path, 0, &st) < 0 || st.st_nlink <= 3)
		return false;
	size_t length = strlen(path);
	long fd = kernel_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	note_want(fd, found);
	struct entries entries = {.fd = (int)fd, .buffer = buffer, .size = sizeof buffer};
	while (fd >= 0 && wanted->empty && (entry = entries_next(&entries))) {
		path[length] = 0;
		text_append(path, 64, "/");
		if (entry->d_name[0] != '.' && text_append(path, 64, entry->d_name))
			maps = look_at_maps(path, scratch, wanted, found);
	}
	if (fd >= 0)
		kernel_close((int)fd);
	return maps;
}

static bool look_at_descriptors(const char *directory, char *scratch, const struct identity *identity,
				struct facts_mappers *found)
{
	const struct dirent64 *entry;
	char path[64] = "";
	struct stat st;
	bool holds = false;

	text_append(path, sizeof path, directory);
	text_append(path, sizeof path, "/fd");
	long fd = kernel_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -EACCES || fd == -EPERM)
		count_unreadable(path, identity, found);
	note_want(fd, found);
	struct entries entries = {.fd = (int)fd, .buffer = scratch, .size = FACTS_SCRATCH};
	while (fd >= 0 && !holds && (entry = entries_next(&entries)))
		holds = kernel_stat_at((int)fd, entry->d_name, 0, &st) == 0 && st.st_ino == identity->ino &&
			st.st_dev == identity->dev;
	if (fd >= 0)
		kernel_close((int)fd);
	return holds;
}

/* Of a program that is only starting it is waited for what it will be. */
static bool holds_guarded(const char *directory, char *scratch, struct facts_wanted *wanted,
			  struct facts_mappers *found)
{
	int waited = 0;

	if (!(wanted->guarded || is_starting(wanted)) ||
	    !look_at_descriptors(directory, scratch, wanted->identity, found))
		return false;
	for (; is_starting(wanted) && waited < START_MS; waited++) {
		kernel_rest(1000000);
		if (look_at_maps(directory, scratch, wanted, found))
			return true;
	}
	/* The exec may have closed it. */
	return (wanted->guarded || (is_starting(wanted) && wanted->loader)) &&
	       (!waited || look_at_descriptors(directory, scratch, wanted->identity, found));
}

static bool uses(const char *directory, char *scratch, struct facts_wanted *wanted, struct facts_mappers *found)
{
	char path[64] = "";

	text_append(path, sizeof path, directory);
	return look_at_maps(path, scratch, wanted, found) ||
	       (wanted->empty && look_at_threads(path, scratch, wanted, found)) ||
	       (wanted->holders == HOLDERS_all && look_at_descriptors(path, scratch, wanted->identity, found)) ||
	       (wanted->holders == HOLDERS_guarded && holds_guarded(path, scratch, wanted, found));
}

void facts_process_look(const char *name, const char *self, char *scratch, struct facts_wanted *wanted,
			struct facts_mappers *found)
{
	char path[64] = "/proc/";
	const char *digits = name;
	uint64_t pid;

	if (!text_decimal(&digits, &pid) || *digits || strcmp(name, self) == 0)
		return;
	text_append(path, sizeof path, name);
	if (!uses(path, scratch, wanted, found))
		return;
	/* Who ends keeps what it has until its mark is gone, too: only where pages are to go away does that matter. */
	if (wanted->furthest || (!claim_is_left(wanted->identity, pid) && uses(path, scratch, wanted, found)))
		found->pid = (int32_t)pid;
}
