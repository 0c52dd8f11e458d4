/* The findings of an analysis: collected, grouped by fingerprint, sorted. */
#ifndef SHMGUARD_FINDINGS_H
#define SHMGUARD_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remedy.h"
#include "tracepoints/events.h"
#include "tracepoints/rules.h"
#include "map.h"
#include "others.h"
#include "world.h"

#define FINDING_STACKS_MAX 4

struct finding_stack {
	const char *role; /* "created", "mapped", "opened", "unlinked", "unlinked first", "attached", ... */
	const struct process *process;
	const struct stack *stack; /* NULL: not recorded */
};

/*
 * Whose calls its first two stacks are. Of two parties that are equally to blame it is left to the scheduler which comes
 * first: neither what such a finding is known by nor the order of what is told in PARTIES_alike may depend on that.
 */
enum parties { PARTIES_unlike, PARTIES_equal /* their roles differ */, PARTIES_alike };

struct finding {
	enum rule_id rule;
	enum parties parties;
	enum severity severity;
	enum response response; /* what the policy made of it */
	unsigned kind;          /* of the rule's; occurrences of another kind are another finding */
	uint64_t count;         /* how often it happened */
	uint64_t bytes;         /* concerned, over all occurrences; 0 when bytes do not apply */
	uint64_t doubts;        /* how many of them are uncertain; set by findings_add() */
	/*
	 * From here on, but for what is of all occurrences, of the one that is told of: a certain one, of these the largest, of
	 * equals the first.
	 */
	uint64_t largest;     /* bytes of it; set by findings_add() */
	enum remedy remedy;   /* what is to be done about it */
	char *message;        /* one sentence with the arithmetic; bytes of the trace, not escaped */
	int64_t hangs;        /* from when on missing calls may have changed its severity; 0: none can */
	bool uncertain;       /* events are missing that could have changed the verdict; then all are */
	char fingerprint[17]; /* hexadecimal; report_fingerprint.c makes the one that is shown */
	size_t before; /* those of its fingerprint, where they are brought together: set by report_group_sort() */
	const struct object *object; /* or NULL */
	const char *name;            /* that a call gave in vain, where there is no object; interned; or NULL */
	bool several;                /* of all: they are of more than this object */
	struct others others;        /* of all but that which is told of */
	const struct recording
		*recording; /* of which it tells, if it is neither of a process nor of an object; or NULL */
	const struct recording **recordings; /* of all: each once, that of the one that is told of first */
	size_t recording_count;
	const struct process *process; /* or NULL */
	const struct process *victim;  /* whom it hits, if that need not have called anything; or NULL */
	bool unwanted;                 /* the reader did not ask for it: set by the sieve, as is */
	uint32_t told;                 /* number of the event in which its process told of it at a call, 0: none */
	const void *apart; /* occurrences with another are another finding, of the same fingerprint: set by the sieve */
	size_t suppression; /* the number of that which its object matches, from 1 on; 0: none */
	int64_t time;
	struct finding_stack stacks[FINDING_STACKS_MAX];
	size_t stack_count;
};

/* Who compares this report with another must not take what it leaves out for what is not there. */
struct hidden {
	enum rule_id rule;
	enum severity severity;
	char fingerprint[17];
	bool suppressed; /* else the reader did not ask for it */
};

/* Of what it tells: the object's name, else the one that was given in vain. NULL: it is of neither. */
const char *finding_name(const struct finding *finding);

struct findings {
	struct finding *all; /* errors first, then by bytes, then by count */
	size_t count;
	uint64_t suppressed;   /* occurrences hidden by a suppression */
	uint64_t filtered;     /* findings that the reader did not ask for */
	struct hidden *hidden; /* what was taken out; of some there are occurrences in `all` */
	size_t hidden_count;
	struct map places;   /* in `all`, from 1 on, until findings_sort() */
	struct map verdicts; /* for verdicts_of() */
};

/*
 * Looks at every occurrence before those of one place are counted together: a filter or a suppression takes those that it
 * matches and leaves the others. Of the stacks only the processes are known then. `start`: of the recording.
 */
struct sieve {
	const void *context;
	void (*sift)(const void *context, struct finding *finding, int64_t start);
	/* Whether two objects of one place may be seen as two, by this rule. */
	bool (*divides)(const void *context, enum rule_id rule);
	/* Whether what this process uses is asked for with it. */
	bool (*wants)(const void *context, const struct process *process);
};

/*
 * Adds an occurrence: one with the fingerprint of another, which the sieve sees as it does that one, is counted there.
 * Takes over `message` and `others`; copies the rest. What `finding` leaves 0 in count is 1; the fingerprint is made here,
 * from the rule, the first stack (of equal parties: both) and, without a stack, the object's name; and `recordings` from
 * whom and what it tells of.
 */
void findings_add(struct findings *findings, const struct finding *finding);

/* Whether the sieve saw both as the same: then both have one number here. */
uint64_t findings_sifted(const struct finding *finding);
bool findings_sifted_alike(const struct finding *a, const struct finding *b);

/* Notes that the finding is taken out of them, and frees its message. */
void findings_hide(struct findings *findings, struct finding *finding, bool suppressed);
/* Those fingerprints of which there is one that the reader asked for; map_clear() when done. */
struct map findings_prints(const struct findings *findings);
bool findings_printed(const struct map *prints, const char *fingerprint);

/* "recorded", "denied", "fixed", "audit". */
const char *response_name(enum response response);

void findings_sort(struct findings *findings);
void findings_clear(struct findings *findings);

#endif
