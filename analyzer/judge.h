/*
 * The judges: rules that need the whole trace, and what processes found at their calls. Each looks at the world at the
 * moments it asks for and adds findings.
 */
#ifndef SHMGUARD_JUDGE_H
#define SHMGUARD_JUDGE_H

#include "findings.h"
#include "map.h"
#include "recording.h"
#include "world_feed.h"
#include "world_holdings.h"

struct court {
	struct world *world;
	const struct recording *recording;
	struct findings *findings;
	const struct sieve *sieve; /* or NULL */
	struct map *verdicts;      /* for verdicts_of(); NULL: nobody asks, and they would grow with the trace */
	const int64_t *start;      /* of the recording, nanoseconds since 1970 */
	bool doubtful;             /* events are missing that no process's numbers account for */
	bool cut;                  /* the reading ended before the trace did */
	struct map lengths;        /* for judge_length: (object) -> struct length */
	struct map vanished;       /* for judge_name: (object) that was told of */
	struct map strangers;      /* for judge_lifetime: (process) -> struct stranger, its latest */
	struct {
		struct map by_object, by_process; /* () -> struct dockets */
		struct map by_both;               /* (object, process) -> struct docket */
	} dockets;                                /* for judge_size */
	struct misses {
		struct map by_name; /* (process, hash of the name) -> struct miss, the latest */
		struct miss *oldest, *newest;
		size_t count;
	} misses;                            /* for judge_unlink */
	struct map doubts;                   /* for judge_permission: (object) -> struct doubt, the latest */
	struct map secrets;                  /* for judge_secret */
	struct map blows;                    /* for judge_fault: (process) -> struct blow, the latest */
	struct fall *first_fall, *last_fall; /* for judge_fault: the processes that ended with one */
	struct pending **pending;            /* findings made while the trace was read; NULL: handed in */
	size_t pending_count;
	struct map places; /* (process, stack id and rule) -> the latest of pending there, 1 for the first */
};

/* NULL: the judge does not care. */
struct judge {
	void (*ending)(struct court *court, struct process *process);
	void (*used)(struct court *court, struct process *process, const struct use *use);
	void (*renewed)(struct court *court, struct process *process, const struct name_state *name,
			const struct site *site);
	void (*missed)(struct court *court, struct process *process, const struct name_state *name,
		       const struct site *site);
	void (*unlink_missed)(struct court *court, struct process *process, const struct name_state *name,
			      const struct site *site);
	void (*found)(struct court *court, struct process *process, struct object *object,
		      const struct finding_event *event, const struct site *site);
	void (*fault)(struct court *court, struct process *process, struct object *object,
		      const struct fault_event *event, const struct site *site);
	void (*changed)(struct court *court, struct object *object, const struct change *change);
	void (*trimmed)(struct court *court, struct process *process, struct object *object, const struct site *site,
			uint64_t limit);
	void (*undone)(struct court *court, struct process *process, uint32_t of);
	void (*over)(struct court *court, struct object *object);
	void (*forgotten)(struct court *court, const struct object *object);
	void (*finish)(struct court *court);
};

/* judge_use.c: what it makes of an object that a place made, or mapped, and gave up. */
uint64_t churn_part(void *court, const struct process *process, const struct tally *tally, const struct object *object);

extern const struct judge judge_segment, judge_mapping, judge_descriptor, judge_partial, judge_unlink, judge_name,
	judge_split, judge_churn, judge_length, judge_fault, judge_oom, judge_size, judge_permission, judge_zeroing,
	judge_lifetime, judge_start, judge_secret, judge_sharing, judge_memory;

/* judge_use.c */
struct length;
void length_free(struct length *length);

/* judge.c */
void court_watch(struct court *court, struct watcher *watcher);
void court_finish(struct court *court);
void court_free(struct court *court);

/*
 * Adds a finding whose stacks are those of the sites, in this order; a site without process ends them. The process is
 * the first site's. Takes over `message`.
 */
struct role {
	const char *role;
	struct site site;
};
size_t court_find(struct court *court, const struct finding *finding, const struct role *roles, size_t count);
/*
 * The same for what may be found at every call: `say` makes the message, a new text, only where it is this occurrence that
 * is told of its place.
 */
struct words {
	char *(*say)(const void *of);
	const void *of;
};
size_t court_find_often(struct court *court, const struct finding *finding, const struct role *roles, size_t count,
			const struct words *words);
/* What the sieve makes of an occurrence of it with these roles. */
void court_sift(const struct court *court, struct finding *finding, const struct role *roles, size_t count);

/*
 * judge_parts.c: of what a rule counts by its place, the parts that the sieve tells apart; without one it is all one. Each
 * is a finding without a message, of the latest object. What has a count of 0 adds its bytes alone; a part of nothing else
 * has none either. All zero is none.
 */
struct part {
	struct finding finding;
	int64_t latest;
};

struct parts {
	struct part *all;
	size_t count;
	uint64_t whole;     /* the sum of their counts */
	struct map numbers; /* in `all`, from 1 on */
};

/* `time`: of the occurrence; the sieve sees all of the place at that of the role. */
void parts_add(const struct court *court, struct parts *parts, const struct finding *occurrence,
	       const struct role *role, int64_t time);
/* For court_find(), with `message`, which it takes over. */
void parts_find(struct court *court, struct parts *parts, size_t nth, char *message, const struct role *role);
void parts_clear(struct parts *parts);
/* "; this tells of 3 of them", or "": it tells of all; a new text. */
char *parts_share(uint64_t count, uint64_t whole);

/* The order of their stacks, once the whole trace was read. */
int court_compare(const struct court *court, const struct site *a, const struct site *b);

/* Takes back the latest occurrence of what court_find() answered. */
void court_withdraw(struct court *court, size_t place);

/* Takes back what was found by that rule of an object of which it does not hold, as is known by now. */
void court_reconsider(struct court *court, enum rule_id rule, bool (*holds)(const struct object *object));

/* Those of retired processes become findings: of an endless number of like ones a few. */
void court_fold(void *court);
/* Every object that a finding tells of, or NULL. */
void court_concern(void *court, void (*concern)(struct object *object));
/* The rest becomes findings, and all are what they are at the end of the trace. */
void court_hand_in(struct court *court);
void court_drop(struct court *court);

/* Whether the reader asked for what concerns the process. */
bool court_asks(const struct court *court, const struct process *process);
/*
 * A living process other than `except` that maps the object beyond `edge`, bytes: of several one that the reader asked
 * for, as it is the one to be told of then, and of those the one that maps it furthest; NULL: none.
 */
const struct process *court_mapper(const struct court *court, const struct object *object, const struct process *except,
				   uint64_t edge);

/* The message, and what the policy made of it; takes over `message`. */
char *judge_response(char *message, const struct finding_event *event);
/* "/name", or "a nameless object": never NULL. */
const char *judge_name_of(const struct object *object);
/* "4096 bytes", "12 MiB"; a new text. */
char *judge_bytes(uint64_t bytes);
/* "byte" or "bytes", behind their number. */
const char *judge_unit(uint64_t bytes);
/* ", of which 4096 have memory": of an object of `size` bytes by what a look found of it, or NULL; a new text, or "". */
char *judge_memory_of(const struct leftover *look, uint64_t size);
/* "3.2 ms"; a new text. */
char *judge_time(int64_t nanoseconds);
/* "leaky (pid 812)"; a new text. */
char *judge_process(const struct process *process);
/* Who made the object, when no process in the trace is known to have. */
char *judge_nobody(const struct object *object);
/* The way an image ended, in words: "at its exit", "when it was killed by signal 9". */
const char *judge_end(const struct process *process);

#endif
