/* processes.jsonl: what `run` was told of processes, a line each, and what it saw them use. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "memory.h"
#include "recording.h"
#include "recording_inner.h"
#include "shape.h"

static const char *const type_names[LINE_TYPE_COUNT] = {
	"start", "fork",  "loaded", "exec",   "exec_failed", "spawn",  "end",
	"leave", "blind", "reaped", "unseen", "holds",       "closes",
};

static char *text_at(const json_t *texts, size_t index)
{
	const char *text = json_string_value(json_array_get(texts, index));

	return text ? escape_undo(text) : NULL;
}

static uint64_t amount_of(const json_t *object, const char *key)
{
	return (uint64_t)recording_integer(object, key);
}

static void take_usage(struct recording *recording, const json_t *object)
{
	recording->usages = memory_grow(recording->usages, recording->usage_count, sizeof(*recording->usages));
	recording->usages[recording->usage_count++] = (struct usage){
		.pid = (pid_t)recording_integer(object, "pid"),
		.from = recording_integer(object, "since"),
		.until = recording_integer(object, "time"),
		.dev = amount_of(object, "dev"),
		.ino = amount_of(object, "ino"),
		.length = amount_of(object, "length"),
		.page = amount_of(object, "page"),
		.rss = amount_of(object, "rss"),
		.referenced = amount_of(object, "referenced"),
		.huge = amount_of(object, "huge"),
		.swap = amount_of(object, "swap"),
		.locked = amount_of(object, "locked"),
		.cpu = recording_integer(object, "cpu"),
		.wants_huge = json_is_true(json_object_get(object, "wants_huge")),
		.refuses_huge = json_is_true(json_object_get(object, "refuses_huge")),
		.memlock = amount_of(object, "memlock"),
		.pool = amount_of(object, "pool"),
		.thp = recording_text(object, "thp"),
		.mount = recording_text(object, "mount"),
	};
}

static void take_line(struct recording *recording, enum line_type type, const json_t *object)
{
	const json_t *texts = json_object_get(object, "texts");
	struct line line = {
		.type = type,
		.pid = (pid_t)recording_integer(object, "pid"),
		.ppid = (pid_t)recording_integer(object, "ppid"),
		.child = (pid_t)recording_integer(object, "child"),
		.uid = (uid_t)recording_integer(object, "uid"),
		.status = (int)recording_integer(object, "status"),
		.time = recording_integer(object, "time"),
	};

	line.exe = recording_text(object, "exe");
	line.reason = recording_text(object, "reason");
	if (line.exe == NULL && (line.type == LINE_start || line.type == LINE_fork))
		line.exe = text_at(texts, 0);
	if (line.type == LINE_holds)
		line.holds = text_at(texts, 0);
	if (line.type == LINE_start)
		line.argv = text_at(texts, 1);
	if (line.type == LINE_blind && line.reason == NULL) {
		line.reason = text_at(texts, 0);
		line.exe = text_at(texts, 1);
	}
	recording->lines = memory_grow(recording->lines, recording->line_count, sizeof(*recording->lines));
	recording->lines[recording->line_count++] = line;
}

/* Whose the lines are that are read. */
struct whose {
	bool other;
	size_t own, others; /* lines */
};

/* From here on they are that recording's; an earlier version did not say. */
static char *take_owner(const struct recording *recording, const json_t *object, struct whose *whose)
{
	char *wrong = shape_wrong(SHAPE_OWNER, object);

	if (wrong)
		return wrong;
	whose->other = !recording_owns(recording, json_string_value(json_object_get(object, "id")));
	whose->others += whose->other;
	return NULL;
}

/* NULL, or what is wrong with the object, to be freed: it was not taken. */
static char *take_object(struct recording *recording, const json_t *object, struct whose *whose)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	char *wrong;
	int i = 0;

	if (!json_is_object(object))
		return memory_text("expected an object");
	if (type == NULL)
		return memory_text("type: expected a string");
	if (!strcmp(type, "recording"))
		return take_owner(recording, object, whose);
	*(whose->other ? &whose->others : &whose->own) += 1;
	if (whose->other)
		return NULL;
	while (i < LINE_TYPE_COUNT && strcmp(type_names[i], type) != 0)
		i++;
	if (!strcmp(type, "usage")) {
		wrong = shape_wrong(SHAPE_USAGE, object);
		if (wrong == NULL)
			take_usage(recording, object);
		return wrong;
	}
	/* A later version may have more. */
	if (i == LINE_TYPE_COUNT)
		return NULL;
	wrong = shape_wrong_line((enum line_type)i, object);
	if (wrong == NULL)
		take_line(recording, (enum line_type)i, object);
	return wrong;
}

/* The same of a line, which may be none of JSON: *why is in what way it is wrong, in brackets, or nothing, to be freed. */
static bool take_text(struct recording *recording, const char *text, size_t length, struct whose *whose, char **why)
{
	json_t *object = json_loadb(text, length, JSON_DECODE_ANY, NULL);
	char *wrong = object ? take_object(recording, object, whose) : NULL;
	bool taken = object && wrong == NULL;

	*why = wrong ? memory_format(" (%s)", wrong) : memory_text("");
	free(wrong);
	json_decref(object);
	return taken;
}

bool line_held(const char **at, struct line_held *held)
{
	uint64_t *numbers[] = {&held->fd, &held->dev, &held->ino};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char *end;

		*numbers[i] = strtoull(*at, &end, 10);
		if (end == *at)
			return false;
		*at = end + (*end != 0);
	}
	return true;
}

/* Of what was there when it ended; a recording that was made by hand, or by an earlier version, does not say. */
static void tell_length(struct recording *recording, const char *path, uint64_t bytes)
{
	uint64_t had = recording->line_bytes;

	if (had == 0 || bytes == had)
		return;
	recording->lines_gone = true;
	recording_problem(recording,
			  bytes < had ? memory_format("%s is cut short: %" PRIu64 " of its %" PRIu64
						      " bytes are gone, and how processes ended may not be known",
						      path, had - bytes, had)
				      : memory_format("%s is not as it was when the recording ended: %" PRIu64
						      " bytes are more than its %" PRIu64
						      ", and how processes ended may not be known",
						      path, bytes - had, had));
}

static void tell_others(struct recording *recording, const char *path, const struct whose *whose)
{
	recording->lines_gone = true;
	recording_problem(recording, memory_format(whose->own ? "%s has lines of another recording, which are not used"
							      : "%s is of another recording, and not used",
						   path));
}

void recording_lines_take(struct recording *recording, const char *dir)
{
	char *path = memory_format("%s/processes.jsonl", dir), *text = NULL, *why = NULL;
	size_t room = 0, number = 0, first = 0, bad = 0, problems = recording->problem_count;
	FILE *file = recording_file(recording, path);
	struct whose whose = {0};
	bool refused = recording->problem_count > problems;
	uint64_t bytes = 0;
	ssize_t length;

	while (file && (length = getline(&text, &room, file)) > 0) {
		char *wrong;

		number++;
		bytes += (uint64_t)length;
		if (!take_text(recording, text, (size_t)length, &whose, &wrong) &&
		    (recording->ended || text[length - 1] == '\n') && bad++ == 0) {
			first = number;
			why = memory_text(wrong);
		}
		free(wrong);
	}
	recording->lines_gone = bad > 0 || refused;
	if (bad)
		recording_problem(recording,
				  memory_format("%s is damaged in line %zu%s%s: what cannot be read was left out", path,
						first, why, bad > 1 ? " and others" : ""));
	/* Of what may not be read, or is another's, enough is said. */
	if (whose.others)
		tell_others(recording, path, &whose);
	else if (!refused)
		tell_length(recording, path, bytes);
	if (file)
		fclose(file);
	free(text);
	free(path);
	free(why);
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* Merge sort, as glibc's qsort is none when memory is short. */
void recording_lines_sort(struct recording *recording)
{
	for (size_t i = 1; i < recording->line_count; i++) {
		if (by_time(&recording->lines[i - 1], &recording->lines[i]) > 0) {
			qsort(recording->lines, recording->line_count, sizeof(*recording->lines), by_time);
			return;
		}
	}
}
