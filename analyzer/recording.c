#include "recording.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "memory.h"
#include "recording_inner.h"
#include "recording_parts.h"
#include "regular_file.h"
#include "shape.h"
#include "trace_settings.h"

char *recording_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? escape_undo(text) : NULL;
}

int64_t recording_integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* NULL is the last of them. */
static void add_text(char ***texts, size_t *count, char *text)
{
	*texts = memory_grow(*texts, *count + 1, sizeof(**texts));
	(*texts)[(*count)++] = text;
	(*texts)[*count] = NULL;
}

void recording_problem(struct recording *recording, char *text)
{
	add_text(&recording->problems, &recording->problem_count, text);
}

FILE *recording_file(struct recording *recording, const char *path)
{
	uint64_t size;
	int fd = regular_file_open(path, &size);

	if (fd >= 0)
		return fdopen(fd, "r");
	if (errno == EINVAL)
		recording_problem(recording, memory_format("%s is not a file", path));
	else if (errno != ENOENT && errno != ENOTDIR)
		recording_problem(recording, memory_format("%s: %s", path, strerror(errno)));
	return NULL;
}

json_t *recording_load(struct recording *recording, const char *dir, const char *name)
{
	char *path = memory_format("%s/%s", dir, name);
	json_error_t why;
	FILE *file = recording_file(recording, path);
	json_t *root = NULL;

	if (file) {
		root = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
		fclose(file);
		if (!json_is_object(root)) {
			recording_problem(recording, root ? memory_format("%s is damaged: it is not an object", path)
							  : memory_format("%s is damaged: %s in line %d", path,
									  why.text, why.line));
			json_decref(root);
			root = NULL;
		}
	}
	free(path);
	return root;
}

bool recording_is_damaged(struct recording *recording, const char *dir, const char *name, enum shape shape,
			  const json_t *root)
{
	char *wrong = shape_wrong(shape, root);

	if (wrong)
		recording_problem(recording, memory_format("%s/%s is damaged: %s", dir, name, wrong));
	free(wrong);
	return wrong != NULL;
}

static char **texts_of(const json_t *array, size_t *count)
{
	char **texts = memory_new(1, sizeof(*texts));
	const json_t *element;
	size_t i, made = 0;

	json_array_foreach (array, i, element)
		add_text(&texts, &made, escape_undo(json_string_value(element)));
	if (count)
		*count = made;
	return texts;
}

/* 0 where it is none. */
static uint32_t id_of(const char *text)
{
	char *end = NULL;
	unsigned long id = text ? strtoul(text, &end, 16) : 0;

	return text && *end == '\0' ? (uint32_t)id : 0;
}

bool recording_owns(const struct recording *recording, const char *id)
{
	return id == NULL || id_of(id) == recording->id;
}

static bool take_description(struct recording *recording, const json_t *root, const char *dir, char **error)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));

	if (schema == NULL || strcmp(schema, "shmguard-recording/1") != 0) {
		*error = memory_format("%s/recording.json is not of a version that this program can read", dir);
		return false;
	}
	recording->id = id_of(json_string_value(json_object_get(root, "id")));
	if (recording->id == 0) {
		recording_problem(recording, memory_format("%s/recording.json is damaged: it has no valid id", dir));
		return true;
	}
	if (recording_is_damaged(recording, dir, "recording.json", SHAPE_DESCRIPTION, root)) {
		recording->id = 0;
		return true;
	}
	recording->described = true;
	recording->host = recording_text(root, "host");
	recording->boot = recording_text(root, "boot");
	recording->command = texts_of(json_object_get(root, "command"), NULL);
	recording->cwd = recording_text(root, "cwd");
	recording->started = recording_integer(root, "started");
	recording->ended = recording_integer(root, "ended");
	recording->gone = recording_integer(root, "gone");
	if (recording_integer(root, "stream_bytes") > 0)
		recording->stream_bytes = (uint64_t)recording_integer(root, "stream_bytes");
	if (recording_integer(root, "processes_bytes") > 0)
		recording->line_bytes = (uint64_t)recording_integer(root, "processes_bytes");
	recording->command_pid = (pid_t)recording_integer(root, "command_pid");
	recording->command_ended = json_is_integer(json_object_get(root, "command_status"));
	recording->command_status = (int)recording_integer(root, "command_status");
	if (recording_integer(root, "oom_kills") > 0)
		recording->oom_kills = (uint64_t)recording_integer(root, "oom_kills");
	recording->secrets = json_incref(json_object_get(root, "secrets"));
	recording->newest = json_object_get(root, "max_size") || json_object_get(root, "snapshot_on");
	recording->lets_go = recording->newest;
	recording->clock = recording_integer(root, "clock");
	recording->holds = json_is_true(json_object_get(root, "holds"));
	recording->turns = json_is_true(json_object_get(root, "turns"));
	recording->emptied = json_is_false(json_object_get(root, "trace_kept"));
	recording->unlooked = json_is_false(json_object_get(root, "looked_first"));
	recording->problems = texts_of(json_object_get(root, "problems"), &recording->problem_count);
	return true;
}

/* Nanoseconds: a clock is corrected while a recording begins, and a machine may sleep. */
enum { START_LATE = 1000000000 };
static const int64_t start_early = 86400 * (int64_t)1000000000;

/* Whether the recording may have started then, by the time of something that came soon after; 0: that is not known. */
static bool start_fits(int64_t started, int64_t after)
{
	return after == 0 || (started <= after + START_LATE && started >= after - start_early);
}

/* When the first process told that it began; 0: none has. */
static int64_t first_process(const struct recording *recording)
{
	for (size_t i = 0; i < recording->line_count; i++)
		if (recording->lines[i].type == LINE_start)
			return recording->lines[i].time;
	return 0;
}

/* All times are told from the start on: one that nothing else agrees with is not used. `looked`: the first look; 0: unknown. */
static void check_start(struct recording *recording, const char *dir, int64_t looked)
{
	int64_t process = first_process(recording), after = process ? process : looked, started = recording->started;
	bool late = after == 0 && recording->ended && started > recording->ended;

	if (started > 0 && !late &&
	    ((process && start_fits(started, process)) || start_fits(started, looked ? looked : process)))
		return;
	recording->started = after;
	recording_problem(recording, memory_format("%s/recording.json: started: %" PRId64
						   " is no time that it can have started, by %s"
						   ", and not used",
						   dir, started,
						   started <= 0 ? "any clock"
						   : process    ? "processes.jsonl"
						   : looked     ? "shm-before.json"
								: "its end"));
}

static void move(int64_t *time, int64_t offset)
{
	int64_t moved;

	if (*time && !__builtin_add_overflow(*time, offset, &moved))
		*time = moved;
}

void recording_move(struct recording *recording, int64_t offset)
{
	move(&recording->started, offset);
	move(&recording->ended, offset);
	move(&recording->gone, offset);
	move(&recording->looked_at, offset);
	for (size_t i = 0; i < recording->line_count; i++)
		move(&recording->lines[i].time, offset);
	for (size_t i = 0; i < recording->usage_count; i++) {
		move(&recording->usages[i].from, offset);
		move(&recording->usages[i].until, offset);
	}
}

struct recording *recording_read_one(const char *dir, char **error)
{
	struct recording *recording = memory_new(1, sizeof(*recording));
	json_t *description;
	bool good;

	*error = NULL;
	description = recording_load(recording, dir, "recording.json");
	good = description == NULL || take_description(recording, description, dir, error);
	/* Without a description the other files are of no recording that we know. */
	if (good && recording->described) {
		int64_t looked = recording_look_first(recording, dir);

		recording_lines_take(recording, dir);
		recording_lines_sort(recording);
		check_start(recording, dir, looked);
		recording_look_last(recording, dir);
		/* It sets the clock of all that the host wrote. */
		recording_move(recording, recording->host ? trace_clock_offset(recording->host) : 0);
	}
	recording->dir = memory_text(dir);
	json_decref(description);
	if (good)
		return recording;
	recording_free(recording);
	return NULL;
}

struct recording *recording_read(const char *dir, char **error)
{
	struct recording *recording = recording_read_one(dir, error);

	if (recording == NULL || recording->described)
		return recording;
	recording_parts_find(recording, dir);
	recording_lines_sort(recording);
	return recording;
}

char *recording_trace(const char *dir)
{
	char *path = memory_format("%s/trace", dir);
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return path;
	free(path);
	return memory_text(dir);
}

char *recording_bare(const char *dir)
{
	char *file = memory_format("%s/recording.json", dir);
	char *text = memory_format("%s %s: what was recorded, how processes ended and what was left in /dev/shm is "
				   "known from the trace alone",
				   file, access(file, F_OK) ? "is missing" : "cannot be used");

	free(file);
	return text;
}

/* Whether events with this id are of the recording. */
static bool has_id(const struct recording *recording, uint32_t id)
{
	for (size_t i = 0; i < recording->other_count; i++)
		if (recording->others[i] == id)
			return true;
	return recording->id == id;
}

const struct recording *recording_part(const struct recording *whole, uint32_t id)
{
	for (size_t i = 0; i < whole->part_count; i++)
		if (has_id(whole->parts[i], id))
			return whole->parts[i];
	return whole;
}

const struct recording *recording_each(const struct recording *whole, size_t index)
{
	if (whole->part_count == 0 && index == 0)
		return whole;
	return index < whole->part_count ? whole->parts[index] : NULL;
}

bool recording_shares(const struct recording *a, const struct recording *b)
{
	return a == b || (a && b && a->ground && a->ground == b->ground);
}

static int64_t last_known(const struct recording *recording)
{
	return recording->looked ? recording->looked_at : recording->ended ? recording->ended : INT64_MAX;
}

bool recording_outlasts(const struct recording *recording, const struct recording *other)
{
	return last_known(recording) > last_known(other);
}

bool recording_is_several(const struct recording *recording)
{
	return recording->part_count > 1;
}

struct trace_scope recording_scope(const struct recording *recording)
{
	return (struct trace_scope){.recording = recording->id,
				    .host = recording->described ? recording->host : NULL,
				    .owners = recording->owners,
				    .owner_count = recording->owner_count};
}

static void free_texts(char **texts)
{
	for (char **text = texts; text && *text; text++)
		free(*text);
	free(texts);
}

void recording_free(struct recording *recording)
{
	for (size_t i = 0; i < recording->line_count; i++) {
		free(recording->lines[i].exe);
		free(recording->lines[i].argv);
		free(recording->lines[i].holds);
		free(recording->lines[i].reason);
	}
	for (size_t i = 0; i < recording->usage_count; i++) {
		free(recording->usages[i].thp);
		free(recording->usages[i].mount);
	}
	free(recording->usages);
	recording_looks_free(recording);
	json_decref(recording->secrets);
	free(recording->lines);
	recording_parts_free(recording);
	free(recording->others);
	free(recording->dir);
	free(recording->host);
	free(recording->boot);
	free(recording->cwd);
	free_texts(recording->command);
	free_texts(recording->problems);
	free(recording);
}
