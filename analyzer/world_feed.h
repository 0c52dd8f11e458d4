/* How the model is made: fed with events in the order of time, telling a watcher at moments that cannot be seen later. */
#ifndef SHMGUARD_WORLD_FEED_H
#define SHMGUARD_WORLD_FEED_H

#include "mentions.h"
#include "recording.h"
#include "trace_reader.h"
#include "world.h"

/* What a name led and leads to. */
struct name_state {
	struct object *object; /* it leads there, NULL: nowhere */
	struct object *former; /* it led there before */
	struct site named;     /* who made it lead there */
	struct site removed;   /* who removed it last, process NULL: nobody in the trace */
	struct site untold;    /* who made what was gone before its maker knew it, process NULL: nobody */
	struct site changed;   /* the latest change of what it leads to, or leads to no more */
	struct site owed;      /* who took it from what nobody had told of yet, process NULL: nobody */

	/* For world_names_states.c only. */
	uint64_t place;                   /* of struct process */
	struct name_state *chain;         /* with the same hash */
	struct name_state *older, *newer; /* among the removed */
	bool queued;

	char text[]; /* "/x" for an object in /dev/shm, else as the program gave it */
};

struct use;
struct tally;

struct watcher {
	void *context;
	/* The process or its image ends at ended_at; its holdings are still there. */
	void (*ending)(void *context, struct process *process);
	/* A process is done with an object: it ends, or the object does. */
	void (*used)(void *context, struct process *process, const struct use *use);
	/* `name` was opened and now leads to name->object, another one than before, name->former; NULL: it is forgotten. */
	void (*renewed)(void *context, struct process *process, const struct name_state *name, const struct site *site);
	/* ENOENT from opening a name that the trace knows. */
	void (*missed)(void *context, struct process *process, const struct name_state *name, const struct site *site);
	/* ENOENT from removing a name that the trace knows. */
	void (*unlink_missed)(void *context, struct process *process, const struct name_state *name,
			      const struct site *site);
	/* A rule was broken, or a SIGBUS came, by the call or the instruction at `site`; object: NULL if it concerns none. */
	void (*found)(void *context, struct process *process, struct object *object, const struct finding_event *event,
		      const struct site *site);
	void (*fault)(void *context, struct process *process, struct object *object, const struct fault_event *event,
		      const struct site *site);
	/* The object has another size now, or lost pages. */
	void (*changed)(void *context, struct object *object, const struct change *change);
	/*
	 * Of an object with `charges`: the process gave up mappings, or moved or closed them; what it maps it may touch up
	 * to `limit` (bytes).
	 */
	void (*trimmed)(void *context, struct process *process, struct object *object, const struct site *site,
			uint64_t limit);
	/* Its event number `of` did not happen: the call failed. */
	void (*undone)(void *context, struct process *process, uint32_t of);
	/* Of an object with `charges`: it has no name any more, and nobody maps it or has it open. */
	void (*over)(void *context, struct object *object);
	/* Objects that a finding tells of, to be kept: `concern` is to be called for each of them; NULL is none. */
	void (*concern)(void *context, void (*concern)(struct object *object));
	/* Processes are `retired` now that were not. */
	void (*retired)(void *context);
	/* Of what the process gave up, counted by place: equal answers are counted together. NULL: all are. */
	uint64_t (*part)(void *context, const struct process *process, const struct tally *tally,
			 const struct object *object);
	/* The object is about to be freed: it was over, and no finding tells of it. */
	void (*forgotten)(void *context, const struct object *object);
};

struct world *world_new(const struct recording *recording, const struct watcher *watcher);
/* Only of these objects more is to come than their definition; they are freed with the world. NULL: that is not known. */
void world_expect(struct world *world, struct mentions *mentions);
void world_take(struct world *world, const struct trace_event *event);
/* It is to stay as it is at `time`, before which no event comes any more; who said that it exits is taken at its word. */
void world_stand(struct world *world, int64_t time);
/* After the last event: sums are made, and who did not end still holds what it holds. */
void world_settle(struct world *world);
/* The same, and processes that did not end are judged as they stand. */
void world_finish(struct world *world);
void world_free(struct world *world);

/* The image that has this pid where `process` runs; NULL: not in the trace. */
const struct process *world_process(const struct world *world, const struct process *process, pid_t pid);

#endif
