/*
 * The model: what the trace says about hosts, processes, objects, their names, descriptors and mappings. It owns all
 * that it hands out; every pointer is valid until world_free(). Times are nanoseconds since 1970, sizes bytes. Texts are
 * bytes as the program gave them: escape before printing.
 */
#ifndef SHMGUARD_WORLD_H
#define SHMGUARD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracepoints/events.h"

struct trace_event;
struct recording;
struct holdings;    /* world_holdings.h */
struct definitions; /* world_stacks.h */

/* A file that processes had loaded; one for each (path, build_id). */
struct module {
	const char *path;
	const char *build_id; /* hexadecimal, or "" */
};

struct frame {
	const struct module *module; /* NULL: no module known at that address */
	uint64_t offset; /* address - load bias, the ELF virtual address; the address itself without module */
};

/* A call stack, innermost frame first; addresses are return addresses. Equal stacks are one. */
struct stack {
	uint64_t identity; /* from module names, build ids and offsets: the same in every run */
	size_t count;
	const struct frame *frames;
	bool cut; /* it has as many as are recorded: there may have been more, further out */
};

enum ended {
	ENDED_exit,
	ENDED_signal,
	ENDED_exec,    /* the process lives on with another image, its `next` */
	ENDED_unknown, /* nothing in the trace tells */
	ENDED_running, /* when the recording stopped */
};

/*
 * Events that were let go between two calls of a process that are kept: each processor keeps its own newest, and one that a
 * process has left keeps what is older than all that it lets go elsewhere.
 */
struct hole {
	int64_t since;    /* its latest call before; 0: there is none */
	int64_t until;    /* its first event behind */
	uint64_t missing; /* up to there, those of earlier holes counted in */
	uint32_t seq;     /* of the first event behind */
};

/* One image of one process: pid reuse and exec make a new one. */
struct process {
	char id[24]; /* unique in the trace */
	const char *host;
	const struct recording *recording; /* the part that it is of; NULL: the world was made without one */
	uint64_t place;                    /* equal numbers: one recording, or ones that share their objects */
	pid_t pid, ppid;
	struct process *parent;          /* who forked or spawned it, NULL: not in the trace */
	struct process *elsewhere;       /* its parent in another recording that shares its objects; NULL: none known */
	struct process *previous, *next; /* images before and after an exec */
	const char *exe, *argv;          /* "" if unknown */
	uid_t uid, euid;
	gid_t gid;
	uint64_t mount_namespace, ipc_namespace;
	bool traced;      /* it has events; the others are known from processes.jsonl only */
	bool loaded;      /* LTTng came up in it, for its first event */
	bool announced;   /* its `process` event was seen */
	bool takes_turns; /* it made or used a lock, semaphore or futex that other processes can use */
	enum began began;
	enum ended ended;
	int status;                 /* ENDED_exit: exit status */
	int signal;                 /* ENDED_signal */
	int64_t began_at, ended_at; /* 0: unknown */
	uint32_t parent_seq;
	uint64_t events;      /* seen */
	uint64_t lost;        /* by the gaps in the sequence numbers, and by its own account */
	uint64_t misnumbered; /* have a number that cannot be theirs */
	uint64_t let_go;      /* on purpose: older than what the recording keeps */
	int64_t kept_from;    /* time of its first call that is kept; 0: there is none */
	int64_t whole_from;   /* of its first event behind the last one that is missing; 0: none is */
	int64_t whole_until;  /* of its last event before the first one that is missing; 0: that is its first */
	struct hole *holes;   /* of a recording that keeps the newest calls: where some were let go, oldest first */
	size_t hole_count;

	/* For world*.c only. */
	const struct watcher *watcher; /* of its world */
	uint32_t top_seq;
	uint64_t missing; /* of the events up to top_seq */
	uint64_t told_lost;
	int64_t seen_at;     /* its latest event */
	int64_t called_at;   /* its latest call; 0: none yet */
	bool hole_open;      /* no call came since the latest hole */
	size_t holes_heeded; /* what it held at them is in doubt */
	uint64_t unwritten;  /* numbers that are missing for what no call was: see world_holes.c */
	struct leap {
		uint32_t seq; /* 0: none */
		int64_t before, time;
		bool call;
	} leap;               /* its latest event has a number far beyond those before it */
	bool leaving;         /* its exit event was seen, its end was not */
	bool left_in_handler; /* it ended itself in a signal handler, after a SIGBUS */
	bool over;
	uint64_t over_nth; /* of all that are over */
	bool kept;         /* for world_retire.c: somebody alive may have inherited from it */
	bool retiring;
	bool retired; /* nothing comes of it any more, and its stacks are what they will be */
	struct definitions *definitions;
	struct holdings *holdings;
	struct holdings *remains;  /* what it held when it was over; NULL: nothing, or it is forgotten */
	struct process *over_next; /* the next one that left something */
};

/* Who did something, when and where in the code. */
struct site {
	const struct process *process; /* NULL: not in the trace */
	uint32_t stack_id;             /* for world_stack() */
	int32_t tid;                   /* of its thread */
	int64_t time;
};

struct name {
	const char *text;    /* as first given: "/x" of shm_open, a path otherwise */
	int64_t from, until; /* until 0: it still leads to the object */
	int64_t seen;        /* when it last was known to lead there */
	bool told;           /* somebody told that the object got it; false: it was only seen there */
	bool taken;          /* somebody told that the object lost it; false: another was found to have it */
	bool early;          /* that was told when nothing of its getting it was */
	bool random;         /* it was told by a call that chose its last six characters */
};

/* So many changes of an object are known: of one that is resized over and over the latest matter. */
#define CHANGES_MAX 32

/* What befell an object's size or contents. */
enum change_of {
	CHANGE_resized,   /* ftruncate, truncate, fallocate */
	CHANGE_truncated, /* opened with O_TRUNC */
	CHANGE_punched,   /* [offset, offset + length) lost its pages */
	CHANGE_refused,   /* a resize to `after` bytes failed */
	CHANGE_seen,      /* nobody in the trace did it: the process noticed at a call */
};

struct change {
	enum change_of of;
	uint64_t before, after; /* bytes, of the object */
	uint64_t offset, length;
	int error; /* refused */
	uint32_t seq;
	bool told; /* by what was found at the call, whose own event is missing: it was made before site.time */
	struct site site;
};

/* Of so many times each is known; of more the oldest are one, with what lies between them. */
#define LAPSES_MAX 32

/* When an object's size was not known: it became another one then, and nobody in the trace did it. */
struct lapse {
	int64_t from;        /* when it was known last */
	int64_t until;       /* when it was found; INT64_MAX: by the look at the end; 0: there is none */
	uint64_t was, found; /* bytes */
};

#define WRITERS_MAX 4
#define RIVALS_MAX 16

struct rivals {
	struct site of[2]; /* in the order of time */
};

/* So many of the recordings that share an object are named. */
#define TELLERS_MAX 4

/* A piece of memory with a device and inode; inode reuse makes a new one. */
struct object {
	/* What a sweep asks of each comes first, and so lies together in the processor's cache. */
	uint64_t number;    /* unique in the trace */
	struct name *names; /* in the order they were given */
	size_t name_count;
	enum kind kind;
	unsigned charges;    /* findings of it that still wait for what happens to it */
	unsigned merged;     /* for world*.c only: how many others turned out to be this one */
	struct object *same; /* for world*.c only: it turned out to be this one */
	bool marked;         /* for world*.c only */
	bool touched;        /* a call on it is in the trace, not its definition alone */
	bool kind_known;
	bool defined; /* false: its definition is lost, or still to come, and device, inode, mode and owner are not known */
	const struct recording *recording; /* of those whose processes told of it the one that looked last */
	const char *host;
	const struct recording *tellers[TELLERS_MAX]; /* those, in the order of time; the latest may be left out */
	unsigned teller_count;                        /* more than that: some are */
	uint64_t dev, ino;
	uint64_t size; /* last known */
	uint64_t size_max;
	int64_t sized; /* time of what told of `size` last */
	bool unsized;  /* nothing told of it, or calls were let go since, and nobody knows what they made of it */
	uint32_t mode;
	uid_t uid;
	gid_t gid;
	struct site created;          /* process NULL: it was there before, or was made by a process not traced */
	struct site told;             /* the same, by what was found at that call, which is not in the trace itself */
	const struct process *finder; /* the first that told of it */
	struct site unlinked;         /* the removal of its last name, process NULL: it has one */
	bool presumed;                /* who removed it had not seen that it was this one */
	bool contended;               /* several changed one of its names at one time, in an order that is not known */
	struct site mapped;           /* the first mapping seen */
	struct site writers[WRITERS_MAX]; /* the latest writable mappings, shared, each of another process or place */
	struct rivals *rivals;            /* of those, pairs of processes that had them at one time */
	size_t rival_count;
	struct change *changes; /* the latest, oldest first */
	size_t change_count;
	struct lapse *lapses; /* oldest first */
	size_t lapse_count;
	bool shared;        /* it was mapped MAP_SHARED, or is a semaphore in use */
	bool leaked;        /* set by segment-leak */
	bool asked;         /* a process that the reader asked for uses it */
	bool held;          /* when the trace ended, by a process that had not */
	uint64_t mappers;   /* mappings of it alive at this moment of the trace */
	uint64_t openers;   /* descriptors of it open at this moment of the trace */
	uint64_t maps;      /* mappings ever made */
	uint64_t attachers; /* processes that opened or mapped it */
	uint64_t told_of;   /* for world*.c only: the number, of all definitions, of its latest one */
};

struct world {
	struct process **processes;
	size_t process_count;
	struct object **objects;
	size_t object_count;
	uint64_t objects_forgotten; /* over before the trace ended, and left out of `objects`: there were too many */
	struct lapse forgotten;     /* from the first to the last of their lapses */
	const char **hosts;
	size_t host_count;
	uint64_t lost, let_go, misnumbered; /* events, over all processes */
	int64_t now;                        /* time of the latest event */
	struct world_private *private;
};

/* For maps: by its id, which is the same whenever the recording is read. */
uint64_t process_key(const struct process *process);
/* Whether its recording keeps the newest calls alone. */
bool process_keeps_newest(const struct process *process);
/* Whether LTTng's daemons ended before it did: how many of its last events are missing is not known. */
bool process_is_cut_off(const struct process *process);
/* Whether events of it are missing, lost or let go, by the numbers of those read so far. */
bool process_lacks_events(const struct process *process);
/* How many events are missing there, at the hole number `nth`. */
uint64_t hole_size(const struct process *process, size_t nth);

/* One copy of each text, as long as the world. */
const char *world_intern(struct world *world, const char *text);

/* NULL when the trace holds no such stack. Complete only once the whole trace was read. */
const struct stack *world_stack(struct world *world, const struct process *process, uint32_t stack_id);

/* The order of their modules' names and places, innermost first, which another run has as well; none, NULL, is the last. */
int stack_compare(const struct stack *a, const struct stack *b);

/* Every stack that a process defined; after the whole trace was read. */
void world_each_stack(struct world *world, void (*take)(void *context, const struct stack *stack), void *context);

/* The one that it turned out to be, as its definition came late; NULL of NULL. */
struct object *object_real(const struct object *object);
/* The name to call an object by: of those that it has the first, else the one that it had last; NULL: it never had any. */
const char *object_name(const struct object *object);
/* Has it any name at this moment of the trace, or this one? */
bool object_has_name(const struct object *object);
bool object_is_called(const struct object *object, const char *text);

/* mkstemp(3) and its like, but for those that put a suffix behind, of which no event tells how long it is. */
bool call_ends_at_random(enum symbol symbol);
/* Did such a call choose the last six characters of the name, which it has or had? */
bool object_is_called_at_random(const struct object *object, const char *text);

/* The one spelling of a name, for all that lead there; for free(3). */
char *name_canonical(const char *name, bool semaphore);
/* A path of /proc, by which an object is reached that need not have any name. */
bool name_is_way(const char *path);

/* How it is called where a text is wanted: "o" and its number. */
struct object_id {
	char text[24];
};
struct object_id object_id(const struct object *object);

/* The word for its kind, or NULL: not known. */
const char *object_kind(const struct object *object);

/*
 * Only its definition is known, because the calls on it were let go and no look tells of it: nobody can say whether it
 * is still there, nor how large it is.
 */
bool object_is_hearsay(const struct object *object);
/* The first that it has in /dev/shm itself, where the looks at the recording's beginning and end go; NULL: none. */
const char *object_name_in_shm(const struct object *object);
/* It has one when the trace ends, and the look after that did not find it: who removed it was not recorded. */
bool object_is_vanished(const struct object *object);

/* What the look at the end found of it; NULL: nothing, or it is of no recording. */
const struct leftover *object_leftover(const struct object *object);
/* What the look at the start found that is of the first recording to tell of it; NULL likewise. */
const struct leftover *object_before(const struct object *object);
/* The one that the process, or a recording that shares its objects, knows by these numbers now; NULL: none. */
struct object *object_at(const struct world *world, const struct process *process, uint64_t dev, uint64_t ino);

/* When the last call was that was let go, of whatever process of the recording; 0: none was. After the whole trace was read. */
int64_t world_let_go_until(const struct world *world, const struct recording *recording);
/* The same of all recordings that share its objects. */
int64_t object_let_go_until(const struct world *world, const struct recording *recording);

/* Where an object comes from. */
enum origin {
	ORIGIN_traced,     /* its creation is in the trace */
	ORIGIN_before,     /* it was there when the recording started */
	ORIGIN_unrecorded, /* it was not; the call that made it is lost, or was of a process that was not recorded */
	ORIGIN_unknown,    /* nothing tells */
};
enum origin object_origin(const struct object *object);

const char *ended_name(enum ended ended);

#endif
