/*
 * What lies beside the trace in a recording's directory, all of it optional: recording.json, processes.jsonl, and
 * shm-before.json and shm.json, the looks at /dev/shm when the recording started and when it stopped. They say whose they are,
 * by its id.
 */
#ifndef SHMGUARD_RECORDING_H
#define SHMGUARD_RECORDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "map.h"
#include "trace_reader.h"

/* A line of processes.jsonl. What a type does not have is 0 or NULL. */
enum line_type {
	LINE_start,
	LINE_fork,
	LINE_loaded,
	LINE_exec,
	LINE_exec_failed,
	LINE_spawn,
	LINE_end,
	LINE_leave,
	LINE_blind,
	LINE_reaped,
	LINE_unseen,
	LINE_holds,
	LINE_closes,
	LINE_TYPE_COUNT
};

struct line {
	enum line_type type;
	uint32_t recording; /* the id of the part that it is of; 0: there are none */
	pid_t pid, ppid;
	pid_t child; /* spawn, end: of whom it tells */
	uid_t uid;
	int status;   /* end, reaped: of wait(2); leave: of exit(3); closes: the descriptor */
	int64_t time; /* nanoseconds since 1970 */
	char *exe;    /* start, fork, unseen */
	char *argv;   /* start */
	char *holds;  /* holds: as in the note */
	char *reason; /* unseen, blind */
};

/* One of what a process began with, as `holds` has them. */
struct line_held {
	uint64_t fd, dev, ino;
};

/* A mapping of a process, as it was from one look at smaps to the last (usage.h); amounts are the largest seen. */
struct usage {
	pid_t pid;
	int64_t from, until; /* nanoseconds since 1970 */
	uint64_t dev, ino;
	uint64_t length, page, rss, referenced, huge, swap, locked;
	int64_t cpu; /* nanoseconds that the process computed meanwhile */
	bool wants_huge, refuses_huge;
	uint64_t memlock; /* its RLIMIT_MEMLOCK; UINT64_MAX: none */
	/* As of huge_pages_describe(); NULL where they were not asked for. */
	uint64_t pool;
	char *thp, *mount;
};

/* An object that had a name in /dev/shm when the look was taken. */
struct leftover {
	char *name;
	uint64_t dev, ino;
	uint64_t size, blocks; /* bytes */
	uint64_t links;        /* names that it had; 0: not told */
	mode_t mode;
	uid_t uid;
	pid_t *holders; /* processes that had it open or mapped, traced or not */
	size_t holder_count;
	bool holders_complete; /* every process could be looked at */
	bool data;             /* it may be a secret by the policy, and holds a byte that is not zero */
};

/* How /dev/shm is mounted, and its directory. */
struct shm_mount {
	bool known;
	bool nosuid, nodev, noexec;
	uint64_t size, free; /* bytes; size 0: without limit */
	mode_t mode;
	uid_t uid;
};

struct recording {
	bool described;    /* there is a recording.json */
	bool newest;       /* only the newest of the calls were kept: --max-size, --snapshot-on */
	bool lets_go;      /* they were, or those of one that shares its objects */
	bool emptied;      /* none were, as there was no error: --snapshot-on */
	bool turns;        /* the first use of means to take turns (event `sync`) was recorded */
	bool holds;        /* what descriptors an image began with was noted */
	bool looked;       /* there is a shm.json */
	int64_t looked_at; /* nanoseconds since 1970 */
	bool looked_first; /* there is a shm-before.json */
	bool unlooked;     /* there never was, and the problems say why */
	uint32_t id;       /* 0: unknown */
	char *host;
	char *boot;    /* of the kernel that it was made under: random(4); NULL: not known */
	int64_t clock; /* nanoseconds since 1970 when CLOCK_MONOTONIC was 0, as the clocks were at its start; 0: unknown */
	char **command; /* NULL-terminated */
	char *cwd;
	uint64_t stream_bytes;  /* of the trace, when it ended; not described: of what is there; 0: unknown */
	uint64_t line_bytes;    /* of processes.jsonl, likewise */
	bool lines_gone;        /* of processes.jsonl: how a process ended may have been among them */
	int64_t started, ended; /* nanoseconds since 1970; 0: unknown */
	int64_t gone; /* nanoseconds since 1970: when LTTng's daemons ended, and programs went on; 0: they did not */
	pid_t command_pid;
	int command_status; /* of wait(2) */
	bool command_ended;
	uint64_t oom_kills; /* for want of memory in run's memory cgroup while it recorded */
	char **problems;
	size_t problem_count;
	struct line *lines; /* in the order of time */
	size_t line_count;
	struct usage *usages;
	size_t usage_count;
	uint64_t device;  /* of /dev/shm; 0: unknown */
	char *filesystem; /* the id that its kernel gave it, as no other one; NULL: unknown */
	struct leftover *leftovers;
	size_t leftover_count;
	struct leftover *before; /* what was there when the recording started */
	size_t before_count;
	struct map leftover_at, before_at; /* (device, inode) -> the entry there */
	uid_t user;                        /* who recorded */
	struct shm_mount mount;
	json_t *secrets; /* as of secrets_describe(), or NULL */
	char *dir;
	const struct recording
		*ground; /* the first part that it shares objects with, maybe itself; NULL: it shares none */
	/* A part that is not described: what its trace tells instead. */
	uint32_t *others; /* the ids that its events have, but for `id`, and of which no other part is */
	size_t other_count;
	int64_t first, last; /* time of its events, nanoseconds since 1970 */
	/* Recordings below this directory, which is none itself; their lines are in `lines`, their problems in `problems`. */
	struct recording **parts;
	size_t part_count;
	struct trace_owner *owners; /* where they lie */
	size_t owner_count;
};

/*
 * A file that is absent is no error, and one that is damaged or may not be read is a problem of the recording. NULL where one
 * is of another version, and *error one line to be freed.
 */
struct recording *recording_read(const char *dir, char **error);
/* The same, whatever lies in directories below. */
struct recording *recording_read_one(const char *dir, char **error);
/* Where the trace of the recording in `dir` lies, DIR/trace, or DIR itself of a bare trace; to be freed. */
char *recording_trace(const char *dir);
/* That nothing beside a trace tells of it, and what is not known therefore; to be freed. */
char *recording_bare(const char *dir);
/* The part that has this id; without such a one the whole. */
const struct recording *recording_part(const struct recording *whole, uint32_t id);
/* The part number `index`, those that are described first; the whole itself where it has none; NULL behind the last. */
const struct recording *recording_each(const struct recording *whole, size_t index);
/*
 * Whether a device, inode or name is the same thing in both: one kernel made them, of one /dev/shm, whatever the machine was
 * called and whenever they were.
 */
bool recording_shares(const struct recording *a, const struct recording *b);
/* Whether its look at the end was later, or there was none as it did not end. */
bool recording_outlasts(const struct recording *recording, const struct recording *other);
/* Whether there are several, so that it has to be told of which one something is. */
bool recording_is_several(const struct recording *recording);
/* What is to be read of the trace. */
struct trace_scope recording_scope(const struct recording *recording);
/* What was left of the object when the recording stopped, or NULL. */
const struct leftover *recording_leftover(const struct recording *recording, uint64_t dev, uint64_t ino);
/* Another name of the same, a hard link; NULL: none follows. */
const struct leftover *recording_leftover_next(const struct recording *recording, const struct leftover *leftover);
/* What it was when the recording started, or NULL. */
const struct leftover *recording_before(const struct recording *recording, uint64_t dev, uint64_t ino);
/* The next one of `holds`, of which *at is the rest then; false: there is none. */
bool line_held(const char **at, struct line_held *held);
/* Takes the text, one line. */
void recording_problem(struct recording *recording, char *text);
void recording_free(struct recording *recording);

#endif
