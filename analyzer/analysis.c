#include "analysis.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge.h"
#include "map.h"
#include "memory.h"
#include "trace_reader.h"

static int take_event(void *context, const struct trace_event *event)
{
	struct analysis *analysis = context;

	if (analysis->from == 0)
		analysis->from = event->time;
	world_take(analysis->world, event);
	return 0;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *analysis_trace(const char *dir, char **error)
{
	if (is_directory(dir))
		return recording_trace(dir);
	*error = memory_format("%s: %s", dir[0] ? dir : "''",
			       access(dir, F_OK) < 0 ? strerror(errno) : "not a directory");
	return NULL;
}

/* 0 where the recording says all that there is to say: nothing that was recorded ever touched shared memory. */
static int without_trace(const struct recording *recording, int result, struct trace_totals *totals, char **error)
{
	if ((result != -ENOENT && result != -ENODATA) || !recording_each(recording, 0)->described)
		return result;
	/* Of a session whose daemon stopped as it began there may be a beginning of metadata. */
	if (result == -ENODATA)
		trace_problem(totals, *error);
	else
		free(*error);
	*error = NULL;
	return 0;
}

static char *all_gone(const struct recording *recording, const struct trace_totals *totals)
{
	bool whole = totals->bytes >= recording->stream_bytes && totals->bytes_lost == 0;

	if (totals->events || totals->foreign || totals->unknown || totals->cut)
		return NULL;
	if (whole || recording->stream_bytes == 0 || recording->emptied)
		return NULL;
	return memory_format("%s: the trace is gone: of the %" PRIu64 " bytes that were recorded none can be read",
			     recording->dir, recording->stream_bytes);
}

/* Rules that had no call to look at would all be passed. */
static char *calls_gone(const struct recording *recording, const struct trace_totals *totals)
{
	uint64_t read = totals->bytes > totals->bytes_lost ? totals->bytes - totals->bytes_lost : 0;

	if (totals->called || totals->cut || totals->bytes >= recording->stream_bytes || recording->emptied)
		return NULL;
	return memory_format("%s: the calls are gone: of the %" PRIu64 " bytes that were recorded %" PRIu64
			     " cannot be read, and there is no call in what is left",
			     recording->dir, recording->stream_bytes, recording->stream_bytes - read);
}

int analysis_refuse(const struct recording *recording, int result, struct trace_totals *totals, char **error)
{
	char *why;

	result = without_trace(recording, result, totals, error);
	if (result == 0 && ((*error = all_gone(recording, totals)) || (*error = calls_gone(recording, totals))))
		result = -1;
	/* What may not be read is not gone. */
	if (result < 0 && totals->refused) {
		free(*error);
		*error = memory_text(totals->refused);
	}
	if (result < 0 && recording->described && recording->ended == 0) {
		why = *error;
		*error = memory_format("%s; the recording is still being made, or did not end properly", why);
		free(why);
	}
	return result;
}

char *analysis_others(const struct recording *recording, const struct trace_totals *totals)
{
	if (recording->part_count || totals->events || totals->unknown || totals->foreign == 0)
		return NULL;
	/* What `run` records has no others' events, whoever records at the same time: the trace was put there. */
	return memory_format("none of the trace's %" PRIu64 " events is of %s", totals->foreign,
			     recording->described ? "this recording" : "shmguard");
}

/* Files that did not belong to the trace are worth a word, and nothing is missing where all that was recorded is there. */
static size_t harmless(const struct recording *recording, const struct trace_totals *totals)
{
	return recording->stream_bytes && totals->bytes >= recording->stream_bytes ? totals->strays : 0;
}

static void add_problem(struct analysis *analysis, char *text)
{
	analysis->problems = memory_grow(analysis->problems, analysis->problem_count, sizeof(*analysis->problems));
	analysis->problems[analysis->problem_count++] = text;
}

void analysis_remark(struct analysis *analysis, char *text)
{
	add_problem(analysis, text);
	analysis->remarks++;
}

static void list_unseen(struct analysis *analysis)
{
	for (size_t i = 0; i < analysis->recording->line_count; i++) {
		const struct line *line = &analysis->recording->lines[i];

		if (line->type != LINE_unseen && line->type != LINE_blind)
			continue;
		analysis->unseen = memory_grow(analysis->unseen, analysis->unseen_count, sizeof(*analysis->unseen));
		analysis->unseen[analysis->unseen_count++] = (struct unseen){
			line->pid, line->exe ? line->exe : "", line->reason ? line->reason : "the reason is not known"};
	}
}

/* Numbers of another machine, or of another time, are of other objects. */
static uint64_t device_of(const struct recording *recording, uint64_t dev)
{
	return dev ^ (uintptr_t)(recording && recording->ground ? recording->ground : recording) * 31;
}

static void list_appeared_in(struct analysis *analysis, const struct recording *recording, struct map *known)
{
	for (size_t i = 0; i < recording->leftover_count; i++) {
		const struct leftover *left = &recording->leftovers[i];
		uint64_t device = device_of(recording, left->dev);

		if (recording_before(recording, left->dev, left->ino) || map_get(known, device, left->ino))
			continue;
		map_put(known, device, left->ino, analysis);
		analysis->appeared =
			memory_grow(analysis->appeared, analysis->appeared_count, sizeof(*analysis->appeared));
		analysis->appeared[analysis->appeared_count++] = left;
	}
}

/* Another program made it, or this one, past the library. */
static void list_appeared(struct analysis *analysis)
{
	const struct world *world = analysis->world;
	const struct recording *recording;
	struct map known = {0};

	for (size_t i = 0; i < world->object_count; i++)
		map_put(&known, device_of(world->objects[i]->recording, world->objects[i]->dev), world->objects[i]->ino,
			analysis);
	for (size_t i = 0; (recording = recording_each(analysis->recording, i)); i++)
		if (recording->looked_first && recording->looked && !recording->newest)
			list_appeared_in(analysis, recording, &known);
	map_clear(&known);
}

/* Events that were let go, and when the first call was that is kept; 0: there is none. */
static uint64_t count_let_go(const struct world *world, const struct recording *recording, int64_t *kept)
{
	uint64_t count = 0;

	*kept = 0;
	for (size_t i = 0; i < world->process_count; i++) {
		const struct process *process = world->processes[i];

		if (process->recording != recording)
			continue;
		count += process->let_go;
		if (process->kept_from && (!*kept || process->kept_from < *kept))
			*kept = process->kept_from;
	}
	return count;
}

/* Where a recording is one of several, from its own start on. */
static char *let_go_time(const struct analysis *analysis, const struct recording *recording, int64_t time)
{
	bool alone = recording == analysis->recording;
	int64_t start = alone ? analysis->from : recording->described ? recording->started : recording->first;

	return memory_format("%.3f s%s on", (double)(time - start) / 1e9, alone ? "" : " after its own start");
}

/* Each processor keeps its own newest calls: those of one that had little to do may be older than others that were let go. */
static void tell_let_go(struct analysis *analysis, const struct recording *recording)
{
	int64_t kept, whole = world_let_go_until(analysis->world, recording);
	uint64_t count = count_let_go(analysis->world, recording, &kept);
	char *whose, *from, *parts;
	bool holes;

	if (count == 0)
		return;
	whose = recording == analysis->recording ? memory_text("") : memory_format("%s: ", recording->dir);
	from = let_go_time(analysis, recording, kept > whole ? kept : whole);
	parts = let_go_time(analysis, recording, kept);
	holes = strcmp(from, parts) != 0;
	if (kept)
		add_problem(analysis,
			    memory_format("%sthe recording keeps the newest calls, from %s%s%s: what older ones "
					  "left mapped or open is not told, as %" PRIu64 " %sbefore them were let go",
					  whose, from, holes ? ", and parts of older ones, from " : "",
					  holes ? parts : "", count, holes ? "between or " : ""));
	else
		add_problem(analysis, memory_format("%sthe recording keeps the newest calls: %" PRIu64
						    " were let go, and none is left",
						    whose, count));
	free(parts);
	free(from);
	free(whose);
}

/* A trace that lies where a recording has its own, and nothing beside it that tells of the recording. */
static char *description_gone(const struct recording *recording)
{
	char *trace = memory_format("%s/trace", recording->dir), *text = NULL;

	if (!recording->described && recording->part_count == 0 && is_directory(trace))
		text = recording_bare(recording->dir);
	free(trace);
	return text;
}

/* To make so many events, on all processors together. */
static bool there_was_time(const struct analysis *analysis, int64_t to, uint64_t events)
{
	return events == 0 || (to > analysis->from && events <= (uint64_t)(to - analysis->from));
}

static void take_skipped(struct analysis *analysis, const struct trace_totals *totals)
{
	analysis->foreign = totals->foreign;
	if (!recording_is_several(analysis->recording))
		return;
	analysis->skipped = memory_new(totals->share_count + 1, sizeof(*analysis->skipped));
	for (size_t i = 0; i < totals->share_count; i++) {
		struct trace_share *share = &analysis->skipped[analysis->skipped_count];

		if (totals->shares[i].skipped == 0)
			continue;
		*share = totals->shares[i];
		share->path = memory_text(share->path);
		analysis->skipped_count++;
	}
}

static void sum_up(struct analysis *analysis, struct trace_totals *totals)
{
	const struct recording *recording = analysis->recording;
	int64_t to = recording->ended ? recording->ended : totals->last;
	char *others = analysis_others(recording, totals);
	char *gap = analysis_gap(recording, totals), *packets = analysis_packets(recording, totals);
	char *gone = totals->events ? description_gone(recording) : NULL;

	analysis->events = totals->events;
	analysis->cut = totals->cut;
	totals->cut = NULL;
	take_skipped(analysis, totals);
	analysis->lost = analysis->world->lost;
	/* The tracer's own count cannot tell whose events they were: it is believed when all were ours. */
	if (!there_was_time(analysis, to, totals->discarded_events))
		add_problem(analysis,
			    memory_text("the trace is damaged: its count of lost events is more than there was "
					"time for, and not used"));
	else if (totals->foreign == 0 && totals->discarded_events > analysis->lost)
		analysis->lost = totals->discarded_events;
	analysis->unended = recording->described && recording->ended == 0;
	analysis->holes = gap || packets || totals->bytes_lost;
	analysis->tail = analysis->unended || analysis->holes;
	analysis->let_go = analysis->world->let_go;
	analysis->to = to;
	analysis->seconds = to > analysis->from ? (double)(to - analysis->from) / 1e9 : 0;

	for (size_t i = 0; i < recording->problem_count; i++)
		add_problem(analysis, memory_text(recording->problems[i]));
	for (size_t i = 0; i < totals->problem_count; i++)
		add_problem(analysis, memory_text(totals->problems[i]));
	if (gap)
		add_problem(analysis, gap);
	if (gone)
		add_problem(analysis, gone);
	if (packets)
		add_problem(analysis, packets);
	if (analysis->world->misnumbered)
		add_problem(analysis, memory_format("the trace is damaged: the numbers of %" PRIu64
						    " of its events cannot be theirs, and tell of no loss",
						    analysis->world->misnumbered));
	if (totals->unknown)
		add_problem(analysis, memory_format("%" PRIu64 " events are of a kind that this version does not know",
						    totals->unknown));
	if (recording->emptied && recording->part_count == 0)
		add_problem(analysis,
			    memory_text("there was no error, so no call was kept: the recording was made with "
					"--snapshot-on=error"));
	for (size_t i = 0; recording_each(recording, i); i++)
		tell_let_go(analysis, recording_each(recording, i));
	if (recording->part_count)
		tell_let_go(analysis, recording);
	if (others)
		add_problem(analysis, others);
	if (analysis->unended)
		add_problem(analysis, memory_text("the recording did not end properly, or is still being made"));
	if (recording->described && !recording->looked)
		add_problem(analysis,
			    memory_text("what was left in /dev/shm is not known: there is no look at it from the end"));
	list_unseen(analysis);
	analysis->complete = analysis->lost == 0 && analysis->problem_count == harmless(recording, totals);
	analysis->none = others;
	analysis->others = others && analysis->problem_count == 1 && !analysis->unseen_count && !analysis->doubtful;
	if (analysis->complete)
		list_appeared(analysis);
}

static bool any_cut_off(const struct world *world)
{
	for (size_t i = 0; i < world->process_count; i++)
		if (process_is_cut_off(world->processes[i]))
			return true;
	return false;
}

static bool read_trace(struct analysis *analysis, struct court *court, const char *dir, struct trace_totals *totals,
		       char **error)
{
	struct watcher watcher;
	struct trace_scope scope;
	char *place = analysis_trace(dir, error);
	int result;

	if (place == NULL)
		return false;
	court_watch(court, &watcher);
	court->world = analysis->world = world_new(analysis->recording, &watcher);
	world_expect(analysis->world, mentions_read(analysis->recording, place));
	scope = recording_scope(analysis->recording);
	result = trace_read(place, &scope, take_event, analysis, totals, error);
	result = analysis_refuse(analysis->recording, result, totals, error);
	/* Between what a recording keeps there are gaps. */
	if (analysis->recording->newest)
		totals->discarded_packets = 0;
	court->doubtful = totals->problem_count > harmless(analysis->recording, totals) ||
			  totals->bytes < analysis->recording->stream_bytes || totals->discarded_events ||
			  totals->discarded_packets;
	court->cut = totals->cut;
	world_finish(analysis->world);
	analysis->cut_off = any_cut_off(analysis->world);
	court->doubtful |= analysis->world->misnumbered > 0 || analysis->cut_off;
	analysis->doubtful = court->doubtful;
	court_finish(court);
	free(place);
	return result == 0;
}

struct analysis *analysis_of(const char *dir, const struct sieve *sieve, char **error)
{
	struct analysis *analysis = memory_new(1, sizeof(*analysis));
	struct trace_totals totals = {0};
	struct court court = {.findings = &analysis->findings,
			      .sieve = sieve,
			      .start = &analysis->from,
			      .verdicts = sieve ? NULL : &analysis->findings.verdicts};
	bool good;

	*error = NULL;
	analysis->recording = recording_read(dir, error);
	court.recording = analysis->recording;
	analysis->from = analysis->recording ? analysis->recording->started : 0;
	good = analysis->recording && read_trace(analysis, &court, dir, &totals, error);
	if (good)
		sum_up(analysis, &totals);
	trace_totals_clear(&totals);
	court_free(&court);
	if (good)
		return analysis;
	analysis_free(analysis);
	return NULL;
}

void analysis_free(struct analysis *analysis)
{
	findings_clear(&analysis->findings);
	if (analysis->world)
		world_free(analysis->world);
	if (analysis->recording)
		recording_free(analysis->recording);
	for (size_t i = 0; i < analysis->problem_count; i++)
		free(analysis->problems[i]);
	for (size_t i = 0; i < analysis->skipped_count; i++)
		free(analysis->skipped[i].path);
	free(analysis->skipped);
	free(analysis->cut);
	free(analysis->problems);
	free(analysis->unseen);
	free(analysis->appeared);
	free(analysis);
}
