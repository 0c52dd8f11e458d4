#include "recording_parts.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* A fleet's recordings are sorted by machine and by day, not deeper; and whole file systems are not to be searched. */
#define DEPTH_MAX 5

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_known(const struct recording *whole, uint32_t id)
{
	for (size_t i = 0; i < whole->part_count; i++)
		if (whole->parts[i]->id == id)
			return true;
	return false;
}

static void own(struct recording *whole, const char *path, uint32_t id)
{
	whole->owners = memory_grow(whole->owners, whole->owner_count, sizeof(*whole->owners));
	whole->owners[whole->owner_count++] = (struct trace_owner){memory_text(path), id};
}

/* Of a copy of one that is known only the place is: its trace's packets are read once anyway. */
static void add(struct recording *whole, const char *path)
{
	char *error = NULL;
	struct recording *part = recording_read_one(path, &error);

	if (part == NULL) {
		recording_problem(whole, error);
		return;
	}
	/* Its recording.json is damaged: its trace is read as one that lies there alone. */
	if (!part->described) {
		for (size_t i = 0; i < part->problem_count; i++)
			recording_problem(whole, memory_text(part->problems[i]));
		recording_free(part);
		return;
	}
	own(whole, path, part->id);
	if (is_known(whole, part->id)) {
		recording_free(part);
		return;
	}
	whole->parts = memory_grow(whole->parts, whole->part_count, sizeof(*whole->parts));
	whole->parts[whole->part_count++] = part;
}

static void find(struct recording *whole, const char *dir)
{
	char *roots[] = {(char *)(uintptr_t)dir, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW | FTS_XDEV, by_name);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info == FTS_D && (entry->fts_level > DEPTH_MAX || !strcmp(entry->fts_name, "index"))) {
			fts_set(walk, entry, FTS_SKIP);
		} else if (entry->fts_info == FTS_F && entry->fts_level > 1 &&
			   strcmp(entry->fts_name, "recording.json") == 0) {
			char *place = strndup(entry->fts_path, (size_t)(entry->fts_pathlen - entry->fts_namelen - 1));

			add(whole, place);
			free(place);
		}
	}
	if (walk)
		fts_close(walk);
}

static void add_problem_of(struct recording *whole, const struct recording *part, const char *text)
{
	recording_problem(whole, memory_format("%s: %s", part->dir, text));
}

static void take_problems(struct recording *whole, const struct recording *part)
{
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

/* Paths in the sources are shortened where all were recorded in one directory. */
static void agree(struct recording *whole, const struct recording *part, bool first)
{
	if (first && part->cwd)
		whole->cwd = memory_text(part->cwd);
	if (whole->cwd && (part->cwd == NULL || strcmp(whole->cwd, part->cwd) != 0)) {
		free(whole->cwd);
		whole->cwd = NULL;
	}
	if (first || (part->started && part->started < whole->started))
		whole->started = part->started;
	if (first || (whole->ended && (part->ended == 0 || part->ended > whole->ended)))
		whole->ended = part->ended;
	whole->emptied = (first || whole->emptied) && part->emptied;
	whole->newest |= part->newest;
	whole->stream_bytes += part->stream_bytes;
}

void recording_parts_find(struct recording *whole, const char *dir)
{
	find(whole, dir);
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
	for (size_t i = 0; i < whole->owner_count; i++)
		free(whole->owners[i].path);
	free(whole->parts);
	free(whole->owners);
}
