#include "shape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum shape_type {
	SHAPE_TEXT,
	SHAPE_FLAG,
	SHAPE_NUMBER, /* of 64 bits */
	SHAPE_AMOUNT, /* not negative; times as well */
	SHAPE_STATUS, /* an int */
	SHAPE_PID,
	SHAPE_USER,
	SHAPE_TEXTS,
	SHAPE_PIDS,
	SHAPE_GROUP,   /* an object that has `of` */
	SHAPE_LIST,    /* of such objects */
	SHAPE_ANSWERS, /* an object of any keys, each with a text or such a list */
	SHAPE_TYPE_COUNT
};

enum shape_need { SHAPE_NEEDED, SHAPE_MAY };

struct shape_field {
	const char *name;
	enum shape_type type;
	enum shape_need need;
	const struct shape_field *of;
};

static const char *const expected[SHAPE_TYPE_COUNT] = {
	[SHAPE_TEXT] = "a string",
	[SHAPE_FLAG] = "true or false",
	[SHAPE_NUMBER] = "a whole number",
	[SHAPE_AMOUNT] = "a whole number from 0 on",
	[SHAPE_STATUS] = "a whole number of 32 bits",
	[SHAPE_PID] = "a whole number that is a pid",
	[SHAPE_USER] = "a whole number that is a user id",
	[SHAPE_TEXTS] = "a list",
	[SHAPE_PIDS] = "a list",
	[SHAPE_GROUP] = "an object",
	[SHAPE_LIST] = "a list",
	[SHAPE_ANSWERS] = "an object",
};

static const struct shape_field secret[] = {
	{"secret", SHAPE_FLAG, SHAPE_NEEDED, NULL},
	{"name", SHAPE_TEXTS, SHAPE_NEEDED, NULL},
	{"exe", SHAPE_TEXTS, SHAPE_NEEDED, NULL},
	{"uid", SHAPE_TEXTS, SHAPE_MAY, NULL},
	{0},
};

static const struct shape_field description[] = {
	{"host", SHAPE_TEXT, SHAPE_NEEDED, NULL},        {"command", SHAPE_TEXTS, SHAPE_NEEDED, NULL},
	{"cwd", SHAPE_TEXT, SHAPE_NEEDED, NULL},         {"started", SHAPE_NUMBER, SHAPE_NEEDED, NULL},
	{"problems", SHAPE_TEXTS, SHAPE_NEEDED, NULL},   {"ended", SHAPE_AMOUNT, SHAPE_MAY, NULL},
	{"command_pid", SHAPE_PID, SHAPE_MAY, NULL},     {"command_status", SHAPE_STATUS, SHAPE_MAY, NULL},
	{"stream_bytes", SHAPE_AMOUNT, SHAPE_MAY, NULL}, {"processes_bytes", SHAPE_AMOUNT, SHAPE_MAY, NULL},
	{"max_size", SHAPE_AMOUNT, SHAPE_MAY, NULL},     {"snapshot_on", SHAPE_TEXT, SHAPE_MAY, NULL},
	{"trace_kept", SHAPE_FLAG, SHAPE_MAY, NULL},     {"oom_kills", SHAPE_NUMBER, SHAPE_MAY, NULL},
	{"secrets", SHAPE_LIST, SHAPE_MAY, secret},      {"turns", SHAPE_FLAG, SHAPE_MAY, NULL},
	{"holds", SHAPE_FLAG, SHAPE_MAY, NULL},          {0},
};

static const struct shape_field mount[] = {
	{"nosuid", SHAPE_FLAG, SHAPE_NEEDED, NULL}, {"nodev", SHAPE_FLAG, SHAPE_NEEDED, NULL},
	{"noexec", SHAPE_FLAG, SHAPE_NEEDED, NULL}, {"size", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"free", SHAPE_AMOUNT, SHAPE_NEEDED, NULL}, {"mode", SHAPE_STATUS, SHAPE_NEEDED, NULL},
	{"uid", SHAPE_USER, SHAPE_NEEDED, NULL},    {0},
};

static const struct shape_field leftover[] = {
	{"name", SHAPE_TEXT, SHAPE_NEEDED, NULL},
	{"dev", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"ino", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"size", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"blocks", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"mode", SHAPE_STATUS, SHAPE_NEEDED, NULL},
	{"uid", SHAPE_USER, SHAPE_NEEDED, NULL},
	{"holders", SHAPE_PIDS, SHAPE_NEEDED, NULL},
	{"holders_complete", SHAPE_FLAG, SHAPE_NEEDED, NULL},
	{"data", SHAPE_FLAG, SHAPE_MAY, NULL},
	{0},
};

static const struct shape_field look[] = {
	{"looked", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},    {"device", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"objects", SHAPE_LIST, SHAPE_NEEDED, leftover}, {"uid", SHAPE_USER, SHAPE_MAY, NULL},
	{"mount", SHAPE_GROUP, SHAPE_MAY, mount},        {0},
};

static const struct shape_field frame[] = {
	{"function", SHAPE_TEXT, SHAPE_MAY, NULL}, {"file", SHAPE_TEXT, SHAPE_MAY, NULL},
	{"line", SHAPE_AMOUNT, SHAPE_MAY, NULL},   {"into", SHAPE_NUMBER, SHAPE_MAY, NULL},
	{"inlined", SHAPE_FLAG, SHAPE_MAY, NULL},  {0},
};

static const struct shape_field module[] = {
	{"path", SHAPE_TEXT, SHAPE_NEEDED, NULL},
	{"build_id", SHAPE_TEXT, SHAPE_NEEDED, NULL},
	{"addresses", SHAPE_ANSWERS, SHAPE_NEEDED, frame},
	{0},
};

static const struct shape_field symbols[] = {
	{"modules", SHAPE_LIST, SHAPE_NEEDED, module},
	{0},
};

static const struct shape_field usage[] = {
	{"pid", SHAPE_PID, SHAPE_NEEDED, NULL},        {"time", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"since", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},   {"dev", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"ino", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},     {"length", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"page", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},    {"rss", SHAPE_AMOUNT, SHAPE_MAY, NULL},
	{"referenced", SHAPE_AMOUNT, SHAPE_MAY, NULL}, {"huge", SHAPE_AMOUNT, SHAPE_MAY, NULL},
	{"swap", SHAPE_AMOUNT, SHAPE_MAY, NULL},       {"locked", SHAPE_AMOUNT, SHAPE_MAY, NULL},
	{"cpu", SHAPE_NUMBER, SHAPE_MAY, NULL},        {"wants_huge", SHAPE_FLAG, SHAPE_MAY, NULL},
	{"refuses_huge", SHAPE_FLAG, SHAPE_MAY, NULL}, {"memlock", SHAPE_NUMBER, SHAPE_MAY, NULL},
	{"pool", SHAPE_NUMBER, SHAPE_MAY, NULL},       {"thp", SHAPE_TEXT, SHAPE_MAY, NULL},
	{"mount", SHAPE_TEXT, SHAPE_MAY, NULL},        {0},
};

static const struct shape_field line[] = {
	{"pid", SHAPE_PID, SHAPE_NEEDED, NULL},  {"time", SHAPE_AMOUNT, SHAPE_NEEDED, NULL},
	{"ppid", SHAPE_PID, SHAPE_MAY, NULL},    {"uid", SHAPE_USER, SHAPE_MAY, NULL},
	{"child", SHAPE_PID, SHAPE_MAY, NULL},   {"status", SHAPE_STATUS, SHAPE_MAY, NULL},
	{"exe", SHAPE_TEXT, SHAPE_MAY, NULL},    {"reason", SHAPE_TEXT, SHAPE_MAY, NULL},
	{"texts", SHAPE_TEXTS, SHAPE_MAY, NULL}, {0},
};

static const struct shape_field child[] = {{"child", SHAPE_PID, SHAPE_NEEDED, NULL}, {0}};
static const struct shape_field status[] = {{"status", SHAPE_STATUS, SHAPE_NEEDED, NULL}, {0}};
static const struct shape_field ended[] = {
	{"child", SHAPE_PID, SHAPE_NEEDED, NULL},
	{"status", SHAPE_STATUS, SHAPE_NEEDED, NULL},
	{0},
};
static const struct shape_field unseen[] = {
	{"exe", SHAPE_TEXT, SHAPE_NEEDED, NULL},
	{"reason", SHAPE_TEXT, SHAPE_NEEDED, NULL},
	{0},
};
static const struct shape_field forked[] = {{"ppid", SHAPE_PID, SHAPE_NEEDED, NULL}, {0}};
static const struct shape_field held[] = {{"texts", SHAPE_TEXTS, SHAPE_NEEDED, NULL}, {0}};

/* Without what else a line of the type says nothing; NULL: it says enough. */
static const struct shape_field *const line_needs[LINE_TYPE_COUNT] = {
	[LINE_fork] = forked,   [LINE_spawn] = child,   [LINE_end] = ended,  [LINE_leave] = status,
	[LINE_reaped] = status, [LINE_unseen] = unseen, [LINE_holds] = held, [LINE_closes] = status,
};

static const struct shape_field *const shapes[SHAPE_COUNT] = {
	[SHAPE_DESCRIPTION] = description,
	[SHAPE_LOOK] = look,
	[SHAPE_SYMBOLS] = symbols,
	[SHAPE_USAGE] = usage,
};

static bool is_within(const json_t *value, json_int_t least, json_int_t most)
{
	return json_is_integer(value) && json_integer_value(value) >= least && json_integer_value(value) <= most;
}

static bool is_of(enum shape_type type, const json_t *value)
{
	switch (type) {
	case SHAPE_TEXT:
		return json_is_string(value);
	case SHAPE_FLAG:
		return json_is_boolean(value);
	case SHAPE_NUMBER:
		return json_is_integer(value);
	case SHAPE_AMOUNT:
		return is_within(value, 0, INT64_MAX);
	case SHAPE_STATUS:
		return is_within(value, INT32_MIN, INT32_MAX);
	case SHAPE_PID:
		return is_within(value, 0, INT32_MAX);
	case SHAPE_USER:
		return is_within(value, 0, UINT32_MAX);
	case SHAPE_TEXTS:
	case SHAPE_PIDS:
	case SHAPE_LIST:
		return json_is_array(value);
	default:
		return json_is_object(value);
	}
}

/* The text behind its own, which is freed. */
static char *within(char *own, char *rest)
{
	char *text = rest ? memory_format("%s%s", own, rest) : NULL;

	free(own);
	free(rest);
	return text;
}

static char *wrong_value(enum shape_type type, const struct shape_field *of, const json_t *value);

static char *wrong_elements(enum shape_type type, const struct shape_field *of, const json_t *list)
{
	char *wrong = NULL;

	for (size_t i = 0; wrong == NULL && i < json_array_size(list); i++) {
		wrong = wrong_value(type, of, json_array_get(list, i));
		if (wrong)
			wrong = within(memory_format("[%zu]", i), wrong);
	}
	return wrong;
}

static char *wrong_members(const struct shape_field *fields, const json_t *object)
{
	for (const struct shape_field *field = fields; field->name; field++) {
		const json_t *value = json_object_get(object, field->name);
		char *wrong = field->need == SHAPE_MAY && (value == NULL || json_is_null(value))
				      ? NULL
				      : wrong_value(field->type, field->of, value);

		if (wrong)
			return within(memory_format(".%s", field->name), wrong);
	}
	return NULL;
}

static char *wrong_answers(const struct shape_field *frame_has, const json_t *answers)
{
	void *at = json_object_iter((json_t *)(uintptr_t)answers);

	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)answers, at)) {
		const json_t *answer = json_object_iter_value(at);
		char *wrong = json_is_string(answer) ? NULL : wrong_value(SHAPE_LIST, frame_has, answer);

		if (wrong)
			return within(memory_format(".%s", json_object_iter_key(at)), wrong);
	}
	return NULL;
}

static char *wrong_value(enum shape_type type, const struct shape_field *of, const json_t *value)
{
	if (!is_of(type, value))
		return memory_format(": expected %s", expected[type]);
	switch (type) {
	case SHAPE_TEXTS:
		return wrong_elements(SHAPE_TEXT, NULL, value);
	case SHAPE_PIDS:
		return wrong_elements(SHAPE_PID, NULL, value);
	case SHAPE_LIST:
		return wrong_elements(SHAPE_GROUP, of, value);
	case SHAPE_GROUP:
		return wrong_members(of, value);
	case SHAPE_ANSWERS:
		return wrong_answers(of, value);
	default:
		return NULL;
	}
}

static char *wrong_object(const struct shape_field *fields, const json_t *object)
{
	char *wrong = wrong_value(SHAPE_GROUP, fields, object), *text = NULL;

	if (wrong)
		text = memory_text(wrong + strspn(wrong, ".: "));
	free(wrong);
	return text;
}

char *shape_wrong(enum shape shape, const json_t *object)
{
	return wrong_object(shapes[shape], object);
}

char *shape_wrong_line(enum line_type type, const json_t *object)
{
	char *wrong = wrong_object(line, object);

	return wrong == NULL && line_needs[type] ? wrong_object(line_needs[type], object) : wrong;
}
