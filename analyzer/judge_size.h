/* What judge_size keeps of a finding that a process made at a call, until it is known what became of it. */
#ifndef SHMGUARD_JUDGE_SIZE_H
#define SHMGUARD_JUDGE_SIZE_H

#include <sys/queue.h>

#include "judge.h"

struct charge {
	TAILQ_ENTRY(charge) link; /* for docket.c */
	struct finding_event event;
	struct process *process;
	struct object *object; /* or NULL */
	struct site site;
	struct change cause; /* what gave the object its size, or was refused; without process: not in the trace */
	struct change cover; /* the resize that made up for it; without process: none */
	const struct process *other; /* who else is concerned, NULL: nobody, or not in the trace */
	struct site other_mapped;
	uint64_t end;   /* of what is mapped past the end: less than at first when a part was given up */
	uint64_t whole; /* the same, at first */
	bool resizing;  /* the call was a resize, not a mapping */
	bool faulted;   /* a SIGBUS came of it */
	bool trimmed;   /* what had no pages was given up: at once after a shrink, untouched where it was mapped so */
	bool shut;      /* trimmed by PROT_NONE, which may be taken back */
	bool undone;    /* its call was not made */
	bool over;      /* nobody holds the object any more */
};

/* The byte from which on a touch is a SIGBUS. */
uint64_t charge_edge(const struct charge *charge);

/* size_words.c: one sentence, a new text; the severity that what became of it leaves; the stacks, how many. */
char *size_words(const struct charge *charge);
enum severity size_severity(const struct charge *charge);
size_t size_roles(const struct charge *charge, struct role roles[static FINDING_STACKS_MAX]);

/* "writer (pid 790) had shrunk it from 1048576 to 4096 bytes 3.2 ms before"; a new text, "" for a change by nobody. */
char *size_change_words(const struct change *change, int64_t time);
/* "reader (pid 812) got a SIGBUS touching /ring at offset 8192: it is 4096 bytes long"; a new text. */
char *fault_words(const struct process *process, struct object *object, const struct fault_event *event);

/* "shrunk", "sized", "emptied", "punched": the role of its stack. */
const char *size_change_role(const struct change *change);

#endif
