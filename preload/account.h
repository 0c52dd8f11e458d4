/* What an event means for the ledger. The only place that knows every event; it knows neither LTTng nor the program. */
#ifndef SHMGUARD_ACCOUNT_H
#define SHMGUARD_ACCOUNT_H

#include "preload/identity.h"
#include "preload/intervals.h"

/*
 * Pieces that a release took out of the ledger, so that a failed one can be taken back; their objects are not forgotten
 * before account_pieces_done().
 */
struct account_pieces {
	unsigned count;
	struct interval piece[8];
};
void account_pieces_done(struct account_pieces *pieces);

/* The object of an event: id, 0 for none; it is to be defined in the trace when this process did not know it. */
struct accounted {
	uint32_t object, marks;
	bool is_new;
};

/*
 * Updates the ledger and fills in the event's object and size. False: the event concerns nothing that is tracked.
 * pieces: where to keep what a munmap released, or NULL.
 */
bool account_event(enum event_id id, union any_event *event, const struct identity *identity,
		   struct account_pieces *pieces, struct accounted *accounted);

/* The event is queued: the ledger learns its range or descriptor later, and is not to deny them until then. Lock-free. */
void account_expect(enum event_id id, const union any_event *event, const struct identity *identity);

#endif
