/* What the two parts of sigbus-cause share: judge_fault.c, and judge_blind.c for deaths that no event tells of. */
#ifndef SHMGUARD_JUDGE_FAULT_H
#define SHMGUARD_JUDGE_FAULT_H

#include "judge.h"

/* Whether calls that are not in the trace can have changed what it tells. */
enum calls_missing {
	CALLS_none,
	CALLS_let_go,
	CALLS_lost,
};

/* Of what the trace told at `since` and a process found otherwise later; when all of it was read. */
enum calls_missing fault_missing(const struct court *court, const struct process *process, int64_t since);

/* Who gave the object the size that it has; without process: not known. */
struct change fault_sizing(const struct object *object);

/* What lay on a file system that was full, as `beside` does, when the process touched that. */
struct crowd;
struct crowd *crowd_new(const struct world *world, const struct process *process, const struct object *beside);
/*
 * When the whole trace was read: which are the largest, from "; " on, and where the largest that is not `beside` was made; an
 * empty text where nothing shows which is. To be freed.
 */
char *crowd_words(const struct crowd *crowd, const struct object *beside, struct site *filled);
void crowd_free(struct crowd *crowd); /* or NULL */

/* What a process had mapped that died of a SIGBUS which no event tells of; NULL: nothing, which is no case of ours. */
struct blind;
struct blind *blind_new(struct court *court, struct process *process);
/* The finding, when all of the trace was read; releases it. */
void blind_tell(struct court *court, const struct process *process, struct blind *blind);

#endif
