/* A world to which events are fed one by one, and what its processes hold. For the unit tests that include it. */
#ifndef SHMGUARD_WORLD_BY_HAND_H
#define SHMGUARD_WORLD_BY_HAND_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "analyzer/world_feed.h"
#include "analyzer/world_holdings.h"

#define PAGE 4096u
#define BASE 0x7f0000000000u
#define PIDS 1000

static int number, failures;
static struct world *world;
static uint32_t seqs[PIDS];
static int64_t now;
static int forgotten, overs, endings, renewals, misses, double_unlinks;

static inline void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static inline void on_ending(void *context, struct process *process)
{
	(void)context;
	(void)process;
	endings++;
}

static inline void on_used(void *context, struct process *process, const struct use *use)
{
	(void)context;
	(void)process;
	(void)use;
}

static inline void on_renewed(void *context, struct process *process, const struct name_state *name,
			      const struct site *site)
{
	(void)context;
	(void)process;
	(void)name;
	(void)site;
	renewals++;
}

static inline void on_missed(void *context, struct process *process, const struct name_state *name,
			     const struct site *site)
{
	(void)context;
	(void)process;
	(void)site;
	misses += name->object != NULL;
}

static inline void on_unlink_missed(void *context, struct process *process, const struct name_state *name,
				    const struct site *site)
{
	(void)context;
	(void)process;
	(void)site;
	double_unlinks += name->removed.process != NULL;
}

static inline void on_forgotten(void *context, const struct object *object)
{
	(void)context;
	(void)object;
	forgotten++;
}

/* What waits for it waits no more. */
static inline void on_over(void *context, struct object *object)
{
	(void)context;
	object->charges = 0;
	overs++;
}

static const struct watcher watcher = {.ending = on_ending,
				       .used = on_used,
				       .renewed = on_renewed,
				       .missed = on_missed,
				       .unlink_missed = on_unlink_missed,
				       .over = on_over,
				       .forgotten = on_forgotten};

struct recording;

static inline void begin_of(const struct recording *recording)
{
	memset(seqs, 0, sizeof(seqs));
	forgotten = overs = endings = renewals = misses = double_unlinks = 0;
	now = 1000;
	world = world_new(recording, &watcher);
}

static inline void begin(void)
{
	begin_of(NULL);
}

static inline void end(void)
{
	world_finish(world);
	world_free(world);
}

/* The head is filled in here; returns the event's sequence number. */
static inline uint32_t feed(enum event_id id, int pid, union any_event event)
{
	struct trace_event out = {.id = id, .time = ++now, .host = "box", .event = event};

	out.event.head.recording = 1;
	out.event.head.pid = out.event.head.tid = pid;
	out.event.head.seq = ++seqs[pid];
	if (out.event.head.stack == 0)
		out.event.head.stack = 1;
	world_take(world, &out);
	return seqs[pid];
}

#define FEED(name, pid, ...) feed(EVENT_##name, pid, (union any_event){.name = (struct name##_event){__VA_ARGS__}})

static inline void start(int pid, enum began began, int parent, uint32_t parent_seq)
{
	seqs[pid] = 0;
	FEED(process, pid, .began = (uint8_t)began, .parent = parent, .parent_seq = parent_seq, .exe = "/bin/p",
	     .argv = "p");
}

static inline void define(int pid, uint32_t id, uint64_t ino)
{
	FEED(object, pid, .id = id, .kind = KIND_shm, .dev = 25, .ino = ino, .name = "");
}

static inline void open_object(int pid, const char *name, uint32_t id, int fd, bool created)
{
	FEED(shm_open, pid, .name = name, .result = fd, .object = id, .created = created);
}

/* A process of this number that has made the object 77 as "/x", which it calls 1, and has it open as 3. */
static inline void start_maker(int pid)
{
	start(pid, BEGAN_exec, 1, 0);
	define(pid, 1, 77);
	open_object(pid, "/x", 1, 3, true);
}

/* A new world in which process 10 has made the object 77, which process 11 calls 1 as well; answers it. */
static inline const struct object *begin_shared(void)
{
	begin();
	start_maker(10);
	start(11, BEGAN_exec, 1, 0);
	define(11, 1, 77);
	return world->objects[0];
}

static inline uint32_t map_at(int pid, uint32_t id, uint64_t address, uint64_t length)
{
	return FEED(mmap, pid, .length = length, .prot = 3, .flags = MAP_SHARED, .fd = -1, .result = address,
		    .object = id, .size = length);
}

static inline uint32_t unmap(int pid, uint64_t address, uint64_t length)
{
	return FEED(munmap, pid, .addr = address, .length = length);
}

static inline const struct process *process_of(int pid)
{
	const struct process *found = NULL;

	for (size_t i = 0; i < world->process_count; i++)
		if (world->processes[i]->pid == pid)
			found = world->processes[i];
	return found;
}

static inline uint64_t bytes_of(int pid)
{
	const struct holdings *holdings = process_of(pid)->holdings;
	uint64_t bytes = 0;

	for (size_t i = 0; i < holdings->piece_count; i++)
		bytes += holdings->pieces[i].end - holdings->pieces[i].start;
	return bytes;
}

static inline uint64_t pieces_of(int pid)
{
	return process_of(pid)->holdings->piece_count;
}

static inline uint64_t outstanding(int pid)
{
	const struct tally *tally = map_get(&process_of(pid)->holdings->tallies, TALLY_mapping, 1);

	return tally ? tally->outstanding : 0;
}

#endif
