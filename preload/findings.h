/*
 * Runs the checks on an event that was just settled, and records what they find and what the policy decided before the
 * call: in the trace, errors also as a note. caller: the program's return address, for the audit trail, or NULL.
 */
#ifndef SHMGUARD_PRELOAD_FINDINGS_H
#define SHMGUARD_PRELOAD_FINDINGS_H

#include "preload/identity.h"
#include "tracepoints/events.h"

void findings_look(enum event_id id, const union any_event *event, uint32_t object, const struct identity *identity,
		   uint32_t marks, const void *caller);

/*
 * Records what the policy did beside any call's event, to that object: after its last unmap, and as the process ends; or at the
 * call `of`, whose event came before the policy was asked (else 0).
 */
void findings_kept(uint32_t object, uint32_t of, uint32_t stack);

#endif
