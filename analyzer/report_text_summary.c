/* The end of the text report: what was looked at, the objects, the processes worth naming, and what could not be seen. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/report_text.h"

/* Columns of the table of objects; on a narrow terminal those of kind and unlinker give way to the name. */
enum { KIND_COLUMNS = 9, SIZE_COLUMNS = 8, WHO_COLUMNS = 15, STATE_COLUMNS = 12, WIDE = 96 };
enum { OBJECTS_SHOWN = 15, PROCESSES_SHOWN = 10, UNSEEN_SHOWN = 10 };

static void summary_title(const struct terminal *terminal, const char *title)
{
	fputc('\n', terminal->out);
	terminal_put(terminal, INK_strong, title);
	fputc('\n', terminal->out);
}

static void summary_more(const struct terminal *terminal, size_t all, size_t shown)
{
	char *count = text_count(all - shown, "");

	if (all > shown)
		fprintf(terminal->out, "  ... and %s more\n", count);
	free(count);
}

/* The command that was recorded, if the recording tells. */
static void summary_command(const struct recording *recording, const struct terminal *terminal)
{
	char *line = memory_text("command:");
	size_t i;

	for (i = 0; recording->command && recording->command[i]; i++) {
		char *word = escape_terminal(recording->command[i]), *longer = memory_format("%s %s", line, word);

		free(line);
		free(word);
		line = longer;
	}
	if (i) {
		char *cut = terminal_cut(line, terminal->width - 2, false);

		fprintf(terminal->out, "  %s\n", cut);
		free(cut);
	}
	free(line);
}

/* Of a process from its first image on: whether one of its images used shared memory. */
static bool summary_is_user(const struct process *process)
{
	while (process && !process->traced)
		process = process->next;
	return process != NULL;
}

static void summary_scope(const struct report *report, const struct terminal *terminal)
{
	const struct analysis *analysis = report->analysis;
	const struct world *world = analysis->world;
	const struct recording *recording;
	size_t all = 0, using = 0, i;
	char *processes, *users, *objects, *events, *lost, *first;

	/* An exec makes a new image of the same process. */
	for (i = 0; i < world->process_count; i++) {
		all += !world->processes[i]->previous;
		using += !world->processes[i]->previous && summary_is_user(world->processes[i]);
	}
	processes = text_count(all, "process");
	users = text_count(using, "");
	objects = text_count(world->object_count + world->objects_forgotten, "shared memory object");
	events = text_count(analysis->events, "event");
	lost = report_lost(analysis, NULL);
	summary_title(terminal, "Looked at");
	for (i = 0; (recording = recording_each(analysis->recording, i)); i++)
		summary_command(recording, terminal);
	first = i > 1 ? memory_format(" from the start of the first of %zu recordings", i) : memory_text("");
	text_line(terminal, INK_plain, 2,
		  memory_format("%s (%s with shared memory), %s, %s in %.3f s%s; %s", processes, users, objects, events,
				analysis->seconds, first, lost));
	free(first);
	text_nameless(report, terminal);
	free(lost);
	free(events);
	free(objects);
	free(users);
	free(processes);
}

/* That it was there before is a guess where nobody looked: it holds if nothing is missing. */
static const char *summary_stayed(const struct analysis *analysis, const struct object *object)
{
	switch (object_origin(object)) {
	case ORIGIN_before:
		return "from before";
	case ORIGIN_unknown:
		return analysis->complete && !analysis->unseen_count ? "from before" : "from before?";
	default:
		return "left";
	}
}

const char *text_state(const struct analysis *analysis, const struct object *object)
{
	if (object->leaked)
		return "LEAKED";
	if (object->held)
		return "in use";
	if (object->unlinked.process)
		return "unlinked";
	if (object_is_hearsay(object))
		return "not known";
	if (object->kind != KIND_memfd && object_has_name(object) && !object_is_vanished(object))
		return summary_stayed(analysis, object);
	/* Its removal may stand in what was not read. */
	return analysis->cut ? "not known" : "gone";
}

/* The number of the gravest finding of severity warning or error that tells of each, from 1 on. */
static struct map summary_ranks(const struct findings *findings)
{
	struct map ranks = {0};

	for (size_t i = findings->count; i-- > 0;)
		if (findings->all[i].object && findings->all[i].severity >= SEVERITY_WARNING)
			map_put(&ranks, (uintptr_t)findings->all[i].object, 0, (void *)(i + 1));
	return ranks;
}

static int summary_compare_objects(const void *left, const void *right, void *ranks)
{
	const struct object *a = *(struct object *const *)left, *b = *(struct object *const *)right;
	size_t first = (size_t)map_get(ranks, (uintptr_t)a, 0) - 1,
	       second = (size_t)map_get(ranks, (uintptr_t)b, 0) - 1;

	if (first != second)
		return first < second ? -1 : 1;
	if (a->leaked != b->leaked)
		return a->leaked ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->created.time < b->created.time ? -1 : a->created.time > b->created.time;
}

static void summary_who(const struct terminal *terminal, const struct process *process)
{
	char *text = process ? text_process(process) : memory_text("-");

	terminal_cell(terminal, INK_plain, text, WHO_COLUMNS);
	free(text);
}

/* Frees `text`. */
static char *text_add(char *text, const char *between, const char *more)
{
	char *longer = memory_format("%s%s%s", text, between, more);

	free(text);
	return longer;
}

char *text_where(const struct object *object)
{
	char *where = escape_terminal(object->teller_count ? object->tellers[0]->dir : object->recording->dir);

	for (size_t i = 1; i < TELLERS_MAX && i < object->teller_count; i++) {
		char *more = escape_terminal(object->tellers[i]->dir);

		where = text_add(where, ", ", more);
		free(more);
	}
	return object->teller_count > TELLERS_MAX ? text_add(where, " and others", "") : where;
}

static void summary_object(const struct report *report, const struct terminal *terminal, const struct object *object,
			   int name_columns)
{
	const struct analysis *analysis = report->analysis;
	bool wide = terminal->width >= WIDE;
	const char *name = object_name(object), *kind = object_kind(object);
	char *safe = escape_terminal(name ? name : "(no name)"),
	     *size = object_is_hearsay(object) || object->unsized ? memory_text("-") : text_bytes(object->size);

	fputs("  ", terminal->out);
	terminal_cell(terminal, INK_plain, safe, name_columns);
	if (wide)
		terminal_cell(terminal, INK_plain, kind ? kind : "-", KIND_COLUMNS);
	terminal_cell(terminal, INK_plain, size, SIZE_COLUMNS);
	summary_who(terminal, object->created.process ? object->created.process : object->told.process);
	if (wide)
		summary_who(terminal, object->unlinked.process);
	terminal_put(terminal, object->leaked ? INK_error : INK_plain, text_state(analysis, object));
	fputc('\n', terminal->out);
	if (object->recording && recording_is_several(analysis->recording)) {
		char *where = text_where(object);

		text_line(terminal, INK_faint, 4, memory_format("recorded in %s", where));
		free(where);
	}
	free(size);
	free(safe);
}

/* The longest name among them, as far as the other columns leave room for it. */
static int summary_name_columns(const struct terminal *terminal, struct object *const *objects, size_t count)
{
	int others = 2 + SIZE_COLUMNS + 2 + WHO_COLUMNS + 2 + STATE_COLUMNS, columns = 9;
	size_t i;

	if (terminal->width >= WIDE)
		others += KIND_COLUMNS + 2 + WHO_COLUMNS + 2;
	for (i = 0; i < count; i++) {
		char *safe = escape_terminal(object_name(objects[i]) ? object_name(objects[i]) : "");

		if (terminal_columns(safe) > columns)
			columns = terminal_columns(safe);
		free(safe);
	}
	if (columns > terminal->width - others - 2)
		columns = terminal->width - others - 2;
	return columns < 10 ? 10 : columns;
}

static void summary_objects(const struct report *report, const struct terminal *terminal)
{
	const struct world *world = report->analysis->world;
	size_t count = 0, shown, i;
	bool wide = terminal->width >= WIDE;
	struct object **objects;
	struct map ranks;
	int name_columns;

	objects = memory_new(world->object_count + 1, sizeof(struct object *));
	for (i = 0; i < world->object_count; i++)
		if (report_shows_object(report, world->objects[i]))
			objects[count++] = world->objects[i];
	if (!count) {
		free(objects);
		return;
	}
	shown = count < OBJECTS_SHOWN ? count : OBJECTS_SHOWN;
	ranks = summary_ranks(&report->analysis->findings);
	qsort_r(objects, count, sizeof(struct object *), summary_compare_objects, &ranks);
	map_clear(&ranks);
	name_columns = summary_name_columns(terminal, objects, shown);
	summary_title(terminal, report_is_part(report) ? "Objects that were asked for" : "Objects");
	fputs("  ", terminal->out);
	terminal_cell(terminal, INK_faint, "NAME", name_columns);
	if (wide)
		terminal_cell(terminal, INK_faint, "KIND", KIND_COLUMNS);
	terminal_cell(terminal, INK_faint, "SIZE", SIZE_COLUMNS);
	terminal_cell(terminal, INK_faint, "CREATED BY", WHO_COLUMNS);
	if (wide)
		terminal_cell(terminal, INK_faint, "UNLINKED BY", WHO_COLUMNS);
	terminal_put(terminal, INK_faint, "STATE");
	fputc('\n', terminal->out);
	for (i = 0; i < shown; i++)
		summary_object(report, terminal, objects[i], name_columns);
	summary_more(terminal, count + (report_is_part(report) ? 0 : world->objects_forgotten), shown);
	free(objects);
}

/* A process whose end a reader wants to know: it did not end by itself, or nobody saw it. */
static bool summary_is_notable(const struct process *process)
{
	return process->ended == ENDED_signal || process->ended == ENDED_running || process->lost ||
	       process_is_cut_off(process) || (process->traced && process->ended == ENDED_unknown);
}

static void summary_processes(const struct report *report, const struct terminal *terminal)
{
	const struct world *world = report->analysis->world;
	size_t notable = 0, i;

	for (i = 0; i < world->process_count; i++) {
		const struct process *process = world->processes[i];
		const char *place;
		bool lacks = process->lost || process_is_cut_off(process);
		char *who, *ended, *lost, *where;

		if (!report_shows_process(report, process) || !summary_is_notable(process) ||
		    ++notable > PROCESSES_SHOWN)
			continue;
		if (notable == 1)
			summary_title(terminal, "Processes that did not simply exit");
		who = text_process(process);
		ended = text_ended(process);
		lost = report_lost(report->analysis, process);
		place = report_where(report, process);
		where = escape_terminal(place ? place : "");
		text_line(terminal, INK_plain, 2,
			  memory_format("%s: %s%s%s%s%s", who, ended, lacks ? ", " : "", lacks ? lost : "",
					place ? "; recorded in " : "", where));
		free(where);
		free(lost);
		free(ended);
		free(who);
	}
	if (notable > PROCESSES_SHOWN)
		summary_more(terminal, notable, PROCESSES_SHOWN);
}

static void summary_appeared(const struct analysis *analysis, const struct terminal *terminal)
{
	size_t i;

	for (i = 0; i < analysis->appeared_count && i < UNSEEN_SHOWN; i++) {
		char *line = report_appeared(analysis->appeared[i]);

		text_line(terminal, INK_plain, 2, escape_terminal(line));
		free(line);
	}
	summary_more(terminal, analysis->appeared_count, i);
}

static void summary_skipped(const struct terminal *terminal, const char *place, uint64_t count)
{
	char *where = escape_terminal(place), *events = text_count(count, "event");

	text_line(terminal, INK_plain, 2,
		  memory_format("%s%s%s in the trace: not of this recording, passed over", where, *where ? ": " : "",
				events));
	free(events);
	free(where);
}

/* Of several recordings, which ones. */
static void summary_foreign(const struct analysis *analysis, const struct terminal *terminal)
{
	uint64_t told = 0;
	size_t i;

	for (i = 0; i < analysis->skipped_count; i++)
		told += analysis->skipped[i].skipped;
	for (i = 0; i < analysis->skipped_count && i < UNSEEN_SHOWN; i++)
		summary_skipped(terminal, analysis->skipped[i].path, analysis->skipped[i].skipped);
	summary_more(terminal, analysis->skipped_count, i);
	if (told < analysis->foreign)
		summary_skipped(terminal, "", analysis->foreign - told);
}

static void summary_unseen(const struct report *report, const struct terminal *terminal)
{
	const struct analysis *analysis = report->analysis;
	size_t i;

	/* The verdict says it. */
	if (analysis->others)
		return;
	if (!analysis->unseen_count && !analysis->lost && !analysis->problem_count && !analysis->foreign &&
	    !analysis->appeared_count)
		return;
	summary_title(terminal, "Not seen");
	if (analysis->lost) {
		char *lost = report_lost(analysis, NULL), *losers = analysis_losers(analysis);
		char *where = escape_terminal(losers);

		text_line(terminal, INK_warning, 2,
			  memory_format("%s%s: findings about what is left are marked uncertain where they could have "
					"mattered",
					lost, where));
		free(where);
		free(losers);
		free(lost);
	}
	for (i = 0; i < analysis->unseen_count && i < UNSEEN_SHOWN; i++) {
		const struct unseen *unseen = &analysis->unseen[i];
		char *exe = escape_terminal(unseen->exe ? unseen->exe : "unknown program");
		char *reason = escape_terminal(unseen->reason ? unseen->reason : "reason unknown");

		text_line(terminal, INK_plain, 2, memory_format("process %d, %s: %s", (int)unseen->pid, exe, reason));
		free(reason);
		free(exe);
	}
	summary_more(terminal, analysis->unseen_count, i);
	summary_appeared(analysis, terminal);
	for (i = 0; i < analysis->problem_count && i < UNSEEN_SHOWN; i++)
		text_line(terminal, INK_plain, 2, escape_terminal(analysis->problems[i]));
	summary_more(terminal, analysis->problem_count, i);
	/* Where there are no others, a problem says so. */
	if (analysis->foreign && (analysis->events || analysis->recording->part_count))
		summary_foreign(analysis, terminal);
}

void text_summary(const struct report *report, const struct terminal *terminal)
{
	summary_objects(report, terminal);
	summary_processes(report, terminal);
	summary_unseen(report, terminal);
	summary_scope(report, terminal);
}
