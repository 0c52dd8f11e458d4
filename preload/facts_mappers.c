/* A walk over /proc for the mappers of one object: only for the rare calls that take pages away. */
#include <dirent.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/text.h"

enum { SCRATCH = 256 * 1024, DIRECTORY = 32 * 1024, LIMIT_MS = 250, START_MS = 20, RECENT = 4, TIMES = 16 };

static long long now_ms(void)
{
	return (long long)(kernel_clock(CLOCK_MONOTONIC) / 1000000);
}

/* Whose descriptors of the object count as well? guarded: of those into which the loader has brought our library, or will. */
enum holders { HOLDERS_none, HOLDERS_guarded, HOLDERS_all };

/* What is looked for, and what was seen. */
struct wanted {
	const struct identity *identity;
	uint64_t beyond;
	bool touched;  /* no mapping that is PROT_NONE counts */
	bool furthest; /* all are looked at, and `beyond` goes along: what is seen last reaches furthest */
	enum holders holders;
	char library[64]; /* "/" and the last part of our own path */
	uint64_t end;     /* of the mapping seen last: where in the object */
	bool empty;       /* there was no line */
	bool guarded;     /* our library was there */
	bool loader;      /* the loader was */
	unsigned files;   /* that are mapped, one after the other */
	uint64_t dev, ino;
};

static void see_file(const char *rest, uint64_t dev, uint64_t ino, struct wanted *wanted)
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
static bool is_starting(const struct wanted *wanted)
{
	return !wanted->guarded && (wanted->files < 2 || (wanted->files == 2 && wanted->loader));
}

/* "7f00-7f10 rw-s 00001000 00:1b 5406    /dev/shm/x": does it map the object beyond the offset? */
static bool line_maps(const char *at, struct wanted *wanted)
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

/* Reads in pieces that end at a line's end, so that a line is never cut. */
static bool process_maps(int fd, char *scratch, struct wanted *wanted)
{
	size_t kept = 0;
	bool maps = false;
	long got;

	wanted->empty = true;
	while ((got = kernel_read(fd, scratch + kept, SCRATCH - kept - 1)) > 0) {
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
		if (kept + 1 >= SCRATCH)
			return maps;
	}
	return maps;
}

/* path: "/proc/PID/maps". A process that vanished, or a kernel thread (no command line), is no one that we failed to see. */
static void count_unreadable(char path[static 64], const struct identity *identity, struct facts_mappers *found)
{
	struct stat st;
	char first[2], status[1024];
	size_t directory = (size_t)(strrchr(path, '/') - path);

	path[directory] = 0;
	bool gone = kernel_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)&st, 0, 0, 0) < 0;
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

/* Every pid namespace has a process 1; with the mount option hidepid others' processes are not even listed (proc(5)). */
static bool hides_processes(void)
{
	struct stat st;
	return kernel_call(SYS_newfstatat, AT_FDCWD, (long)"/proc/1", (long)&st, 0, 0, 0) < 0;
}

/* path: "/proc/PID" or "/proc/PID/task/TID". */
static bool look_at_maps(const char *directory, char *scratch, struct wanted *wanted, struct facts_mappers *found)
{
	char path[64] = "";

	wanted->empty = wanted->guarded = wanted->loader = false;
	wanted->files = 0;
	text_append(path, sizeof path, directory);
	text_append(path, sizeof path, "/maps");
	long fd = kernel_open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -EACCES || fd == -EPERM)
		count_unreadable(path, wanted->identity, found);
	if (fd < 0)
		return false;
	bool maps = process_maps((int)fd, scratch, wanted);
	if (maps)
		found->end = wanted->end;
	kernel_close((int)fd);
	return maps;
}

/*
 * Whose first thread has ended (pthread_exit in main) shows its memory, and its descriptors, by the others; a kernel thread
 * has none of either. path: becomes that of the other.
 */
static bool look_at_threads(char path[static 64], char *scratch, struct wanted *wanted, struct facts_mappers *found)
{
	char entries[1024];
	struct stat st;
	bool maps = false;
	long got;

	text_append(path, 64, "/task");
	/* Two names of its own, and one of each thread. */
	if (kernel_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)&st, 0, 0, 0) < 0 || st.st_nlink <= 3)
		return false;
	size_t length = strlen(path);
	long fd = kernel_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && wanted->empty &&
	       (got = kernel_call(SYS_getdents64, fd, (long)entries, sizeof entries, 0, 0, 0)) > 0)
		for (long at = 0; at < got && wanted->empty;) {
			struct dirent64 *entry = (void *)(entries + at);
			at += entry->d_reclen;
			path[length] = 0;
			text_append(path, 64, "/");
			if (entry->d_name[0] != '.' && text_append(path, 64, entry->d_name))
				maps = look_at_maps(path, scratch, wanted, found);
		}
	if (fd >= 0)
		kernel_close((int)fd);
	return maps;
}

static bool look_at_descriptors(const char *directory, const struct identity *identity, struct facts_mappers *found)
{
	char path[64] = "", entries[1024];
	struct stat st;
	bool holds = false;
	long got;

	text_append(path, sizeof path, directory);
	text_append(path, sizeof path, "/fd");
	long fd = kernel_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -EACCES || fd == -EPERM)
		count_unreadable(path, identity, found);
	while (fd >= 0 && !holds && (got = kernel_call(SYS_getdents64, fd, (long)entries, sizeof entries, 0, 0, 0)) > 0)
		for (long at = 0; at < got && !holds;) {
			struct dirent64 *entry = (void *)(entries + at);
			at += entry->d_reclen;
			holds = kernel_call(SYS_newfstatat, fd, (long)entry->d_name, (long)&st, 0, 0, 0) == 0 &&
				st.st_ino == identity->ino && st.st_dev == identity->dev;
		}
	if (fd >= 0)
		kernel_close((int)fd);
	return holds;
}

/* Of a program that is only starting it is waited for what it will be. */
static bool holds_guarded(const char *directory, char *scratch, struct wanted *wanted, struct facts_mappers *found)
{
	int waited = 0;

	if (!(wanted->guarded || is_starting(wanted)) || !look_at_descriptors(directory, wanted->identity, found))
		return false;
	for (; is_starting(wanted) && waited < START_MS; waited++) {
		kernel_rest(1000000);
		if (look_at_maps(directory, scratch, wanted, found))
			return true;
	}
	/* The exec may have closed it. */
	return (wanted->guarded || (is_starting(wanted) && wanted->loader)) &&
	       (!waited || look_at_descriptors(directory, wanted->identity, found));
}

static void look_at(const char *name, const char *self, char *scratch, struct wanted *wanted,
		    struct facts_mappers *found)
{
	char path[64] = "/proc/";
	const char *digits = name;
	uint64_t pid;

	if (!text_decimal(&digits, &pid) || *digits || strcmp(name, self) == 0)
		return;
	text_append(path, sizeof path, name);
	if (look_at_maps(path, scratch, wanted, found) ||
	    (wanted->empty && look_at_threads(path, scratch, wanted, found)) ||
	    (wanted->holders == HOLDERS_all && look_at_descriptors(path, wanted->identity, found)) ||
	    (wanted->holders == HOLDERS_guarded && holds_guarded(path, scratch, wanted, found)))
		found->pid = (int32_t)pid;
}

/* The number that was given to a process or thread last; 0: it is not known. */
static uint64_t last_number(void)
{
	char load[128];
	uint64_t number;

	if (text_read("/proc/loadavg", load, sizeof load) <= 0)
		return 0;
	const char *last = strrchr(load, ' ');
	if (!last++)
		return 0;
	return text_decimal(&last, &number) ? number : 0;
}

/* Is it a thread of this process? */
static bool is_own_thread(const char *number, const char *self)
{
	char path[64] = "/proc/", status[1024], own[24] = "";
	uint64_t process = 0;

	text_append(path, sizeof path, number);
	text_append(path, sizeof path, "/status");
	if (text_read(path, status, sizeof status) > 0)
		text_field(status, "Tgid:", &process);
	text_append_decimal(own, sizeof own, process);
	return strcmp(own, self) == 0;
}

static void look_at_numbers(uint64_t first, uint64_t last, long long until, const char *self, char *scratch,
			    struct wanted *wanted, struct facts_mappers *found)
{
	for (uint64_t at = first; at <= last && !found->pid && !found->gave_up; at++) {
		char number[24] = "";
		text_append_decimal(number, sizeof number, at);
		if (!is_own_thread(number, self))
			look_at(number, self, scratch, wanted, found);
		found->gave_up = now_ms() > until;
	}
}

/*
 * Whoever came after the list was taken: a user may have handed the object on to a child, and ended before it was looked at.
 * last: the number given last before that; who was given one of the RECENT before it may not have been to be seen yet. Where
 * others come without end, nobody who hands it on is missed so many times.
 */
static void look_at_newcomers(uint64_t last, long long until, const char *self, char *scratch, struct wanted *wanted,
			      struct facts_mappers *found)
{
	uint64_t from = last > RECENT ? last - RECENT : 1, now = last_number();

	for (int times = 0; last && times < TIMES && from <= now && !found->pid && !found->gave_up; times++) {
		look_at_numbers(from, now, until, self, scratch, wanted, found);
		from = now + 1;
		now = last_number();
	}
	/* They begin anew at the highest. */
	found->gave_up = found->gave_up || now < last;
}

/* As that /proc counts processes: it may be another pid namespace's. "": there is none. */
static void own_number(char self[static 24])
{
	long length = kernel_readlink("/proc/self", self, 23);

	self[length > 0 ? length : 0] = 0;
}

static struct facts_mappers look_at_others(struct wanted *wanted)
{
	struct facts_mappers found = {0};
	char self[24];
	char *memory = kernel_memory(SCRATCH + DIRECTORY);
	uint64_t last = last_number();
	long fd = kernel_open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), got = 0;
	long long until = now_ms() + LIMIT_MS;

	own_number(self);
	found.gave_up = !memory || fd < 0 || !self[0];
	while (!found.gave_up && (wanted->furthest || !found.pid) &&
	       (got = kernel_call(SYS_getdents64, fd, (long)(memory + SCRATCH), DIRECTORY, 0, 0, 0)) > 0) {
		for (long at = 0; at < got && (wanted->furthest || !found.pid) && !found.gave_up;) {
			struct dirent64 *entry = (void *)(memory + SCRATCH + at);
			look_at(entry->d_name, self, memory, wanted, &found);
			found.gave_up = now_ms() > until;
			at += entry->d_reclen;
		}
	}
	if (wanted->holders == HOLDERS_guarded && !found.pid && !found.gave_up)
		look_at_newcomers(last, until, self, memory, wanted, &found);
	if (fd >= 0 && !found.pid && hides_processes()) {
		found.unreadable++;
		found.strangers++;
	}
	if (fd >= 0)
		kernel_close((int)fd);
	if (memory)
		kernel_memory_free(memory, SCRATCH + DIRECTORY);
	return found;
}

struct facts_mappers facts_other_mappers(const struct identity *identity, uint64_t beyond)
{
	return look_at_others(
		&(struct wanted){.identity = identity, .beyond = beyond, .touched = true, .furthest = true});
}

/* The first one's number is fixed (include/linux/proc_ns.h): whoever is in it is shown every process. */
static bool in_first_namespace(void)
{
	static const char first[] = "pid:[4026531836]";
	char name[sizeof first + 1];

	return kernel_readlink("/proc/self/ns/pid", name, sizeof name) == sizeof first - 1 &&
	       memcmp(name, first, sizeof first - 1) == 0;
}

static enum facts_use use_of(const struct identity *identity, struct facts_mappers others)
{
	if (others.pid)
		return FACTS_mapped;
	bool owners = others.owners || (!identity->uid && others.unreadable > others.strangers);
	if (others.gave_up || owners || (others.strangers && (identity->mode & 066)))
		return FACTS_unknown;
	return others.unreadable || !in_first_namespace() ? FACTS_unseen : FACTS_unused;
}

enum facts_use facts_use_by_others(const struct identity *identity)
{
	return use_of(identity, look_at_others(&(struct wanted){.identity = identity}));
}

enum facts_use facts_use_by_holders(const struct identity *identity)
{
	return use_of(identity, look_at_others(&(struct wanted){.identity = identity, .holders = HOLDERS_all}));
}

/* As /proc/PID/maps will have it. */
static void library_name(char library[static 64])
{
	char *path = kernel_memory(PATH_MAX);
	const char *known = path && facts_real_path(own_path(), path) ? path : own_path(), *last = strrchr(known, '/');

	if (!last || !text_append(library, 64, last))
		text_append(library, 64, "/libshmguard.so");
	if (path)
		kernel_memory_free(path, PATH_MAX);
}

enum facts_use facts_use_by_guarded(const struct identity *identity, int32_t *holder)
{
	struct wanted wanted = {.identity = identity, .holders = HOLDERS_guarded};

	library_name(wanted.library);
	struct facts_mappers others = look_at_others(&wanted);
	*holder = others.pid;
	return others.pid ? FACTS_mapped : others.gave_up ? FACTS_unknown : FACTS_unused;
}

int32_t facts_user_parent(const struct identity *identity)
{
	struct wanted wanted = {.identity = identity, .holders = HOLDERS_all};
	struct facts_mappers found = {0};
	char parent[24] = "", *memory = kernel_memory(SCRATCH);

	text_append_decimal(parent, sizeof parent, (uint64_t)kernel_call(SYS_getppid, 0, 0, 0, 0, 0, 0));
	if (memory) {
		look_at(parent, "", memory, &wanted, &found);
		kernel_memory_free(memory, SCRATCH);
	}
	return found.pid;
}

bool facts_left_by_others(const struct identity *identity)
{
	enum facts_use use = facts_use_by_holders(identity);

	return use == FACTS_unused || use == FACTS_unseen;
}

static enum facts_use look_at_itself(struct wanted *wanted)
{
	char *memory = kernel_memory(SCRATCH);
	long fd = kernel_open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);
	enum facts_use use = FACTS_unknown;

	if (memory && fd >= 0)
		use = process_maps((int)fd, memory, wanted) ? FACTS_mapped
		      : wanted->empty                       ? FACTS_unknown
							    : FACTS_unused;
	if (fd >= 0)
		kernel_close((int)fd);
	if (memory)
		kernel_memory_free(memory, SCRATCH);
	return use;
}

enum facts_use facts_use_by_itself(const struct identity *identity)
{
	return look_at_itself(&(struct wanted){.identity = identity});
}

uint64_t facts_own_reach(const struct identity *identity, uint64_t beyond, uint64_t supposed)
{
	struct wanted wanted = {.identity = identity, .beyond = beyond, .touched = true, .furthest = true};
	enum facts_use use = look_at_itself(&wanted);

	return use == FACTS_mapped ? wanted.end : use == FACTS_unused ? 0 : supposed;
}
