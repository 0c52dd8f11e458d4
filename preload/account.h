/* What an event means for the ledger. The only place that knows every event; it knows neither LTTng nor the program. */
#ifndef SHMGUARD_ACCOUNT_H
#define SHMGUARD_ACCOUNT_H

#include "preload/identity.h"
#include "preload/intervals.h"

/* Pieces that a release took out of the ledger, so that a failed one can be taken back. */
struct account_pieces {
	unsigned count;
	struct interval piece[8];
};

/* Id of the object, which is defined in the trace by `define` when this process sees it for the first time. */
uint32_t account_object(const struct identity *identity, uint32_t *marks,
			void (*define)(uint32_t id, const struct identity *));

/*
 * Updates the ledger and fills in the event's object and size. False: the event concerns nothing that is tracked.
 * pieces: where to keep what a munmap released, or NULL.
 */
bool account_event(enum event_id id, union any_event *event, uint32_t object, const struct identity *identity,
		   struct account_pieces *pieces);

#endif
