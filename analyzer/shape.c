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

#define NEEDED(name, type)                                                                                             \
	{                                                                                                              \
		name, SHAPE_##type, SHAPE_NEEDED, NULL                                                                 \
	}
#define MAY(name, type)                                                                                                \
	{                                                                                                              \
		name, SHAPE_##type, SHAPE_MAY, NULL                                                                    \
	}

static const struct shape_field secret[] = {
	NEEDED("secret", FLAG), NEEDED("name", TEXTS), NEEDED("exe", TEXTS), MAY("uid", TEXTS), {0},
};

static const struct shape_field description[] = {
	NEEDED("host", TEXT),
	MAY("boot", TEXT),
	MAY("clock", NUMBER),
	NEEDED("command", TEXTS),
	NEEDED("cwd", TEXT),
	NEEDED("started", NUMBER),
	NEEDED("problems", TEXTS),
	MAY("ended", AMOUNT),
	MAY("gone", AMOUNT),
	MAY("command_pid", PID),
	MAY("command_status", STATUS),
	MAY("stream_bytes", AMOUNT),
	MAY("processes_bytes", AMOUNT),
	MAY("max_size", AMOUNT),
	MAY("snapshot_on", TEXT),
	MAY("trace_kept", FLAG),
	MAY("looked_first", FLAG),
	MAY("oom_kills", NUMBER),
	{"secrets", SHAPE_LIST, SHAPE_MAY, secret},
	MAY("turns", FLAG),
	MAY("holds", FLAG),
	{0},
};

static const struct shape_field mount[] = {
	NEEDED("nosuid", FLAG), NEEDED("nodev", FLAG),  NEEDED("noexec", FLAG), NEEDED("size", AMOUNT),
	NEEDED("free", AMOUNT), NEEDED("mode", STATUS), NEEDED("uid", USER),    {0},
};

static const struct shape_field leftover[] = {
	NEEDED("name", TEXT),
	NEEDED("dev", AMOUNT),
	NEEDED("ino", AMOUNT),
	NEEDED("size", AMOUNT),
	NEEDED("blocks", AMOUNT),
	NEEDED("mode", STATUS),
	NEEDED("uid", USER),
	NEEDED("holders", PIDS),
	NEEDED("holders_complete", FLAG),
	MAY("data", FLAG),
	{0},
};

static const struct shape_field look[] = {
	NEEDED("looked", AMOUNT),
	NEEDED("device", AMOUNT),
	MAY("filesystem", TEXT),
	{"objects", SHAPE_LIST, SHAPE_NEEDED, leftover},
	MAY("uid", USER),
	MAY("recording", TEXT),
	{"mount", SHAPE_GROUP, SHAPE_MAY, mount},
	{0},
};

static const struct shape_field frame[] = {
	MAY("function", TEXT), MAY("file", TEXT),     MAY("line", AMOUNT), MAY("into", NUMBER),
	MAY("inlined", FLAG),  MAY("borrowed", FLAG), MAY("own", TEXT),    {0},
};

static const struct shape_field module[] = {
	NEEDED("path", TEXT),
	NEEDED("build_id", TEXT),
	{"addresses", SHAPE_ANSWERS, SHAPE_NEEDED, frame},
	{0},
};

static const struct shape_field symbols[] = {
	{"modules", SHAPE_LIST, SHAPE_NEEDED, module},
	{0},
};

static const struct shape_field usage[] = {
	NEEDED("pid", PID),        NEEDED("time", AMOUNT),   NEEDED("since", AMOUNT),   NEEDED("dev", AMOUNT),
	NEEDED("ino", AMOUNT),     NEEDED("length", AMOUNT), NEEDED("page", AMOUNT),    MAY("rss", AMOUNT),
	MAY("referenced", AMOUNT), MAY("huge", AMOUNT),      MAY("swap", AMOUNT),       MAY("locked", AMOUNT),
	MAY("cpu", NUMBER),        MAY("wants_huge", FLAG),  MAY("refuses_huge", FLAG), MAY("memlock", NUMBER),
	MAY("pool", NUMBER),       MAY("thp", TEXT),         MAY("mount", TEXT),        {0},
};

static const struct shape_field owner[] = {NEEDED("id", TEXT), {0}};

static const struct shape_field line[] = {
	NEEDED("pid", PID),    NEEDED("time", AMOUNT), MAY("ppid", PID),    MAY("uid", USER),    MAY("child", PID),
	MAY("status", STATUS), MAY("exe", TEXT),       MAY("reason", TEXT), MAY("texts", TEXTS), {0},
};

/* Without what else a line of the type says nothing: names of `line`. */
static const char *const line_needs[LINE_TYPE_COUNT][2] = {
	[LINE_fork] = {"ppid"},    [LINE_spawn] = {"child"},   [LINE_end] = {"child", "status"},
	[LINE_leave] = {"status"}, [LINE_reaped] = {"status"}, [LINE_unseen] = {"exe", "reason"},
	[LINE_holds] = {"texts"},  [LINE_closes] = {"status"},
};

static const struct shape_field *const shapes[SHAPE_COUNT] = {
	[SHAPE_DESCRIPTION] = description,
	[SHAPE_LOOK] = look,
	[SHAPE_SYMBOLS] = symbols,
	[SHAPE_USAGE] = usage,
	[SHAPE_OWNER] = owner,
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
	char *text = memory_format("%s%s", own, rest);

	free(own);
	free(rest);
	return text;
}

static char *wrong_value(enum shape_type type, const struct shape_field *of, const json_t *value);

static char *wrong_elements(enum shape_type type, const struct shape_field *of, const json_t *list)
{
	const json_t *element;
	size_t i;

	json_array_foreach (list, i, element) {
		char *wrong = wrong_value(type, of, element);

		if (wrong)
			return within(memory_format("[%zu]", i), wrong);
	}
	return NULL;
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
	json_t *all = (json_t *)(uintptr_t)answers, *answer;
	const char *key;

	json_object_foreach(all, key, answer)
	{
		char *wrong = json_is_string(answer) ? NULL : wrong_value(SHAPE_LIST, frame_has, answer);

		if (wrong)
			return within(memory_format(".%s", key), wrong);
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

static enum shape_type type_in_line(const char *name)
{
	const struct shape_field *field = line;

	while (strcmp(field->name, name) != 0)
		field++;
	return field->type;
}

char *shape_wrong_line(enum line_type type, const json_t *object)
{
	char *wrong = wrong_object(line, object);

	for (size_t i = 0; wrong == NULL && i < 2 && line_needs[type][i]; i++) {
		const char *name = line_needs[type][i];
		const json_t *value = json_object_get(object, name);

		if (value == NULL || json_is_null(value))
			wrong = memory_format("%s: expected %s", name, expected[type_in_line(name)]);
	}
	return wrong;
}
