#include "trace_events.h"

#include <string.h>

#define FORM_OF(member)                                                                                                \
	_Generic((member), const char * : FORM_text, struct frames : FORM_frames, default : FORM_integer)
#define FIELD_ROW(kind, field_name)                                                                                    \
	{#field_name, FORM_OF(((EVENT_TYPE *)0)->field_name), offsetof(EVENT_TYPE, field_name),                        \
	 sizeof(((EVENT_TYPE *)0)->field_name)},

/* FIELD_ROW needs the struct it is in, which a row of FIELDS does not name: a local type gives it. */
#define FIELD_TABLE(event, channel)                                                                                    \
	static const struct trace_field *fields_of_##event(size_t *count)                                              \
	{                                                                                                              \
		typedef struct event##_event EVENT_TYPE;                                                               \
		static const struct trace_field fields[] = {FIELDS_HEAD(FIELD_ROW) FIELDS_##event(FIELD_ROW)};         \
                                                                                                                       \
		_Static_assert(sizeof(fields) / sizeof(*fields) <= TRACE_FIELDS_MAX, "TRACE_FIELDS_MAX");              \
		*count = sizeof(fields) / sizeof(*fields);                                                             \
		return fields;                                                                                         \
	}
EVENTS(FIELD_TABLE)

#define EVENT_ROW(event, channel) {"shmguard:" #event, fields_of_##event},
static const struct {
	const char *name;
	const struct trace_field *(*fields)(size_t *count);
} rows[] = {EVENTS(EVENT_ROW)};

const struct trace_field *trace_event_fields(const char *name, enum event_id *id, size_t *count)
{
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*id = (enum event_id)i;
			return rows[i].fields(count);
		}
	}
	return NULL;
}
