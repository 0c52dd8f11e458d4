/* A walk over /proc for who else uses an object: only for the rare calls that take pages or bytes away. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "preload/apart.h"
#include "preload/enforce.h"
#include "preload/entries.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/facts_process.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/place.h"
#include "preload/recorder_inner.h"
#include "preload/text.h"

enum { DIRECTORY = 32 * 1024, LIMIT_MS = 250, RECENT = 4, TIMES = 16 };

static long long now_ms(void)
{
	return (long long)(kernel_clock(CLOCK_MONOTONIC) / 1000000);
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

/* Is it no process but a thread of one? That one is listed, or has come with a number of its own. */
static bool is_thread(const char *number, uint64_t value)
{
	char path[64] = "/proc/", status[1024];
	uint64_t process = value;

	text_append(path, sizeof path, number);
	text_append(path, sizeof path, "/status");
	if (text_read(path, status, sizeof status) > 0)
		text_field(status, "Tgid:", &process);
	return process != value;
}

static void look_at_numbers(uint64_t first, uint64_t last, long long until, const char *self, char *scratch,
			    struct facts_wanted *wanted, struct facts_mappers *found)
{
	for (uint64_t at = first; at <= last && !found->pid && !found->gave_up; at++) {
		char number[24] = "";
		text_append_decimal(number, sizeof number, at);
		if (!is_thread(number, at))
			facts_process_look(number, self, scratch, wanted, found);
		if (!found->gave_up && now_ms() > until)
			found->gave_up = ETIMEDOUT;
	}
}

/*
 * Whoever came after the list was taken: a user may have handed the object on to a child, and ended before it was looked at.
 * last: the number given last before that; who was given one of the RECENT before it may not have been to be seen yet. Where
 * others come without end, nobody who hands it on is missed so many times.
 */
static void look_at_newcomers(uint64_t last, long long until, const char *self, char *scratch,
			      struct facts_wanted *wanted, struct facts_mappers *found)
{
	uint64_t from = last > RECENT ? last - RECENT : 1, now = last_number();

	for (int times = 0; last && times < TIMES && from <= now && !found->pid && !found->gave_up; times++) {
		look_at_numbers(from, now, until, self, scratch, wanted, found);
		from = now + 1;
		now = last_number();
	}
	/* They begin anew at the highest. */
	if (now < last && !found->gave_up)
		found->gave_up = ETIMEDOUT;
}

/* Every pid namespace has a process 1; with the mount option hidepid others' processes are not even listed (proc(5)). */
static bool hides_processes(void)
{
	struct stat st;
	return kernel_stat_at(AT_FDCWD, "/proc/1", 0, &st) < 0;
}

/* As that /proc counts processes: it may be another pid namespace's. "": there is none. */
static void own_number(char self[static 24])
{
	long length = kernel_readlink("/proc/self", self, 23);

	self[length > 0 ? length : 0] = 0;
}

struct looking {
	struct facts_wanted *wanted;
	struct facts_mappers *found;
};

static long look_around(void *context)
{
	const struct looking *looking = context;
	struct facts_wanted *wanted = looking->wanted;
	struct facts_mappers *found = looking->found;
	char self[24];
	char *memory = kernel_memory(FACTS_SCRATCH + DIRECTORY);
	uint64_t last = last_number();
	long fd = kernel_open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent64 *entry;
	long long until = now_ms() + LIMIT_MS;

	own_number(self);
	found->gave_up = fd == -EMFILE ? EMFILE : memory && fd >= 0 && self[0] ? 0 : ENOENT;
	struct entries entries = {.fd = (int)fd, .buffer = memory ? memory + FACTS_SCRATCH : NULL, .size = DIRECTORY};
	while (!found->gave_up && (wanted->furthest || !found->pid) && (entry = entries_next(&entries))) {
		facts_process_look(entry->d_name, self, memory, wanted, found);
		if (!found->gave_up && now_ms() > until)
			found->gave_up = ETIMEDOUT;
	}
	if (wanted->holders == HOLDERS_guarded && !found->pid && !found->gave_up)
		look_at_newcomers(last, until, self, memory, wanted, found);
	if (fd >= 0 && !found->pid && hides_processes()) {
		found->unreadable++;
		found->strangers++;
	}
	if (fd >= 0)
		kernel_close((int)fd);
	if (memory)
		kernel_memory_free(memory, FACTS_SCRATCH + DIRECTORY);
	return 0;
}

/* Its frame is none that the usual look is made from, which a handler on a small stack may need. */
static __attribute__((noinline)) void look_again(const struct facts_wanted *wanted, struct facts_mappers *found)
{
	struct facts_wanted anew = *wanted;

	*found = (struct facts_mappers){0};
	if (apart_spare(look_around, &(struct looking){&anew, found}) < 0)
		found->gave_up = EMFILE;
}

/* Where the program has no descriptor left a thread with a table of its own looks. */
static struct facts_mappers look_at_others(struct facts_wanted *wanted)
{
	struct facts_mappers found = {0};
	struct looking looking = {wanted, &found};
	const struct facts_wanted before = *wanted;

	apart_hidden(APART_NONE, look_around, &looking);
	if (found.gave_up == EMFILE)
		look_again(&before, &found);
	return found;
}

/*
 * A process that shrinks objects all the time must not look around all the time: once its looks took BURST, they take one
 * part in SHARE of its time. A policy is told each time.
 */
enum { BURST = 200000000, SHARE = 20 };

static struct facts_mappers look_within_budget(struct facts_wanted *wanted)
{
	/* When what they took will have been spared again, in nanoseconds of the monotonic clock. A child's are its own. */
	static _Atomic uint64_t spared;
	static _Atomic int32_t whose;
	bool anew = atomic_exchange(&whose, recorder_pid) != recorder_pid;
	uint64_t began = kernel_clock(CLOCK_MONOTONIC), until = anew ? 0 : atomic_load(&spared);

	if (until > began && !enforce_on)
		return (struct facts_mappers){.gave_up = EAGAIN};
	struct facts_mappers found = look_at_others(wanted);
	/* It may have been stopped meanwhile. */
	const uint64_t now = kernel_clock(CLOCK_MONOTONIC), burst = (uint64_t)BURST * SHARE,
		       most = LIMIT_MS * 1000000ull;
	uint64_t least = now > burst ? now - burst : 0, took = now - began < most ? now - began : most;
	atomic_store(&spared, (until > least ? until : least) + took * SHARE);
	return found;
}

struct facts_mappers facts_other_mappers(const struct identity *identity, uint64_t beyond)
{
	return look_within_budget(
		&(struct facts_wanted){.identity = identity, .beyond = beyond, .touched = true, .furthest = true});
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
	return use_of(identity, look_at_others(&(struct facts_wanted){.identity = identity}));
}

enum facts_use facts_use_beyond(const struct identity *identity, uint64_t beyond)
{
	return use_of(identity, look_at_others(&(struct facts_wanted){
					.identity = identity, .beyond = beyond, .touched = true, .furthest = true}));
}

enum facts_use facts_use_by_holders(const struct identity *identity)
{
	return use_of(identity, look_at_others(&(struct facts_wanted){.identity = identity, .holders = HOLDERS_all}));
}

/* As /proc/PID/maps will have it. */
static void library_name(char library[static 64])
{
	char *path = kernel_memory(PATH_MAX);
	bool real = path && place_real(AT_FDCWD, own_path(), path, PATH_MAX);
	const char *known = real ? path : own_path(), *last = strrchr(known, '/');

	if (!last || !text_append(library, 64, last))
		text_append(library, 64, "/libshmguard.so");
	if (path)
		kernel_memory_free(path, PATH_MAX);
}

enum facts_use facts_use_by_guarded(const struct identity *identity, int32_t *holder)
{
	struct facts_wanted wanted = {.identity = identity, .holders = HOLDERS_guarded};

	library_name(wanted.library);
	struct facts_mappers others = look_at_others(&wanted);
	*holder = others.pid;
	return others.pid ? FACTS_mapped : others.gave_up ? FACTS_unknown : FACTS_unused;
}

int32_t facts_user_parent(const struct identity *identity)
{
	struct facts_wanted wanted = {.identity = identity, .holders = HOLDERS_all};
	struct facts_mappers found = {0};
	char parent[24] = "", *memory = kernel_memory(FACTS_SCRATCH);

	text_append_decimal(parent, sizeof parent, (uint64_t)kernel_call(SYS_getppid, 0, 0, 0, 0, 0, 0));
	if (memory) {
		facts_process_look(parent, "", memory, &wanted, &found);
		kernel_memory_free(memory, FACTS_SCRATCH);
	}
	return found.pid;
}

bool facts_left_by_others(const struct identity *identity)
{
	enum facts_use use = facts_use_by_holders(identity);

	return use == FACTS_unused || use == FACTS_unseen;
}

static long look_inside(void *context)
{
	struct facts_wanted *wanted = context;
	char *memory = kernel_memory(FACTS_SCRATCH);
	long fd = kernel_open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);
	long use = fd == -EMFILE ? fd : FACTS_unknown;

	if (memory && fd >= 0)
		use = facts_process_maps((int)fd, memory, wanted) ? FACTS_mapped
		      : wanted->empty                             ? FACTS_unknown
								  : FACTS_unused;
	if (fd >= 0)
		kernel_close((int)fd);
	if (memory)
		kernel_memory_free(memory, FACTS_SCRATCH);
	return use;
}

static enum facts_use look_at_itself(struct facts_wanted *wanted)
{
	long use = apart_hidden(APART_NONE, look_inside, wanted);

	if (use == -EMFILE)
		use = apart_spare(look_inside, wanted);
	return use < 0 ? FACTS_unknown : (enum facts_use)use;
}

enum facts_use facts_use_by_itself(const struct identity *identity)
{
	return look_at_itself(&(struct facts_wanted){.identity = identity});
}

uint64_t facts_own_reach(const struct identity *identity, uint64_t beyond, uint64_t supposed)
{
	struct facts_wanted wanted = {.identity = identity, .beyond = beyond, .touched = true, .furthest = true};
	enum facts_use use = look_at_itself(&wanted);

	return use == FACTS_mapped ? wanted.end : use == FACTS_unused ? 0 : supposed;
}
