/*
 * The charges that wait until it is known what became of them, by object and process. What an event can change is found
 * without a look at the others: thousands may wait at an object that is resized and unmapped all the time.
 */
#ifndef SHMGUARD_DOCKET_H
#define SHMGUARD_DOCKET_H

#include "judge_size.h"

/* What becomes of a charge that waits no longer; it is freed afterwards. */
typedef void docket_close(struct court *court, struct charge *charge);

/* Takes over the charge, which is of an object. */
void docket_add(struct court *court, struct charge *charge);
/* Does one of a full file system wait, or was told with others that do? */
bool docket_knows_full(const struct court *court, const struct object *object);

/* What ends before that was mapped past the end in vain is covered. */
void docket_covered(struct court *court, struct object *object, const struct change *change);
/* The process got a SIGBUS, of a file system without room or of a mapping past the end. */
void docket_faulted(struct court *court, const struct process *process, const struct object *object, bool full);
/* What the process maps of the object it may touch up to `limit` from now on. */
void docket_trimmed(struct court *court, const struct process *process, const struct object *object,
		    const struct site *site, uint64_t limit, docket_close *close);
/* The call with that number, which the charges told of, was not made. */
void docket_undone(struct court *court, struct process *process, uint32_t of);

/*
 * Closes those of a process that is over, but not those of full file systems, nor what a child has that is alive; of an object;
 * all.
 */
void docket_close_process(struct court *court, const struct process *process, docket_close *close);
void docket_close_object(struct court *court, const struct object *object, docket_close *close);
void docket_close_all(struct court *court, docket_close *close);

#endif
