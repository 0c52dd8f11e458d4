/*
 * Mappings that mremap(2) moves. The ledger forgets them before the call, and has them at the new place after it. Where the
 * first half was queued it comes to the ledger when that is settled, perhaps behind the back of who made the call: what it took
 * is kept here until the second half is settled.
 */
#ifndef SHMGUARD_MOVES_H
#define SHMGUARD_MOVES_H

#include "preload/account.h"

struct move {
	uint64_t start, length, new_length;
	bool stays; /* the old range does: MREMAP_DONTUNMAP */
	struct account_pieces pieces;
};

/* As the event says; no pieces yet. */
void move_begin(struct move *m, const struct mremap_event *e);

/* Puts into the ledger what came of it, and lets go of the pieces. result: where it is now, if it did not fail. */
void move_end(struct move *m, uint64_t result, bool failed);

/* Keeps it for the event mremapped of that number, and counts what there is no room for as lost. Lock-free. */
void move_keep(const struct move *m, uint32_t seq);
/* Ends the one that is kept for the event, if any. */
void move_resume(const struct mremapped_event *e);

/* In a child: what is kept is the parent's, whose numbers are not the child's. */
void move_fork_reset(void);

#endif
