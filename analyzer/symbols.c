#include "analyzer/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/regular_file.h"
#include "analyzer/shape.h"
#include "analyzer/symbols_module.h"

#define SCHEMA "shmguard-symbols/1"

struct symbols_source {
	char *path; /* valid UTF-8 */
	char *build_id;
	struct symbols_module *module;
};

/* One answer. */
struct symbols_entry {
	size_t source;
	uint64_t address;
	struct symbols_answer symbol;
	char *why; /* owns symbol.why */
};

struct symbols {
	struct symbols_source *source;
	size_t count;
	void *entries; /* a tree of tsearch(3) */
};

static int symbols_compare(const void *left, const void *right)
{
	const struct symbols_entry *a = left, *b = right;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	return a->address < b->address ? -1 : a->address > b->address;
}

static void symbols_free_entry(void *data)
{
	struct symbols_entry *entry = data;
	size_t i;

	for (i = 0; i < entry->symbol.count; i++) {
		free((char *)entry->symbol.frames[i].function);
		free((char *)entry->symbol.frames[i].file);
		free((char *)entry->symbol.frames[i].own);
	}
	free(entry->symbol.frames);
	free(entry->why);
	free(entry);
}

static size_t symbols_source(struct symbols *symbols, const char *path, const char *build_id)
{
	char *clean = escape_utf8(path);
	size_t i;

	for (i = 0; i < symbols->count; i++)
		if (!strcmp(symbols->source[i].path, clean) && !strcmp(symbols->source[i].build_id, build_id))
			break;
	if (i < symbols->count) {
		free(clean);
	} else {
		symbols->source = memory_grow(symbols->source, symbols->count, sizeof(*symbols->source));
		symbols->source[symbols->count++] =
			(struct symbols_source){.path = clean, .build_id = escape_utf8(build_id)};
	}
	return i;
}

/* The entry for this place, a new and empty one if there is none yet. */
static struct symbols_entry *symbols_entry(struct symbols *symbols, size_t source, uint64_t address, bool *is_new)
{
	struct symbols_entry *entry = memory_new(1, sizeof(*entry)), **found;

	*entry = (struct symbols_entry){.source = source, .address = address};
	found = tsearch(entry, &symbols->entries, symbols_compare);
	*is_new = found && *found == entry;
	if (!*is_new)
		free(entry);
	return found ? *found : NULL;
}

const struct symbols_answer *symbols_resolve(struct symbols *symbols, const char *path, const char *build_id,
					     uint64_t offset, enum symbols_address what)
{
	static const struct symbols_answer nothing = {.why = "out of memory"};
	uint64_t address = what == SYMBOLS_RETURN && offset ? offset - 1 : offset;
	size_t source = symbols_source(symbols, path, build_id);
	struct symbols_entry *entry;
	bool is_new;

	entry = symbols_entry(symbols, source, address, &is_new);
	if (!entry)
		return &nothing;
	if (is_new) {
		if (!symbols->source[source].module)
			symbols->source[source].module = symbols_module_open(path, build_id);
		symbols_module_look_up(symbols->source[source].module, address, &entry->symbol);
		if (entry->symbol.why)
			entry->symbol.why = entry->why = memory_text(entry->symbol.why);
	}
	return &entry->symbol;
}

void symbols_close(struct symbols *symbols)
{
	size_t i;

	if (!symbols)
		return;
	tdestroy(symbols->entries, symbols_free_entry);
	for (i = 0; i < symbols->count; i++) {
		symbols_module_close(symbols->source[i].module);
		free(symbols->source[i].path);
		free(symbols->source[i].build_id);
	}
	free(symbols->source);
	free(symbols);
}

static char *symbols_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? escape_undo(text) : NULL;
}

static void symbols_load_frames(struct symbols_answer *symbol, const json_t *frames)
{
	size_t i;

	symbol->count = json_array_size(frames);
	symbol->frames = memory_new(symbol->count, sizeof(*symbol->frames));
	for (i = 0; i < symbol->count; i++) {
		const json_t *from = json_array_get(frames, i);

		symbol->frames[i] = (struct symbols_frame){
			.function = symbols_text(from, "function"),
			.into = (uint64_t)json_integer_value(json_object_get(from, "into")),
			.file = symbols_text(from, "file"),
			.line = (unsigned)json_integer_value(json_object_get(from, "line")),
			.inlined = json_is_true(json_object_get(from, "inlined")),
			.borrowed = json_is_true(json_object_get(from, "borrowed")),
			.own = symbols_text(from, "own"),
		};
	}
}

static void symbols_load_module(struct symbols *symbols, json_t *module)
{
	const char *path = json_string_value(json_object_get(module, "path"));
	const char *build_id = json_string_value(json_object_get(module, "build_id"));
	struct symbols_entry *entry;
	const char *address;
	size_t source;
	json_t *value;
	bool is_new;

	source = symbols_source(symbols, path, build_id);
	json_object_foreach(json_object_get(module, "addresses"), address, value)
	{
		entry = symbols_entry(symbols, source, strtoull(address, NULL, 16), &is_new);
		if (!entry || !is_new)
			continue;
		if (json_is_array(value))
			symbols_load_frames(&entry->symbol, value);
		else
			entry->symbol.why = entry->why = memory_text(json_string_value(value));
	}
}

void symbols_add(struct symbols *symbols, const char *dir, char **problem)
{
	char *path = memory_format("%s/symbols.json", dir);
	uint64_t size;
	int fd = regular_file_open(path, &size), why = errno;
	json_error_t error;
	json_t *all, *modules;
	char *wrong = NULL;
	size_t i;

	*problem = NULL;
	if (fd < 0 && (why == ENOENT || why == ENOTDIR)) {
		free(path);
		return;
	}
	all = fd < 0 ? NULL : json_loadfd(fd, 0, &error);
	if (fd >= 0)
		close(fd);
	if (fd < 0 && why == EINVAL)
		*problem = memory_format("%s is not a file: names are looked up on this machine", path);
	else if (!all)
		*problem = memory_format("%s: %s: names are looked up on this machine", path,
					 fd < 0 ? strerror(why) : error.text);
	else if (!json_is_string(json_object_get(all, "schema")) ||
		 strcmp(json_string_value(json_object_get(all, "schema")), SCHEMA))
		*problem = memory_format("%s is not " SCHEMA ": names are looked up on this machine", path);
	else if ((wrong = shape_wrong(SHAPE_SYMBOLS, all)))
		*problem = memory_format("%s: %s: names are looked up on this machine", path, wrong);
	modules = *problem ? NULL : json_object_get(all, "modules");
	for (i = 0; i < json_array_size(modules); i++)
		symbols_load_module(symbols, json_array_get(modules, i));
	json_decref(all);
	free(wrong);
	free(path);
}

struct symbols *symbols_open(const char *dir, char **problem)
{
	struct symbols *symbols = memory_new(1, sizeof(*symbols));

	*problem = NULL;
	if (dir)
		symbols_add(symbols, dir, problem);
	return symbols;
}

/* NULL for NULL. */
static json_t *symbols_json(const char *bytes)
{
	char *text = bytes ? escape_utf8(bytes) : NULL;
	json_t *string = text ? json_string(text) : NULL;

	free(text);
	return string;
}

static json_t *symbols_frames(const struct symbols_answer *symbol)
{
	json_t *frames = json_array();
	size_t i;

	for (i = 0; i < symbol->count; i++) {
		const struct symbols_frame *from = &symbol->frames[i];
		json_t *frame = json_pack("{s:o*, s:o*}", "function", symbols_json(from->function), "file",
					  symbols_json(from->file));

		if (from->line)
			json_object_set_new(frame, "line", json_integer(from->line));
		if (from->into)
			json_object_set_new(frame, "into", json_integer((json_int_t)from->into));
		if (from->inlined)
			json_object_set_new(frame, "inlined", json_true());
		if (from->borrowed)
			json_object_set_new(frame, "borrowed", json_true());
		if (from->own)
			json_object_set_new(frame, "own", symbols_json(from->own));
		json_array_append_new(frames, frame);
	}
	return frames;
}

struct symbols_writing {
	size_t source;
	json_t *addresses;
};

static void symbols_write_entry(const void *node, VISIT visit, void *context)
{
	const struct symbols_entry *entry = *(struct symbols_entry *const *)node;
	struct symbols_writing *writing = context;
	char key[17];

	if ((visit != postorder && visit != leaf) || entry->source != writing->source)
		return;
	snprintf(key, sizeof(key), "%" PRIx64, entry->address);
	json_object_set_new(writing->addresses, key,
			    entry->symbol.count ? symbols_frames(&entry->symbol) : json_string(entry->symbol.why));
}

/* Under another name first, so that a full disk leaves the old file or none. */
static int symbols_write(json_t *all, const char *dir)
{
	char *path = memory_format("%s/symbols.json", dir), *draft = memory_format("%s/symbols.json.new", dir);
	int result = json_dump_file(all, draft, JSON_COMPACT), error;

	if (!result)
		result = rename(draft, path);
	error = errno;
	if (result)
		unlink(draft);
	free(draft);
	free(path);
	errno = error;
	return result;
}

int symbols_save(const struct symbols *symbols, const char *dir)
{
	json_t *modules = json_array();
	json_t *all = json_pack("{s:s, s:o}", "schema", SCHEMA, "modules", modules);
	int result;
	size_t i;

	for (i = 0; i < symbols->count; i++) {
		struct symbols_writing writing = {.source = i, .addresses = json_object()};

		twalk_r(symbols->entries, symbols_write_entry, &writing);
		json_array_append_new(modules, json_pack("{s:s, s:s, s:o}", "path", symbols->source[i].path, "build_id",
							 symbols->source[i].build_id, "addresses", writing.addresses));
	}
	result = symbols_write(all, dir);
	json_decref(all);
	return result;
}
