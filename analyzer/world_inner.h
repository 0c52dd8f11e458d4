/* What the parts of the model share. Nothing here is for the judges or the reports. */
#ifndef SHMGUARD_WORLD_INNER_H
#define SHMGUARD_WORLD_INNER_H

#include "map.h"
#include "world.h"
#include "world_feed.h"

/* Threads tell their events in another order than they numbered them, by less than this. */
#define NUMBERS_DISORDER 1024

/* A process that said it exits but may have threads that still work; it is over a moment later at the latest. */
#define LEAVING_TIME 1000000000

struct world_private {
	struct map current;       /* (host and recording, pid) -> struct process */
	struct map images;        /* (pid) -> how many images had it, for the ids */
	struct map objects;       /* (device, inode) -> struct object */
	struct map names;         /* (hash of the text) -> struct name_state */
	struct map texts;         /* (hash) -> struct text */
	const char *latest_host;  /* of an event, or NULL */
	struct map modules;       /* (path, build id) -> struct module */
	struct map stacks;        /* (identity) -> struct stack */
	struct process **leaving; /* in the order of time; the first `left` are done */
	size_t leaving_count, left;
	struct process *over_first, *over_last; /* those with remains, oldest first */
	size_t remains_size;
	struct holdings *nothing; /* what the retired hold, all of them */
	uint64_t overs;           /* processes */
	uint64_t retire_at;
	uint64_t objects_made;
	uint64_t definitions;      /* of objects, taken */
	struct mentions *mentions; /* or NULL */
	size_t sweep_at;           /* objects */
	struct object *spare;      /* by `same` */
	size_t objects_listed;     /* world->objects and, after the end, those behind them that were merged */
	struct name_state *removed_first, *removed_last; /* names that lead nowhere, oldest first */
	size_t removed_count;
	const struct recording *recording;
	size_t next_line;
	bool settled;
	const struct watcher *watcher;
};

/* world_process.c */
struct process *process_latest(const struct world *world, const struct trace_event *event); /* it is known */
struct process *process_of_event(struct world *world, const struct trace_event *event);
void process_announce(struct world *world, struct process *process, const struct trace_event *event);
void process_leave(struct world *world, struct process *process, int status, int64_t time);
void process_died(struct world *world, const char *host, uint32_t recording, pid_t pid, int status, int64_t time);
void process_sweep(struct world *world, int64_t now);
void process_settle(struct world *world);
void process_finish(struct world *world);

/* world_lines.c */
void process_lines_until(struct world *world, int64_t time);

/* world_remains.c: the process is over, and what it held stays known for a while. */
void remains_keep(struct world *world, struct process *process);
/* What it holds, or held when it was over; NULL: that is not known any more, or was nothing. */
const struct holdings *remains_of(const struct process *process);
void remains_free(struct world *world);

/* world_numbers.c: an event of that number, `call`: which may be let go; all of them were seen. */
void numbers_count(struct process *process, uint32_t seq, int64_t time, bool call);
void numbers_finish(struct world *world, struct process *process);

/* world_holes.c: its events were counted up to this one. */
void holes_note(struct process *process, int64_t time, bool call);
/* Nothing more is to come: what it holds at its end is what is known. */
void holes_end(struct process *process);

/* world_object.c: by the id of a process; made when unknown. NULL for id 0. Follow object_real() after any wait. */
struct object *object_of(struct world *world, struct process *process, uint32_t id);
void object_define(struct world *world, struct process *process, const struct object_event *event);
/*
 * `sure`: made with O_EXCL. Without it two that open at one time both found nothing there before, and tell that they made it:
 * false, of what is there already.
 */
bool object_note_created(struct world *world, struct process *process, uint32_t id, bool sure, const struct site *site);
/* It is forgotten: the next new one takes its place. */
void object_free(struct world *world, struct object *object);
void objects_free(struct world *world);

/* world_object_end.c: merged ones go behind the others; then, when it is known what was let go, the looks are asked. */
void object_finish(struct world *world);
void object_settle(struct world *world);

/* world_sizes.c: an object's size, as calls changed it and as they found it. object may be NULL. */
void sizes_change(struct world *world, struct object *object, const struct change *change);
void sizes_seen(struct world *world, struct object *object, uint64_t size, const struct site *site);
/*
 * A shrinking is told of before it happens, and a look after it was taken, at an image's first call long after: one that found
 * the object as it was before a resizing may have its place in the trace behind that.
 */
bool sizes_outdated(const struct object *object, uint64_t size, int64_t time);
/*
 * A growth is told of after it happened, a shrinking before: where two processes resize an object at one time, and it is
 * found to have the size of the first that was told, that was the last to happen. Whether it was so.
 */
bool sizes_found_order(struct object *object, uint64_t size);
/* One more of its lapses, the latest. */
void sizes_lapse(struct object *object, const struct lapse *lapse);
/* Of a call that was let go, maybe: only the model's idea of the size is set. */
void sizes_told(struct object *object, uint64_t size, int64_t time);
/* What the finding tells of a resizing whose own event is missing, as it was let go or lost. */
void sizes_found(struct world *world, struct object *object, const struct finding_event *e, const struct site *site);
void sizes_undo(const struct process *process, struct object *object, uint32_t seq);

/* world_retire.c */
void world_retire(struct world *world);
/* An event of it comes, retired or not: what it holds from now on is its own. */
void retire_not(const struct world *world, struct process *process);

/* world_sweep.c */
void world_sweep(struct world *world);

/* world_names.c */
/* Was the object's last name removed, and did it have this one? */
bool names_lost(const struct object *object, const char *name);
/* True: it lost the name before this was told. */
bool names_open(struct world *world, struct process *process, const char *name, bool semaphore, struct object *object,
		bool created, const struct site *site);
void names_open_failed(struct world *world, struct process *process, const char *name, bool semaphore, int error,
		       const struct site *site);
/* What an unlink changed, so that it can be taken back. */
struct name_change {
	struct name_state *state;
	struct object *object;
	struct site before; /* object's `unlinked` before */
	struct site state_before;
	char *text; /* as the program gave it; owned */
	struct site site;
	bool semaphore;
	bool unseen; /* nobody looked which object it is */
};
struct name_change names_unlink(struct world *world, struct process *process, const char *name, bool semaphore,
				struct object *object, const struct site *site);
void names_unlink_failed(struct world *world, struct process *process, struct name_change *change, int error);
/* The same of nobody knows which object: of the one that has the name or, if none has, that its maker is to tell of yet. */
struct name_change names_unlink_unseen(struct world *world, struct process *process, const char *name, bool semaphore,
				       const struct site *site);
/* Somebody made an object of that name, and nobody knows which: it was removed before its maker could look. */
void names_made_unseen(struct world *world, const char *name, bool semaphore, const struct site *site);
/* What was made so shortly before that who took the name from it may not have seen it; NULL: none. */
struct object *names_just_made(const struct world *world, const char *name, const struct site *site);
/* Does the name lead to `after`? Or has `seen` lost it, and `after` had it, or is nothing told of that but a look? */
bool names_is_next(const struct world *world, const char *name, const struct object *seen, const struct object *after,
		   const struct site *site);
/* What the name leads to; NULL: nothing, or nobody told. */
struct object *names_leads(const struct world *world, const char *name, const struct site *site);
/*
 * It is told to lose a name: if nobody told that it got it, who gave it tells later, and then it is lost already. What had the
 * name before has lost it as well.
 */
void names_lost_early(const struct world *world, const char *name, struct object *object, const struct site *site);
bool names_is_lost_early(const struct world *world, const struct object *object, const char *name,
			 const struct site *site);
/* It lost the name to another; what the name leads to by now is another thing. */
void names_replaced(const struct world *world, const char *name, struct object *object, const struct site *site);
/* The name was given to another object: whoever had it before has lost it, though nobody told of that one yet. */
void names_replaced_unseen(struct world *world, const char *name, const struct site *site);
void names_link(struct world *world, const char *name, struct object *object, const struct site *site);
/* The same by a link, which is told late: it may have lost the name by now, to who told that earlier. */
void names_linked(struct world *world, const char *name, struct object *object, const struct site *site);
/* What lies below a directory, or below either of the two, has other names. */
void names_directory_renamed(struct world *world, struct process *process, const char *from, const char *to,
			     bool exchanged, const struct site *site);
/* The name in an object's definition: one it has if nothing else told of any. */
void names_defined(struct object *object, const char *name, int64_t time);
/* The call that made it chose the end of this name. */
void names_made_at_random(struct object *object, const char *text);
void names_add(struct object *object, const char *text, int64_t time);

/* world_names_states.c */
void names_free(struct world *world);

#endif
