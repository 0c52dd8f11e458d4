#include "trace_events.h"

#include <string.h>

#define FORM_OF(member)                                                                                                \
	_Generic((member), const char * : FORM_text, struct frames : FORM_frames, default : FORM_integer)
#define ONE_MORE(...) +1
#define LIMIT_addr 0
#define LIMIT_size 0
#define LIMIT_off 0
#define LIMIT_number 0
#define LIMIT_fd 0
#define LIMIT_pid 0
#define LIMIT_id 0
#define LIMIT_user 0
#define LIMIT_flags 0
#define LIMIT_mode 0
#define LIMIT_status 0
#define LIMIT_bool 0
#define LIMIT_error 0
#define LIMIT_text 0
#define LIMIT_frames 0
#define LIMIT_symbol (1 CALLS(ONE_MORE))
#define LIMIT_prot (0 PROTS(ONE_MORE))
#define LIMIT_began (0 BEGAN(ONE_MORE))
#define LIMIT_kind (0 KINDS(ONE_MORE))
#define LIMIT_rule RULE_COUNT
#define LIMIT_severity (SEVERITY_ERROR + 1)
#define LIMIT_cause (0 CAUSES(ONE_MORE))
#define LIMIT_access (0 ACCESSES(ONE_MORE))
#define LIMIT_response (0 RESPONSES(ONE_MORE))
#define FIELD_ROW(kind, field_name)                                                                                    \
	{#field_name, FORM_OF(((EVENT_TYPE *)0)->field_name), offsetof(EVENT_TYPE, field_name),                        \
	 sizeof(((EVENT_TYPE *)0)->field_name), LIMIT_##kind},

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

#define PROVIDER "shmguard:"
#define EVENT_ROW(event, channel) {PROVIDER #event, fields_of_##event},
static const struct {
	const char *name;
	const struct trace_field *(*fields)(size_t *count);
} rows[] = {EVENTS(EVENT_ROW)};
#undef EVENT_ROW

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

bool trace_event_ours(const char *name)
{
	return strncmp(name, PROVIDER, sizeof(PROVIDER) - 1) == 0;
}

bool trace_event_is_call(enum event_id id)
{
	static const bool calls[] = {
#define IN_calls true
#define IN_state false
#define EVENT_ROW(name, channel) [EVENT_##name] = IN_##channel,
		EVENTS(EVENT_ROW)
#undef EVENT_ROW
#undef IN_state
#undef IN_calls
	};

	return calls[id];
}

const struct trace_field *trace_fields_of(enum event_id id, size_t *count, const char **name)
{
	if (name)
		*name = rows[id].name + sizeof(PROVIDER) - 1;
	return count ? rows[id].fields(count) : NULL;
}

static void add(struct trace_places *places, size_t place)
{
	places->all[places->count++] = (unsigned char)place;
}

const struct trace_parts *trace_parts_of(enum event_id id)
{
	static struct trace_parts known[EVENT_COUNT];
	struct trace_parts *parts = &known[id];
	size_t count;

	if (parts->fields)
		return parts;
	parts->fields = rows[id].fields(&count);
	for (size_t i = 0; i < count; i++) {
		if (parts->fields[i].form == FORM_frames)
			add(&parts->frames, i);
		else if (parts->fields[i].form == FORM_text)
			add(&parts->texts, i);
		else if (parts->fields[i].limit)
			add(&parts->limited, i);
	}
	return parts;
}

static int64_t integer_at(const void *at, const struct trace_field *field)
{
	union {
		uint8_t u8;
		uint16_t u16;
		int32_t i32;
		int64_t i64;
	} value = {0};

	memcpy(&value, at, field->size);
	return field->size == 1 ? value.u8 : field->size == 2 ? value.u16 : field->size == 4 ? value.i32 : value.i64;
}

void trace_event_tame(struct trace_event *event)
{
	const struct trace_parts *parts = trace_parts_of(event->id);

	for (size_t i = 0; i < parts->limited.count; i++) {
		const struct trace_field *field = &parts->fields[parts->limited.all[i]];
		char *at = (char *)&event->event + field->offset;

		if ((uint64_t)integer_at(at, field) >= field->limit)
			memset(at, 0, field->size);
	}
}

int64_t trace_integer(const struct trace_event *event, const char *field, int64_t otherwise)
{
	size_t count;
	const struct trace_field *fields = trace_fields_of(event->id, &count, NULL);

	for (size_t i = 0; i < count; i++)
		if (fields[i].form == FORM_integer && strcmp(fields[i].name, field) == 0)
			return integer_at((const char *)&event->event + fields[i].offset, &fields[i]);
	return otherwise;
}

void trace_put_integer(void *to, size_t size, uint64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)to = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)to = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)to = (uint32_t)value;
		break;
	default:
		*(uint64_t *)to = value;
	}
}
