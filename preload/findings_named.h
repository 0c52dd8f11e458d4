/* What a call is about, where no object says so: by its own text, or by an address. */
#ifndef SHMGUARD_FINDINGS_NAMED_H
#define SHMGUARD_FINDINGS_NAMED_H

#include "preload/identity.h"
#include "preload/ledger.h"
#include "tracepoints/events.h"

/* NULL for a call without a name. EFAULT: the program's text cannot be read. */
const char *findings_given_name(enum event_id id, const union any_event *event, const struct identity *identity);

/* By an address: the object that the event says was there, and the address; 0: it has none. */
uint32_t findings_object_at(enum event_id id, const union any_event *event, uint64_t *address);

/*
 * For the audit trail: the name of the object, or of what is mapped at the address, or else that which was given, as policies
 * know it. NULL: there is none.
 */
struct findings_place {
	enum event_id by;
	const struct identity *identity; /* or NULL */
	const char *given;               /* or NULL */
	uint64_t address;                /* or 0 */
};
const char *findings_audited_name(const struct findings_place *place, char name[static OBJECT_NAME_SIZE]);

#endif
