#include "analyzer/chronicle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/hindsight.h"
#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/replay.h"
#include "analyzer/trace_reader.h"
#include "analyzer/world_holdings.h"

/* A tally, kept after its process: the stack can be resolved only when the whole trace was read. */
struct rest {
	const struct process *process;
	uint32_t stack_id;
	uint64_t bytes, mappings, made;
};

/* What a process was last seen to have mapped. */
struct sample {
	int64_t time;
	uint64_t bytes;
};

enum { NOT_ASKED = 1, ASKED };

struct reading {
	const struct report *report;
	const struct chronicle *chronicle;
	struct hindsight *hindsight;
	struct map spans; /* (object) -> struct span */
	struct map made;  /* (process, stack id) -> mappings ever that were asked for */
	struct map drawn; /* (process) -> struct sample */
	struct map known; /* (object's number, its names so far) -> ASKED or NOT_ASKED */
	size_t processes; /* of the world, that were looked at for `mapped` */
	bool begun;       /* what was mapped when the time asked for begins is told */
	bool stood;
	struct rest *rests;
	size_t rest_count;
};

static void reading_span(struct reading *reading, const struct object *object, int64_t time)
{
	struct span *span = map_get(&reading->spans, (uintptr_t)object, 0);

	if (!span) {
		span = memory_new(1, sizeof(*span));
		*span = (struct span){.object = object, .from = time, .until = time};
		map_put(&reading->spans, (uintptr_t)object, 0, span);
	}
	if (time > span->until)
		span->until = time;
}

static bool reading_asks(const struct reading *reading, const struct process *process, const struct object *object,
			 int64_t time)
{
	const struct selection *selection = reading->report->selection;

	object = object_real(object);
	return !selection ||
	       (selection_has_process(selection, process) && (!object || selection_has_object(selection, object)) &&
		selection_has_time(selection, time, reading->report->analysis->from));
}

/* The names of one that is mapped often are looked at once. */
static bool reading_asks_object(struct reading *reading, const struct object *object)
{
	uintptr_t known = (uintptr_t)map_get(&reading->known, object->number, object->name_count);

	if (!known) {
		known = selection_has_object(reading->report->selection, object) ? ASKED : NOT_ASKED;
		map_put(&reading->known, object->number, object->name_count, (void *)known);
	}
	return known == ASKED;
}

/* Of what it has mapped, the bytes that were asked for. */
static uint64_t reading_part_mapped(struct reading *reading, const struct process *process)
{
	const struct selection *selection = reading->report->selection;
	const struct holdings *holdings = process->holdings;
	uint64_t bytes = 0;

	if (!selection || !selection->object)
		return holdings->mapped;
	for (size_t i = 0; i < holdings->piece_count; i++) {
		const struct piece *piece = &holdings->pieces[i];

		if (!piece->from->semaphore && !piece->from->doubted &&
		    reading_asks_object(reading, object_real(piece->from->object)))
			bytes += piece->end - piece->start;
	}
	return bytes;
}

static void reading_tell_mapped(const struct reading *reading, const struct process *process, int64_t time,
				uint64_t bytes)
{
	if (report_shows_process(reading->report, process) && reading_asks(reading, process, NULL, time))
		reading->chronicle->mapped(reading->chronicle->context, process, time, bytes);
}

/* What its processes had mapped before the first event of the time that was asked for, they have as that begins. */
static void reading_begin(struct reading *reading, int64_t time)
{
	const struct selection *selection = reading->report->selection;
	int64_t from = reading->report->analysis->from;
	struct map_slot *slot;

	if (reading->begun || !selection || !selection->has_since || time - from < selection->since)
		return;
	reading->begun = true;
	for (size_t cursor = 0; (slot = map_next(&reading->drawn, &cursor));) {
		const struct sample *sample = slot->value;

		if (sample->bytes && sample->time - from < selection->since)
			reading_tell_mapped(reading, (const struct process *)(uintptr_t)slot->a,
					    from + selection->since, sample->bytes);
	}
}

static void reading_mapped(struct reading *reading, const struct process *process, int64_t time, uint64_t bytes)
{
	struct sample *sample = map_get(&reading->drawn, (uintptr_t)process, 0);

	if ((sample ? sample->bytes : 0) == bytes)
		return;
	if (!sample) {
		sample = memory_new(1, sizeof(*sample));
		map_put(&reading->drawn, (uintptr_t)process, 0, sample);
	}
	/* Threads can go on when another has said that the process exits. */
	*sample = (struct sample){time > sample->time ? time : sample->time, bytes};
	reading_tell_mapped(reading, process, sample->time, bytes);
}

/* Those that began since, with an event or a line beside the trace: what they inherited. */
static void reading_newcomers(struct reading *reading, const struct world *world)
{
	for (; reading->processes < world->process_count; reading->processes++) {
		const struct process *begun = world->processes[reading->processes];

		reading_mapped(reading, begun, begun->began_at, reading_part_mapped(reading, begun));
	}
}

static void reading_count(struct reading *reading, const struct process *process, uint32_t stack_id)
{
	uintptr_t before = (uintptr_t)map_get(&reading->made, (uintptr_t)process, stack_id);

	map_put(&reading->made, (uintptr_t)process, stack_id, (void *)(before + 1));
}

static void reading_moment(struct reading *reading, struct world *world, struct process *process,
			   const struct trace_event *event, const struct outcome *outcome)
{
	struct object *object = replay_object(world, process, event);
	struct moment moment = {
		.time = event->time, .process = process, .thread = event->event.head.tid, .object = object};

	moment.asked = reading_asks(reading, process, object, event->time);
	if (object && moment.asked)
		reading_span(reading, object, event->time);
	if (object && moment.asked && event->id == EVENT_mmap)
		reading_count(reading, process, event->event.head.stack);
	if (!reading->chronicle->moment || !moment_is(event, outcome, &moment.of))
		return;
	if (!object && moment.of != MOMENT_start)
		return;
	moment.length = (uint64_t)trace_integer(event, "length", 0);
	moment.offset = (uint64_t)trace_integer(event, "offset", 0);
	moment.sized = object == NULL || hindsight_size(reading->hindsight, object, event->time, &moment.size);
	reading->chronicle->moment(reading->chronicle->context, &moment);
}

static void reading_stand(struct reading *reading, const struct world *world, int64_t time)
{
	if (!reading->chronicle->stand || reading->stood || time < reading->chronicle->at)
		return;
	reading->stood = true;
	reading->chronicle->stand(reading->chronicle->context, world);
}

static int reading_event(void *context, struct world *world, struct process *process, const struct trace_event *event,
			 const struct outcome *outcome)
{
	struct reading *reading = context;

	reading_stand(reading, world, event->time);
	if (!outcome->told)
		reading_moment(reading, world, process, event, outcome);
	/* What moves is as good as mapped until it has. */
	if (reading->chronicle->mapped && !(outcome->back && !outcome->error)) {
		reading_newcomers(reading, world);
		reading_begin(reading, event->time);
		reading_mapped(reading, process, event->time, reading_part_mapped(reading, process));
	}
	return 0;
}

/* A mapping of several pieces counts at its first. */
static bool reading_is_counted(const struct holdings *holdings, size_t index)
{
	const struct acquisition *from = holdings->pieces[index].from;

	for (size_t i = 0; from->pieces > 1 && i < index; i++)
		if (holdings->pieces[i].from == from)
			return false;
	return true;
}

/* Of a tally what was asked for: its own sums are of all objects and times. */
static struct rest reading_part(const struct reading *reading, const struct process *process, const struct tally *tally)
{
	struct rest rest = {.process = process, .stack_id = tally->stack_id};
	const struct holdings *holdings = process->holdings;

	rest.made = (uintptr_t)map_get(&reading->made, (uintptr_t)process, tally->stack_id);
	for (size_t i = 0; i < holdings->piece_count; i++) {
		const struct piece *piece = &holdings->pieces[i];

		if (piece->from->tally != tally ||
		    !reading_asks(reading, process, piece->from->object, piece->from->site.time))
			continue;
		rest.bytes += piece->end - piece->start;
		rest.mappings += reading_is_counted(holdings, i);
	}
	return rest;
}

static void reading_rest(struct reading *reading, const struct process *process, const struct tally *tally)
{
	const struct selection *selection = reading->report->selection;
	struct rest rest = {process, tally->stack_id, tally->bytes, tally->outstanding, tally->made};

	if (selection && (selection->object || selection->has_since || selection->has_until))
		rest = reading_part(reading, process, tally);
	/* An exec unmaps, and the process goes on. */
	if (process->ended == ENDED_exec)
		rest.bytes = rest.mappings = 0;
	if (!rest.made && !rest.mappings)
		return;
	reading->rests = memory_grow(reading->rests, reading->rest_count, sizeof(*reading->rests));
	reading->rests[reading->rest_count++] = rest;
}

static void reading_ending(void *context, struct world *world, struct process *process)
{
	struct reading *reading = context;
	int64_t time = process->ended_at ? process->ended_at : world->now;
	struct map_slot *slot;
	size_t cursor;

	reading_stand(reading, world, time);
	for (cursor = 0; (slot = map_next(&process->holdings->uses, &cursor));) {
		const struct use *use = slot->value;

		if ((use->mappings || use->descriptors) && reading_asks(reading, process, use->object, time))
			reading_span(reading, use->object, time);
	}
	for (cursor = 0; (slot = map_next(&process->holdings->tallies, &cursor));) {
		const struct tally *tally = slot->value;

		if (tally->of == TALLY_mapping && report_shows_process(reading->report, process))
			reading_rest(reading, process, tally);
	}
	if (reading->chronicle->moment && process->traced)
		reading->chronicle->moment(reading->chronicle->context,
					   &(struct moment){.of = MOMENT_end,
							    .time = time,
							    .process = process,
							    .thread = process->pid,
							    .sized = true,
							    .asked = reading_asks(reading, process, NULL, time)});
	if (reading->chronicle->mapped) {
		reading_newcomers(reading, world);
		reading_begin(reading, time);
		/* One that still runs keeps what it has. */
		if (process->ended != ENDED_running)
			reading_mapped(reading, process, time, 0);
	}
}

static void reading_forgotten(void *context, const struct object *object)
{
	struct reading *reading = context;

	free(map_remove(&reading->spans, (uintptr_t)object, 0));
}

static int reading_by_begin(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return strcmp(object_id(a->object).text, object_id(b->object).text);
}

/* What two ids turned out to be is one object. */
static struct span *reading_spans(struct reading *reading, const struct world *world, size_t *count)
{
	struct span *spans = memory_new(world->object_count + 1, sizeof(*spans));
	size_t i;

	*count = 0;
	for (i = 0; i < world->object_count; i++) {
		const struct object *object = world->objects[i];
		struct span *span = map_get(&reading->spans, (uintptr_t)object, 0);

		if (!span)
			continue;
		if (object->kind != KIND_memfd && object_has_name(object) &&
		    reading->report->analysis->to > span->until)
			span->until = reading->report->analysis->to;
		span->sized = hindsight_size(reading->hindsight, object, INT64_MAX, &span->size);
		spans[(*count)++] = *span;
	}
	qsort(spans, *count, sizeof(*spans), reading_by_begin);
	return spans;
}

static int reading_by_bytes(const void *left, const void *right)
{
	const struct leaving *a = left, *b = right;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	if (a->made != b->made)
		return a->made > b->made ? -1 : 1;
	return a->stack->identity < b->stack->identity ? -1 : a->stack->identity > b->stack->identity;
}

static struct leaving *reading_leavings(const struct reading *reading, struct world *world, size_t *count)
{
	struct leaving *leavings = memory_new(reading->rest_count + 1, sizeof(*leavings));
	struct map places = {0};
	size_t i;

	*count = 0;
	for (i = 0; i < reading->rest_count; i++) {
		const struct rest *rest = &reading->rests[i];
		const struct stack *stack = world_stack(world, rest->process, rest->stack_id);
		const char *program = report_basename(rest->process->exe);
		uint64_t key = map_hash(MAP_HASH, program, strlen(program));
		struct leaving *leaving;

		if (!stack)
			continue;
		leaving = map_get(&places, (uintptr_t)stack, key);
		if (!leaving) {
			leaving = &leavings[(*count)++];
			*leaving = (struct leaving){.program = program, .stack = stack};
			map_put(&places, (uintptr_t)stack, key, leaving);
		}
		leaving->bytes += rest->bytes;
		leaving->mappings += rest->mappings;
		leaving->made += rest->made;
	}
	map_clear(&places);
	qsort(leavings, *count, sizeof(*leavings), reading_by_bytes);
	return leavings;
}

static void reading_finish(void *context, struct world *world)
{
	struct reading *reading = context;
	size_t span_count, leaving_count;
	struct span *spans = reading_spans(reading, world, &span_count);
	struct leaving *leavings = reading_leavings(reading, world, &leaving_count);

	reading->chronicle->finish(reading->chronicle->context, world, spans, span_count, leavings, leaving_count);
	free(leavings);
	free(spans);
}

/* Where the reading for the report came no further, the report has said so. */
static void reading_cut(void *context, const struct trace_totals *totals)
{
	const struct report *report = ((const struct reading *)context)->report;
	int64_t from = report->analysis->from, last = totals->last;
	char *end;

	if (!report->missing || totals->events >= report->analysis->events)
		return;
	end = trace_interrupted() ? memory_text("was interrupted:") : memory_format("ended early: %s;", totals->cut);
	report->missing->words =
		last ? memory_format("the reading of the trace for it %s what follows %.3f s is missing in it", end,
				     last > from ? (double)(last - from) / 1e9 : 0)
		     : memory_format("the reading of the trace for it %s it has none of the calls", end);
	free(end);
}

void chronicle_read(const struct report *report, const struct chronicle *chronicle)
{
	struct reading reading = {
		.report = report, .chronicle = chronicle, .hindsight = hindsight_of(report->analysis)};
	const struct replay again = {.context = &reading,
				     .event = reading_event,
				     .ending = reading_ending,
				     .forgotten = reading_forgotten,
				     .cut = reading_cut,
				     .finish = reading_finish};
	struct map_slot *slot;
	char *error = NULL;
	size_t cursor;

	if (replay_of(report->analysis->recording, &again, &error) && report->missing)
		*report->missing =
			(struct report_missing){memory_format("%s; it has none of the calls", error), .all = true};
	free(error);
	for (cursor = 0; (slot = map_next(&reading.spans, &cursor));)
		free(slot->value);
	for (cursor = 0; (slot = map_next(&reading.drawn, &cursor));)
		free(slot->value);
	hindsight_free(reading.hindsight);
	map_clear(&reading.spans);
	map_clear(&reading.drawn);
	map_clear(&reading.made);
	map_clear(&reading.known);
	free(reading.rests);
}
