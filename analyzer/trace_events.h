/* The tables of tracepoints/events.h as a reader of traces needs them: what to look for, and where to put it. */
#ifndef SHMGUARD_TRACE_EVENTS_H
#define SHMGUARD_TRACE_EVENTS_H

#include <stddef.h>

#include "trace_reader.h"
#include "tracepoints/events.h"

/* More than any event has. */
#define TRACE_FIELDS_MAX 24

enum trace_form { FORM_integer, FORM_text, FORM_frames };

struct trace_field {
	const char *name;
	enum trace_form form;
	size_t offset, size; /* of the member in the event's struct */
	uint32_t limit;      /* of an enumeration: its values are below; 0: any value may be */
};

/* `name` is the event's full name in a trace, "shmguard:mmap". NULL, and *id unchanged, when there is none. */
const struct trace_field *trace_event_fields(const char *name, enum event_id *id, size_t *count);

/* It is shmguard's, known or not. */
bool trace_event_ours(const char *name);

/* It tells of a call, and not of a process, an object or a stack beside it. */
bool trace_event_is_call(enum event_id id);

/* The fields of an event, its head's included; *name: without "shmguard:". Both count and name may be NULL. */
const struct trace_field *trace_fields_of(enum event_id id, size_t *count, const char **name);

/* Those of its fields that are more than a number, which are few: places in `fields`. */
struct trace_places {
	unsigned char all[TRACE_FIELDS_MAX], count;
};
struct trace_parts {
	const struct trace_field *fields;
	struct trace_places frames, texts, limited;
};
const struct trace_parts *trace_parts_of(enum event_id id);

/* Enumerations with a value that only a damaged trace has get 0, so that tables can be indexed by them. */
void trace_event_tame(struct trace_event *event);

/* Into a member of an event: `size` is 1, 2, 4 or 8 bytes. */
void trace_put_integer(void *to, size_t size, uint64_t value);

/* The value of an integer field of that name, those of 32 bits sign-extended; `otherwise` if it has none. */
int64_t trace_integer(const struct trace_event *event, const char *field, int64_t otherwise);

#endif
