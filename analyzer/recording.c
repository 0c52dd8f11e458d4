#include "recording.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "memory.h"
#include "recording_parts.h"
#include "trace_settings.h"

static const char *const type_names[LINE_TYPE_COUNT] = {
	"start", "fork", "exec", "exec_failed", "spawn", "end", "leave", "blind", "reaped", "unseen",
};

static char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? escape_undo(text) : NULL;
}

static int64_t integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void recording_problem(struct recording *recording, char *text)
{
	recording->problems =
		memory_grow(recording->problems, recording->problem_count + 1, sizeof(*recording->problems));
	recording->problems[recording->problem_count++] = text;
	recording->problems[recording->problem_count] = NULL;
}

/* NULL without *error when there is no such file, or a damaged one, which is a problem of the recording. */
static json_t *load(struct recording *recording, const char *dir, const char *name, char **error)
{
	char *path = memory_format("%s/%s", dir, name);
	json_error_t why;
	FILE *file = fopen(path, "re");
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
	} else if (errno != ENOENT && errno != ENOTDIR) {
		*error = memory_format("%s: %s", path, strerror(errno));
	}
	free(path);
	return root;
}

static char **texts_of(const json_t *array, size_t *count)
{
	char **texts = memory_new(json_array_size(array) + 1, sizeof(*texts));
	const json_t *element;
	size_t i, made = 0;

	json_array_foreach (array, i, element)
		if (json_is_string(element))
			texts[made++] = escape_undo(json_string_value(element));
	if (count)
		*count = made;
	return texts;
}

static bool take_description(struct recording *recording, const json_t *root, const char *dir, char **error)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const char *id = json_string_value(json_object_get(root, "id"));
	char *end = NULL;

	if (schema == NULL || strcmp(schema, "shmguard-recording/1") != 0) {
		*error = memory_format("%s/recording.json is not of a version that this program can read", dir);
		return false;
	}
	recording->id = id ? (uint32_t)strtoul(id, &end, 16) : 0;
	if (recording->id == 0 || *end) {
		recording_problem(recording, memory_format("%s/recording.json is damaged: it has no valid id", dir));
		recording->id = 0;
		return true;
	}
	recording->described = true;
	recording->host = text_of(root, "host");
	recording->command = texts_of(json_object_get(root, "command"), NULL);
	recording->cwd = text_of(root, "cwd");
	recording->started = integer_of(root, "started");
	recording->ended = integer_of(root, "ended");
	if (integer_of(root, "stream_bytes") > 0)
		recording->stream_bytes = (uint64_t)integer_of(root, "stream_bytes");
	if (integer_of(root, "processes_bytes") > 0)
		recording->line_bytes = (uint64_t)integer_of(root, "processes_bytes");
	recording->command_pid = (pid_t)integer_of(root, "command_pid");
	recording->command_ended = json_is_integer(json_object_get(root, "command_status"));
	recording->command_status = (int)integer_of(root, "command_status");
	if (integer_of(root, "oom_kills") > 0)
		recording->oom_kills = (uint64_t)integer_of(root, "oom_kills");
	recording->secrets = json_incref(json_object_get(root, "secrets"));
	recording->newest = json_object_get(root, "max_size") || json_object_get(root, "snapshot_on");
	recording->turns = json_is_true(json_object_get(root, "turns"));
	recording->emptied = json_is_false(json_object_get(root, "trace_kept"));
	recording->problems = texts_of(json_object_get(root, "problems"), &recording->problem_count);
	return true;
}

static void take_leftover(struct leftover **all, size_t *count, const json_t *object)
{
	const json_t *holders = json_object_get(object, "holders"), *holder;
	struct leftover leftover = {
		.name = text_of(object, "name"),
		.dev = (uint64_t)integer_of(object, "dev"),
		.ino = (uint64_t)integer_of(object, "ino"),
		.size = (uint64_t)integer_of(object, "size"),
		.blocks = (uint64_t)integer_of(object, "blocks"),
		.mode = (mode_t)integer_of(object, "mode"),
		.uid = (uid_t)integer_of(object, "uid"),
		.holders_complete = json_is_true(json_object_get(object, "holders_complete")),
		.data = json_is_true(json_object_get(object, "data")),
	};
	size_t i;

	leftover.holders = memory_new(json_array_size(holders), sizeof(*leftover.holders));
	json_array_foreach (holders, i, holder)
		leftover.holders[leftover.holder_count++] = (pid_t)json_integer_value(holder);
	*all = memory_grow(*all, *count, sizeof(**all));
	(*all)[(*count)++] = leftover;
}

static void take_leftovers(struct leftover **all, size_t *count, const json_t *look)
{
	const json_t *object;
	size_t i;

	json_array_foreach (json_object_get(look, "objects"), i, object)
		take_leftover(all, count, object);
}

static void take_look(struct recording *recording, const json_t *look)
{
	recording->looked = true;
	recording->device = (uint64_t)integer_of(look, "device");
	take_leftovers(&recording->leftovers, &recording->leftover_count, look);
}

static void take_first_look(struct recording *recording, const json_t *look)
{
	const json_t *mount = json_object_get(look, "mount");

	recording->looked_first = json_is_array(json_object_get(look, "objects"));
	take_leftovers(&recording->before, &recording->before_count, look);
	recording->user = (uid_t)integer_of(look, "uid");
	if (!json_is_object(mount))
		return;
	recording->mount = (struct shm_mount){
		.known = true,
		.nosuid = json_is_true(json_object_get(mount, "nosuid")),
		.nodev = json_is_true(json_object_get(mount, "nodev")),
		.noexec = json_is_true(json_object_get(mount, "noexec")),
		.size = (uint64_t)integer_of(mount, "size"),
		.free = (uint64_t)integer_of(mount, "free"),
		.mode = (mode_t)integer_of(mount, "mode"),
		.uid = (uid_t)integer_of(mount, "uid"),
	};
}

static char *text_at(const json_t *texts, size_t index)
{
	const char *text = json_string_value(json_array_get(texts, index));

	return text ? escape_undo(text) : NULL;
}

static uint64_t amount_of(const json_t *object, const char *key)
{
	return (uint64_t)integer_of(object, key);
}

static void take_usage(struct recording *recording, const json_t *object)
{
	recording->usages = memory_grow(recording->usages, recording->usage_count, sizeof(*recording->usages));
	recording->usages[recording->usage_count++] = (struct usage){
		.pid = (pid_t)integer_of(object, "pid"),
		.from = integer_of(object, "since"),
		.until = integer_of(object, "time"),
		.dev = amount_of(object, "dev"),
		.ino = amount_of(object, "ino"),
		.length = amount_of(object, "length"),
		.page = amount_of(object, "page"),
		.rss = amount_of(object, "rss"),
		.referenced = amount_of(object, "referenced"),
		.huge = amount_of(object, "huge"),
		.swap = amount_of(object, "swap"),
		.locked = amount_of(object, "locked"),
		.cpu = integer_of(object, "cpu"),
		.wants_huge = json_is_true(json_object_get(object, "wants_huge")),
		.refuses_huge = json_is_true(json_object_get(object, "refuses_huge")),
		.memlock = amount_of(object, "memlock"),
		.pool = amount_of(object, "pool"),
		.thp = text_of(object, "thp"),
		.mount = text_of(object, "mount"),
	};
}

static bool take_line(struct recording *recording, const json_t *object)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	const json_t *texts = json_object_get(object, "texts");
	struct line line = {
		.pid = (pid_t)integer_of(object, "pid"),
		.ppid = (pid_t)integer_of(object, "ppid"),
		.child = (pid_t)integer_of(object, "child"),
		.uid = (uid_t)integer_of(object, "uid"),
		.status = (int)integer_of(object, "status"),
		.time = integer_of(object, "time"),
	};
	int i = 0;

	while (type && i < LINE_TYPE_COUNT && strcmp(type_names[i], type) != 0)
		i++;
	if (type == NULL)
		return false;
	if (!strcmp(type, "usage"))
		take_usage(recording, object);
	/* A later version may have more. */
	if (i == LINE_TYPE_COUNT)
		return true;
	line.type = (enum line_type)i;
	line.exe = text_of(object, "exe");
	line.reason = text_of(object, "reason");
	if (line.exe == NULL && (line.type == LINE_start || line.type == LINE_fork))
		line.exe = text_at(texts, 0);
	if (line.type == LINE_start)
		line.argv = text_at(texts, 1);
	if (line.type == LINE_blind && line.reason == NULL) {
		line.reason = text_at(texts, 0);
		line.exe = text_at(texts, 1);
	}
	recording->lines = memory_grow(recording->lines, recording->line_count, sizeof(*recording->lines));
	recording->lines[recording->line_count++] = line;
	return true;
}

/* Of what was there when it ended; a recording that was made by hand, or by an earlier version, does not say. */
static void tell_lines_gone(struct recording *recording, const char *path, uint64_t bytes)
{
	if (bytes >= recording->line_bytes)
		return;
	recording->lines_gone = true;
	recording_problem(recording, memory_format("%s is cut short: %" PRIu64 " of its %" PRIu64
						   " bytes are gone, and how processes ended may not be known",
						   path, recording->line_bytes - bytes, recording->line_bytes));
}

/* The last line of a recording that was killed may be cut short: it is left out without a word. */
static void take_lines(struct recording *recording, const char *dir, char **error)
{
	char *path = memory_format("%s/processes.jsonl", dir), *text = NULL;
	FILE *file = fopen(path, "re");
	size_t room = 0, number = 0, first = 0, bad = 0;
	uint64_t bytes = 0;
	ssize_t length;

	if (file == NULL && errno != ENOENT && errno != ENOTDIR)
		*error = memory_format("%s: %s", path, strerror(errno));
	while (file && (length = getline(&text, &room, file)) > 0) {
		json_t *object = json_loadb(text, (size_t)length, 0, NULL);

		number++;
		bytes += (uint64_t)length;
		if ((object == NULL || !take_line(recording, object)) &&
		    (recording->ended || text[length - 1] == '\n') && bad++ == 0)
			first = number;
		json_decref(object);
	}
	recording->lines_gone = bad > 0;
	if (bad)
		recording_problem(recording,
				  memory_format("%s is damaged in line %zu%s: what cannot be read was left out", path,
						first, bad > 1 ? " and others" : ""));
	if (*error == NULL)
		tell_lines_gone(recording, path, bytes);
	if (file)
		fclose(file);
	free(text);
	free(path);
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* Equal times keep their order in the file: merge sort, as glibc's qsort is none when memory is short. */
static void sort_lines(struct recording *recording)
{
	for (size_t i = 1; i < recording->line_count; i++) {
		if (by_time(&recording->lines[i - 1], &recording->lines[i]) > 0) {
			qsort(recording->lines, recording->line_count, sizeof(*recording->lines), by_time);
			return;
		}
	}
}

/* --clock-offset sets the clock of all that the host wrote. */
static void set_clock(struct recording *recording)
{
	int64_t offset = recording->host ? trace_clock_offset(recording->host) : 0;

	recording->started += recording->started ? offset : 0;
	recording->ended += recording->ended ? offset : 0;
	for (size_t i = 0; i < recording->line_count; i++)
		recording->lines[i].time += offset;
	for (size_t i = 0; i < recording->usage_count; i++) {
		recording->usages[i].from += offset;
		recording->usages[i].until += offset;
	}
}

struct recording *recording_read_one(const char *dir, char **error)
{
	struct recording *recording = memory_new(1, sizeof(*recording));
	json_t *description, *first = NULL, *look = NULL;
	bool good;

	*error = NULL;
	description = load(recording, dir, "recording.json", error);
	good = *error == NULL && (description == NULL || take_description(recording, description, dir, error));
	/* Without a description the other files are of no recording that we know. */
	if (good && recording->described) {
		first = load(recording, dir, "shm-before.json", error);
		if (first)
			take_first_look(recording, first);
		if (*error == NULL)
			look = load(recording, dir, "shm.json", error);
		if (look)
			take_look(recording, look);
		if (*error == NULL)
			take_lines(recording, dir, error);
		good = *error == NULL;
		sort_lines(recording);
		set_clock(recording);
	}
	recording->dir = memory_text(dir);
	json_decref(description);
	json_decref(first);
	json_decref(look);
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
	sort_lines(recording);
	return recording;
}

const struct recording *recording_part(const struct recording *whole, uint32_t id)
{
	for (size_t i = 0; i < whole->part_count; i++)
		if (whole->parts[i]->id == id)
			return whole->parts[i];
	return whole;
}

const struct recording *recording_each(const struct recording *whole, size_t index)
{
	if (whole->part_count == 0 && index == 0)
		return whole;
	return index < whole->part_count ? whole->parts[index] : NULL;
}

struct trace_scope recording_scope(const struct recording *recording)
{
	return (struct trace_scope){recording->id, recording->owners, recording->owner_count};
}

static const struct leftover *find_leftover(const struct leftover *all, size_t count, uint64_t dev, uint64_t ino)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].dev == dev && all[i].ino == ino)
			return &all[i];
	return NULL;
}

const struct leftover *recording_leftover(const struct recording *recording, uint64_t dev, uint64_t ino)
{
	return find_leftover(recording->leftovers, recording->leftover_count, dev, ino);
}

const struct leftover *recording_before(const struct recording *recording, uint64_t dev, uint64_t ino)
{
	return find_leftover(recording->before, recording->before_count, dev, ino);
}

static void free_texts(char **texts)
{
	for (char **text = texts; text && *text; text++)
		free(*text);
	free(texts);
}

static void free_leftovers(struct leftover *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(all[i].name);
		free(all[i].holders);
	}
	free(all);
}

void recording_free(struct recording *recording)
{
	for (size_t i = 0; i < recording->line_count; i++) {
		free(recording->lines[i].exe);
		free(recording->lines[i].argv);
		free(recording->lines[i].reason);
	}
	for (size_t i = 0; i < recording->usage_count; i++) {
		free(recording->usages[i].thp);
		free(recording->usages[i].mount);
	}
	free(recording->usages);
	free_leftovers(recording->leftovers, recording->leftover_count);
	free_leftovers(recording->before, recording->before_count);
	json_decref(recording->secrets);
	free(recording->lines);
	recording_parts_free(recording);
	free(recording->dir);
	free(recording->host);
	free(recording->cwd);
	free_texts(recording->command);
	free_texts(recording->problems);
	free(recording);
}
