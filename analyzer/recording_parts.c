#include "recording_parts.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "recording_inner.h"

/* A fleet's recordings are sorted by machine and by day, not deeper; and whole file systems are not to be searched. */
#define DEPTH_MAX 5

/* What lies below the directory. */
struct search {
	struct recording *whole;
	struct recording **bare; /* with a recording.json that tells nothing */
	size_t bare_count;
	char **places; /* where traces lie, of recordings that may have none */
	size_t place_count;
	bool several; /* one of the places has a trace as recordings have it, in a directory of that name */
};

/* The ids of the events of a trace of which nothing tells, each once. */
struct ids {
	uint32_t *all;
	size_t count;
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The part, whichever it is, that has events of this id. */
static const struct recording *known(const struct recording *whole, uint32_t id)
{
	const struct recording *part = recording_part(whole, id);

	return part == whole ? NULL : part;
}

/* host: of that which is described; else the trace says what it is. */
static void own(struct recording *whole, const char *path, uint32_t id, const char *host)
{
	whole->owners = memory_grow(whole->owners, whole->owner_count, sizeof(*whole->owners));
	whole->owners[whole->owner_count++] = (struct trace_owner){
		.path = memory_text(path), .recording = id, .host = host ? memory_text(host) : NULL};
}

static void add(struct recording *whole, struct recording *part)
{
	whole->parts = memory_grow(whole->parts, whole->part_count, sizeof(*whole->parts));
	whole->parts[whole->part_count++] = part;
}

static struct recording *bare_new(const char *path)
{
	struct recording *part = memory_new(1, sizeof(*part));

	part->dir = memory_text(path);
	return part;
}

/* Of a copy of one that is known only the place is: its trace's packets are read once anyway. */
static void take_recording(struct search *search, const char *path)
{
	struct recording *whole = search->whole, *part;
	char *error = NULL;

	part = recording_read_one(path, &error);
	if (part == NULL) {
		part = bare_new(path);
		recording_problem(part, error);
	}
	if (!part->described) {
		search->bare = memory_grow(search->bare, search->bare_count, sizeof(struct recording *));
		search->bare[search->bare_count++] = part;
		return;
	}
	own(whole, path, part->id, part->host);
	if (known(whole, part->id))
		recording_free(part);
	else
		add(whole, part);
}

/* Where the recording would lie whose trace this is metadata of, as LTTng lays it and `run` has it laid; NULL: where all do. */
static char *place_of(const FTSENT *metadata, bool *ours)
{
	const FTSENT *place = metadata->fts_parent;

	for (const FTSENT *at = metadata->fts_parent; at->fts_level > 0; at = at->fts_parent) {
		*ours = strcmp(at->fts_name, "trace") == 0;
		if (*ours || (place == metadata->fts_parent && strcmp(at->fts_name, "ust") == 0))
			place = at->fts_parent;
		if (*ours)
			break;
	}
	return place->fts_level ? strndup(metadata->fts_path, place->fts_pathlen) : NULL;
}

static void take_trace(struct search *search, const FTSENT *metadata)
{
	bool ours = false;
	char *place = place_of(metadata, &ours);

	if (place == NULL)
		return;
	search->several |= ours;
	search->places = memory_grow(search->places, search->place_count, sizeof(char *));
	search->places[search->place_count++] = place;
}

static void find(struct search *search, const char *dir)
{
	char *roots[] = {(char *)(uintptr_t)dir, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW | FTS_XDEV, by_name);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info == FTS_D &&
		    (entry->fts_level > TRACE_DEPTH_MAX || !strcmp(entry->fts_name, "index"))) {
			fts_set(walk, entry, FTS_SKIP);
		} else if (entry->fts_info != FTS_DP && entry->fts_level > 1 && entry->fts_level <= DEPTH_MAX + 1 &&
			   strcmp(entry->fts_name, "recording.json") == 0) {
			char *place = strndup(entry->fts_path, (size_t)(entry->fts_pathlen - entry->fts_namelen - 1));

			take_recording(search, place);
			free(place);
		} else if (entry->fts_info == FTS_F && entry->fts_level > 1 && !strcmp(entry->fts_name, "metadata")) {
			take_trace(search, entry);
		}
	}
	if (walk)
		fts_close(walk);
}

static int take_id(void *context, const struct trace_event *event)
{
	struct ids *ids = context;
	uint32_t id = event->event.head.recording;

	for (size_t i = ids->count; i > 0; i--)
		if (ids->all[i - 1] == id)
			return 0;
	ids->all = memory_grow(ids->all, ids->count, sizeof(*ids->all));
	ids->all[ids->count++] = id;
	return 0;
}

/* What is wrong with the trace the reading of all of them tells, but not where this one alone came to no end. */
static struct ids read_trace(struct recording *part)
{
	const struct trace_scope scope = {.part = true};
	struct trace_totals totals = {0};
	char *trace = recording_trace(part->dir), *error = NULL;
	struct ids ids = {0};

	trace_read(trace, &scope, take_id, &ids, &totals, &error);
	part->first = totals.first;
	part->last = totals.cut ? 0 : totals.last;
	part->stream_bytes = totals.bytes;
	if (totals.cut)
		recording_problem(part,
				  memory_format("%s: a first reading of the trace, for whose its events are, ended "
						"early: %s",
						part->dir, totals.cut));
	trace_totals_clear(&totals);
	free(error);
	free(trace);
	return ids;
}

/* Those that no part has are the part's. */
static bool take_ids(const struct recording *whole, struct recording *part, const struct ids *ids)
{
	bool any = false;

	part->others = memory_new(ids->count, sizeof(*part->others));
	for (size_t i = 0; i < ids->count; i++) {
		if (known(whole, ids->all[i]))
			continue;
		if (any)
			part->others[part->other_count++] = ids->all[i];
		else
			part->id = ids->all[i];
		any = true;
	}
	return any;
}

/* Those of one that is not described name their files themselves. */
static void hand_problems(struct recording *whole, const struct recording *part)
{
	for (size_t i = 0; i < part->problem_count; i++)
		recording_problem(whole, memory_text(part->problems[i]));
}

/* One of which only the trace tells, if that is none of a part already. */
static void take_bare(struct recording *whole, struct recording *part)
{
	struct ids ids = read_trace(part);
	const struct recording *copied = ids.count == 1 ? known(whole, ids.all[0]) : NULL;

	own(whole, part->dir, copied && copied->described ? copied->id : 0, copied ? copied->host : NULL);
	if (take_ids(whole, part, &ids)) {
		recording_problem(part, recording_bare(part->dir));
		add(whole, part);
	} else {
		hand_problems(whole, part);
		recording_free(part);
	}
	free(ids.all);
}

static bool is_owned(const struct recording *whole, const char *path)
{
	for (size_t i = 0; i < whole->owner_count; i++)
		if (trace_owner_has(&whole->owners[i], path))
			return true;
	return false;
}

/* Traces that lie there alone, as chunks of a rotation do, are of one recording; beside others each is its own. */
static void sort_out(struct search *search)
{
	struct recording *whole = search->whole;

	for (size_t i = 0; i < search->bare_count; i++)
		take_bare(whole, search->bare[i]);
	for (size_t i = 0; i < search->place_count; i++) {
		if ((search->several || whole->owner_count) && !is_owned(whole, search->places[i]))
			take_bare(whole, bare_new(search->places[i]));
		free(search->places[i]);
	}
	free(search->bare);
	free(search->places);
}

/* One that names a file of its own says whose it is. */
static void add_problem_of(struct recording *whole, const struct recording *part, const char *text)
{
	size_t length = strlen(part->dir);
	bool says = strncmp(text, part->dir, length) == 0 && text[length] == '/';

	recording_problem(whole, says ? memory_text(text) : memory_format("%s: %s", part->dir, text));
}

static void take_problems(struct recording *whole, const struct recording *part)
{
	if (!part->described) {
		hand_problems(whole, part);
		return;
	}
	for (size_t i = 0; i < part->problem_count; i++)
		add_problem_of(whole, part, part->problems[i]);
	if (part->ended == 0)
		add_problem_of(whole, part, "the recording did not end properly, or is still being made");
	if (!part->looked)
		add_problem_of(whole, part,
			       "what was left in /dev/shm is not known: there is no look at it from the end");
	if (part->emptied)
		add_problem_of(whole, part,
			       "there was no error, so no call was kept: it was made with --snapshot-on=error");
}

/* The lines are the whole's from here on, as they are to be taken in one order of time. */
static void take_lines(struct recording *whole, struct recording *part)
{
	for (size_t i = 0; i < part->line_count; i++) {
		whole->lines = memory_grow(whole->lines, whole->line_count, sizeof(*whole->lines));
		whole->lines[whole->line_count] = part->lines[i];
		whole->lines[whole->line_count++].recording = part->id;
	}
	free(part->lines);
	part->lines = NULL;
	part->line_count = 0;
}

/* Paths in the sources are shortened where all that tell of it were recorded in one directory. */
static void agree(struct recording *whole, const struct recording *part, bool first)
{
	int64_t started = part->described ? part->started : part->first,
		ended = part->described ? part->ended : part->last;

	if (first && part->cwd)
		whole->cwd = memory_text(part->cwd);
	if (whole->cwd && part->described && (part->cwd == NULL || strcmp(whole->cwd, part->cwd) != 0)) {
		free(whole->cwd);
		whole->cwd = NULL;
	}
	if (started && (whole->started == 0 || started < whole->started))
		whole->started = started;
	if (first || (whole->ended && (ended == 0 || ended > whole->ended)))
		whole->ended = ended;
	whole->emptied = (first || whole->emptied) && part->emptied;
	whole->newest |= part->newest;
	whole->stream_bytes += part->stream_bytes;
}

static bool is_at_one_time(const struct recording *a, const struct recording *b)
{
	return (b->ended == 0 || a->started < b->ended) && (a->ended == 0 || b->started < a->ended);
}

/* Numbers mean the same as long as one kernel runs, those of a tmpfs, whose device another gets after it, while it is there. */
static bool is_one_ground(const struct recording *a, const struct recording *b)
{
	if (!a->boot || !b->boot || strcmp(a->boot, b->boot) != 0 || !a->device || a->device != b->device)
		return false;
	return a->filesystem && b->filesystem ? strcmp(a->filesystem, b->filesystem) == 0 : is_at_one_time(a, b);
}

/* The time of day is corrected between two recordings: what one did before the other is told by the clock of both alone. */
static void share_clock(struct recording *whole, struct recording *part, const struct recording *ground)
{
	int64_t move;

	if (!part->clock || !ground->clock || __builtin_sub_overflow(ground->clock, part->clock, &move))
		return;
	recording_move(part, move);
	for (size_t i = 0; i < whole->owner_count; i++)
		if (whole->owners[i].recording == part->id)
			whole->owners[i].move = move;
}

static void share_objects_with(struct recording *whole, size_t first)
{
	struct recording *ground = whole->parts[first];

	for (size_t i = first + 1; i < whole->part_count; i++) {
		struct recording *part = whole->parts[i];

		if (!is_one_ground(ground, part))
			continue;
		part->ground = ground->ground = ground;
		ground->lets_go |= part->newest;
		share_clock(whole, part, ground);
	}
}

static void share_objects(struct recording *whole)
{
	for (size_t i = 0; i < whole->part_count; i++) {
		struct recording *part = whole->parts[i];

		if (part->ground)
			part->lets_go = part->ground->lets_go;
		else
			share_objects_with(whole, i);
	}
}

void recording_parts_find(struct recording *whole, const char *dir)
{
	struct search search = {.whole = whole};

	find(&search, dir);
	sort_out(&search);
	share_objects(whole);
	for (size_t i = 0; i < whole->part_count; i++) {
		struct recording *part = whole->parts[i];

		agree(whole, part, i == 0);
		take_problems(whole, part);
		take_lines(whole, part);
	}
}

void recording_parts_free(struct recording *whole)
{
	for (size_t i = 0; i < whole->part_count; i++)
		recording_free(whole->parts[i]);
	for (size_t i = 0; i < whole->owner_count; i++) {
		free(whole->owners[i].path);
		free(whole->owners[i].host);
	}
	free(whole->parts);
	free(whole->owners);
}
