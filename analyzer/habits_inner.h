/* habits.c follows the processes of a recording, habits_call.c their calls, and habits_settle.c draws conclusions. */
#ifndef SHMGUARD_HABITS_INNER_H
#define SHMGUARD_HABITS_INNER_H

#include <stdio.h>

#include "habits.h"
#include "map.h"
#include "replay.h"

/* An image of a process of the recording that is being read. */
struct runner {
	struct habit *habit;
	struct habits_pids pids;
	unsigned recording;
	uint64_t inherited; /* objects that its parent had when it forked */
	uint64_t *own;      /* numbers of objects that it made and did not remove */
	size_t own_count;
	uint32_t masked; /* mode bits that it asked for and did not get: by its umask */
};

struct gathering {
	struct habits *habits;
	const char *dir;
	uint64_t events;    /* that the reading for the report had */
	struct map runners; /* (process) -> struct runner */
	struct map calls;   /* (process, tid) -> struct call: the thread's latest */
	struct map wide;    /* (object) -> the same: others were found to reach it */
	struct map huge;    /* (object) -> the size of its pages, of one known to have huge ones */
	uint64_t calls_seen;
	struct map known; /* (object, habit) -> struct known: the program's names for it */
};

/* By their places among those that the program has seen. */
struct known {
	size_t *places;
	size_t count;
	unsigned users; /* the object, and the calls that are not settled */
};

/* A thread's latest call. */
struct call {
	struct runner *runner; /* NULL: nothing is asked for */
	uint64_t number;       /* of all calls of the recording */
	uint32_t seq;
	int error;
	bool foreign;   /* the object is of a user whom the program has no reason to trust */
	uint32_t owner; /* who that is */
	uint32_t flags;
	struct habits_name *names;
	size_t name_count;
	struct known *known;         /* the object's; NULL: it has none */
	bool unnamed;                /* a policy may not know the object by any of these */
	bool has_mode, makes, moot;  /* makes: an object that was not there; moot: it fails before a policy is asked */
	bool reachable;              /* what has the mode, by others */
	bool grows;                  /* the object, where it is given a size */
	bool unreserved;             /* no huge pages are held for what it lets touch */
	uint64_t huge_page;          /* the size of the object's pages; 0: it is not known to have huge ones */
	bool misaligned;             /* it maps a part of such a page */
	uint32_t mode, asked, taken; /* asked: of what was made; taken: by a policy */
	uint64_t count,
		size; /* objects that the process would have; bytes that an object would have, 0: no more than before */
	bool met[RULE_COUNT];
	unsigned found[RULE_COUNT][HABITS_RESPONSES];
	struct habits_needs needs; /* that are known already */
};

/* What an event is of. */
struct scene {
	struct world *world;
	struct process *process;
	struct runner *runner;
	const struct object *object; /* or NULL */
	int error;                   /* of a call that failed after its event */
};

/* A call's event, or a finding: what is found at a call comes behind its event. */
void habits_call(struct gathering *gathering, const struct scene *scene, const struct trace_event *event);
/* No event comes any more. */
void habits_calls_end(struct gathering *gathering);

/* habits_huge.c: the object was made with these flags of memfd_create(2); it was told to have pages of that size. */
void habits_huge_made(struct gathering *gathering, const struct object *object, uint32_t flags);
void habits_huge_told(struct gathering *gathering, const struct object *object, uint64_t page);
/* It is mapped; where: the bits of the offset and of the length. */
void habits_huge_mapped(const struct gathering *gathering, struct call *call, const struct object *object,
			uint64_t where);
/* What else of its pages the call breaks than was told. */
void habits_huge_settle(struct call *call);
/* Was the rule told at the call, whatever was done? */
bool habits_was_found(const struct call *call, size_t rule);

/* What of a name came before. */
struct habits_place {
	bool first;       /* nothing, in its directory */
	bool random;      /* a pid, behind which stands what tells its objects apart */
	bool hexadecimal; /* a pid in such digits, as other numbers will be */
};

/* habits_names.c: how many letters, digits and _ begin the text. */
size_t habits_token(const char *text);
/* Adds the glob for such a token, or for one other character. */
void habits_put(FILE *glob, struct habits_place *place, const char *token, size_t length,
		const struct habits_pids *pids);
/* For so many characters of any kind. */
void habits_put_random(FILE *glob, size_t length);

/* habits_alike.c: words and small numbers, with _ between them. */
bool habits_word(const char *text, size_t length);
/* A short word of letters and digits in an order that is no word's with a number or a unit. */
bool habits_mixed(const char *word, size_t length);
/* Letters in an order as in no word. */
bool habits_scrambled(const char *word, size_t length);
bool habits_tempfile(const char *token, size_t length);
/* Widens the globs of names of which others show that a word in them is random. */
void habits_compare(struct habits_name *names, size_t count);

/* habits_base64.c: how long a random word of base64url is, with - or _ in it, that begins the text; 0: none does. */
size_t habits_base64(const char *text);

/* habits_known.c: the call's object, and by which names that is known. */
void habits_know(struct gathering *gathering, struct call *call, const struct scene *scene,
		 const struct trace_event *event);
/* What the call needs, its names need. */
void habits_settle_names(struct call *call);
/* The object is over, and another one may come to be at its address. */
void habits_known_forget(struct gathering *gathering, const struct object *object);
void habits_known_end(struct gathering *gathering);

/* All that is found at the call is known. Clears it. */
void habits_settle(struct call *call);
void habits_raise(uint64_t *most, uint64_t value);

#endif
