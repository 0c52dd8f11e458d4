/* Events in strace's notation: one line each, flags and errors by their names. */
#ifndef SHMGUARD_NOTATION_H
#define SHMGUARD_NOTATION_H

#include "settle.h"
#include "trace_reader.h"
#include "verdicts.h"
#include "world.h"

/*
 * The line of an event without time and process, harmless on a terminal, to be freed; NULL: it is none that a reader of
 * calls wants to see (definitions that others refer to; what a call did besides; findings). object: what it is about, or
 * NULL; size: the bytes it had then, NULL: that is not known.
 */
char *notation_of(const struct trace_event *event, const struct outcome *outcome, const struct process *process,
		  const struct object *object, const uint64_t *size);

/* "*** note: map-beyond-end (error at the call) ***"; severity: of the report, or as it was told. NULL: it is no finding. */
char *notation_finding(const struct finding_event *event, enum verdict verdict, enum severity severity);

#endif
