/* What programs did in recordings, as far as a policy can limit it: gathered for `shmguard policy learn`. */
#ifndef SHMGUARD_HABITS_H
#define SHMGUARD_HABITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problems.h"
#include "tracepoints/fields.h"
#include "tracepoints/rules.h"

enum { HABITS_RESPONSES = RESPONSE_audit + 1 };

struct process; /* world.h */

/* Of a process that used a name, and of those it descends from, the nearest first: 0 where it is not known. */
enum { HABITS_PIDS = 8 };
struct habits_pids {
	long all[HABITS_PIDS];
};

struct habits_pids habits_pids_of(const struct process *process);

/* Numbers of users, sorted. */
struct habits_users {
	uint32_t *all;
	size_t count;
};

/* What a policy must let be of an object, so that a program can use it as it did. */
struct habits_needs {
	bool moded;                /* the mode is known: it was made, changed or named */
	uint32_t mode;             /* permission bits */
	uint64_t size;             /* bytes, the largest that was asked for; 0: none was */
	uint64_t done[RULE_COUNT]; /* so many times it did what the rule is about, and nothing refused or mended that */
	struct habits_users owners; /* others whose it was when it was used */
	struct habits_users given;  /* to whom it was given */
};

/* One that a program used. */
struct habits_name {
	char *glob;
	char *sample; /* the first name of that glob; NULL where it is known which part of it is random */
	struct habits_pids pids;
	unsigned recording; /* which it came from */
	bool lasts;         /* it came from several */
	struct habits_needs needs;
};

/* Some of the names of a program, which need more than the others. */
struct habits_exception {
	char **names; /* of the habit's, sorted */
	size_t name_count;
	char *sample; /* a name that one of them stands for; NULL where they are names themselves, or none is known */
	/* `done`: only of what the others did not do; `owners`: empty where none are added. */
	struct habits_needs needs;
};

/* Of one program. Texts are bytes as the program gave them. */
struct habit {
	char *exe;
	struct habits_name *seen; /* every name it opened, made, renamed or removed, or tried to, by their globs */
	size_t seen_count;
	char **names; /* what becomes of them in the end: globs, sorted */
	size_t name_count;
	char **templates; /* those of `names` that are of what mkstemp(3) makes: whatever word came of it is one of them */
	size_t template_count;
	size_t widened; /* so many globs were too many for a list, and became the fewer ones of `names`; 0: they were not */
	struct habits_needs unnamed; /* of objects whose names a policy might not know at the call */
	struct habits_needs base;    /* of all names, but for the exceptions */
	struct habits_exception *exceptions;
	size_t exception_count;
	bool by_name[RULE_COUNT]; /* what it did is with the exceptions */
	char *with[RULE_COUNT];   /* the names that it did it with, as words; NULL: with none that is known */
	bool by_owner;            /* others whose objects it used are known: `owners` names them */
	uint32_t wider;           /* permission bits that a policy's max-mode kept from its objects */
	uint64_t peak;            /* named objects of its own that were alive, or asked for, at once in one process */
	uint64_t told[RULE_COUNT]
		     [HABITS_RESPONSES]; /* by its processes, at their calls, or by what the calls asked for */
	uint64_t judged[RULE_COUNT][HABITS_RESPONSES]; /* occurrences in the report */
};

struct habits {
	struct habit **all; /* sorted by exe */
	size_t count;
	unsigned recording;      /* that is being read: the first, the second */
	struct problems missing; /* a sentence each, for people: what was not recorded, or could not be read */
};

/* Adds a recording's. False: *error is one line for people, to be freed by the caller. */
bool habits_gather(struct habits *habits, const char *dir, char **error);

/* Sorts, and makes globs of names that will be other ones the next time. */
void habits_finish(struct habits *habits);
void habits_free(struct habits *habits);

/* How often what the rule is about came about (RESPONSE_recorded), or a policy refused or mended it. */
uint64_t habits_times(const struct habit *habit, size_t rule, enum response response);

/* A name as the preload gives objects: "/x" for /dev/shm/x, "/sem.x" for the semaphore /x; a new text. */
char *habits_object(const char *name, bool semaphore);

/* Takes over the name, which is kept once for its glob. Returns its place in `seen`. */
size_t habits_see(struct habit *habit, struct habits_name name);
void habits_name_free(struct habits_name *name);

/* Takes over the text, which is kept in the list once. */
void habits_keep(char ***texts, size_t *count, char *text);

/* habits_names.c: the glob for a name that holds numbers, pids or random words; a new text. pids may be NULL. */
char *habits_glob(const char *name, const struct habits_pids *pids);
/* The same of a name that mkstemp(3) made: its last six characters are random, whatever they look like. */
char *habits_temporary(const char *name, const struct habits_pids *pids);
/* Sorts and leaves out what another glob covers, down to at most `most`. Returns how many are left. */
size_t habits_reduce(char **globs, size_t count, size_t most);
/* Does the one take all that the other does? */
bool habits_covers(const char *wide, const char *narrow);

/* habits_needs.c */
void habits_users_add(struct habits_users *users, uint32_t user);
void habits_users_join(struct habits_users *users, const struct habits_users *more);
void habits_needs_join(struct habits_needs *needs, const struct habits_needs *more);
void habits_needs_free(struct habits_needs *needs);

/* habits_except.c: which of its names need more than the others; `most`: so many exceptions at most. */
void habits_except(struct habit *habit, size_t most);
void habits_exceptions_free(struct habit *habit);

#endif
