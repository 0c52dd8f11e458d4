/*
 * The report as one page that needs nothing else: report_page.html with the report as JSON in it, from which its script
 * draws everything as text nodes. Nothing of the trace is ever markup.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/chronicle.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"
#include "analyzer/report_marks.h"
#include "analyzer/report_text.h"
#include "analyzer/world_holdings.h"

enum { FINDINGS_SHOWN = 1000, WINDOWS_SHOWN = 100, OTHERS_SHOWN = 50000 };

/* A file of this folder as a text in the program. */
#define PAGE_PART(name, file)                                                                                          \
	__asm__(".section .rodata\n" #name ":\n"                                                                       \
		".incbin \"analyzer/" file "\"\n"                                                                      \
		".byte 0\n"                                                                                            \
		".previous\n");                                                                                        \
	extern const char name[] __asm__(#name)

PAGE_PART(page_frame, "report_page.html");
PAGE_PART(page_style, "report_page.css");
PAGE_PART(page_draw, "report_draw.js");
PAGE_PART(page_table, "report_table.js");
PAGE_PART(page_script, "report_page.js");

struct page {
	const struct report *report;
	struct marks *marks;
	struct cast cast;
	json_t *spans, *stacks;
	json_t *windows; /* NULL: the worst finding is not of a moment, or that was not reached */
};

static json_t *page_time(const struct page *page, int64_t time)
{
	return json_integer(time - page->report->analysis->from);
}

static void page_moment(void *context, const struct moment *moment)
{
	struct page *page = context;
	const struct findings *findings = &page->report->analysis->findings;
	const struct object *worst = findings->count ? findings->all[0].object : NULL;

	/* All that was done to the worst finding's object is drawn beside it. */
	if (moment->asked || (worst && moment->object && worst->number == moment->object->number))
		marks_add(page->marks, moment);
}

/* What a process can see of the worst finding's object at its moment. */
struct window {
	const struct process *process;
	const struct acquisition *from;
	uint64_t offset, end;
	bool concerned; /* the finding is about its process */
};

/* Those of the finding's processes, then what reaches furthest; else they stay in their order. */
static int window_compare(const void *left, const void *right)
{
	const struct window *a = left, *b = right;

	if (a->concerned != b->concerned)
		return a->concerned ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->from->site.time < b->from->site.time ? -1 : a->from->site.time > b->from->site.time;
}

static bool is_concerned(const struct finding *finding, const struct process *process)
{
	return (finding->process && !strcmp(finding->process->id, process->id)) ||
	       (finding->victim && !strcmp(finding->victim->id, process->id));
}

/* The objects and processes are those of another reading: their ids are the same. */
static size_t windows_add(struct window **windows, size_t count, const struct process *process,
			  const struct finding *finding)
{
	const struct holdings *holdings = process->holdings;
	struct window *last;
	size_t first = count, i;

	for (i = 0; i < holdings->piece_count; i++) {
		const struct piece *piece = &holdings->pieces[i];
		const struct object *object = object_real(piece->from->object);
		uint64_t offset = piece->start - piece->from->base, end = piece->end - piece->from->base;

		if (piece->from->semaphore || object->number != finding->object->number)
			continue;
		last = count > first ? &(*windows)[count - 1] : NULL;
		/* The pieces of one mapping, highest first. */
		if (last && last->from == piece->from && last->offset == end) {
			last->offset = offset;
			continue;
		}
		*windows = memory_grow(*windows, count, sizeof(**windows));
		(*windows)[count++] =
			(struct window){process, piece->from, offset, end, is_concerned(finding, process)};
	}
	return count;
}

static void page_stand(void *context, const struct world *world)
{
	struct page *page = context;
	const struct finding *finding = &page->report->analysis->findings.all[0];
	uint64_t size = finding->object->size;
	struct window *windows = NULL;
	json_t *array = json_array();
	size_t count = 0, i;

	for (i = 0; i < world->process_count; i++)
		if (!world->processes[i]->over && !world->processes[i]->leaving)
			count = windows_add(&windows, count, world->processes[i], finding);
	if (count)
		qsort(windows, count, sizeof(*windows), window_compare);
	for (i = 0; i < world->object_count; i++)
		if (!world->objects[i]->same && world->objects[i]->number == finding->object->number)
			size = world->objects[i]->size;
	for (i = 0; i < count && i < WINDOWS_SHOWN; i++) {
		const struct window *window = &windows[i];
		const struct site *site = &window->from->site;

		json_array_append_new(array,
				      json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o}", "p", window->process->id, "by",
						site->process ? site->process->id : NULL, "t",
						page_time(page, site->time), "offset", json_of_number(window->offset),
						"length", json_of_number(window->end - window->offset), "size",
						json_of_number(window->from->size)));
	}
	free(windows);
	page->windows = json_pack("{s:o, s:o, s:o, s:o}", "t", page_time(page, finding->time), "size",
				  json_of_number(size), "all", array, "more", json_of_number(count - i));
}

/* Whether the finding is about the object's size and mappings at one time. */
static bool is_of_a_moment(const struct finding *finding)
{
	return finding->object && finding->time &&
	       (rules[finding->rule].group == GROUP_size || finding->rule == RULE_sigbus_cause);
}

static json_t *page_stack(const struct page *page, const struct leaving *leaving)
{
	struct spots spots = spots_of(page->report, leaving->stack);
	json_t *frames = json_pack("[o]", json_of_text(leaving->program));
	size_t i;

	if (spots.cut)
		json_array_append_new(frames, json_string(SPOTS_CUT_FRAME));
	for (i = spots.count; i-- > 0;) {
		char *label = spot_label(&spots.all[i]);

		json_array_append_new(frames, json_of_text(label));
		free(label);
	}
	spots_free(&spots);
	return json_pack("{s:o, s:o, s:o, s:o}", "frames", frames, "bytes", json_of_number(leaving->bytes), "mappings",
			 json_of_number(leaving->mappings), "made", json_of_number(leaving->made));
}

static void page_finish(void *context, const struct world *world, const struct span *spans, size_t span_count,
			const struct leaving *leavings, size_t leaving_count)
{
	struct page *page = context;
	size_t i;

	(void)world;
	for (i = 0; i < span_count; i++)
		json_array_append_new(page->spans, json_pack("{s:s, s:o, s:o}", "o", object_id(spans[i].object).text,
							     "from", page_time(page, spans[i].from), "until",
							     page_time(page, spans[i].until)));
	for (i = 0; i < leaving_count; i++)
		json_array_append_new(page->stacks, page_stack(page, &leavings[i]));
}

/* What the rules of the findings say, once each. */
static json_t *page_rules(const struct findings *findings)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < findings->count; i++)
		json_object_set_new(object, rules[findings->all[i].rule].id,
				    json_pack("{s:s, s:s}", "summary", rules[findings->all[i].rule].summary, "help",
					      rule_help[findings->all[i].rule]));
	return object;
}

/* Own mappings of the object and what was done to its size, for the drawing of the worst finding. */
static json_t *page_changes(const struct page *page, const struct object *object)
{
	static const char *const names[] = {[CHANGE_resized] = "resized",
					    [CHANGE_truncated] = "emptied",
					    [CHANGE_punched] = "punched",
					    [CHANGE_refused] = "refused",
					    [CHANGE_seen] = "found"};
	json_t *array = json_array();
	size_t i;

	for (i = 0; object && i < object->change_count; i++) {
		const struct change *change = &object->changes[i];
		const struct process *process = change->site.process;

		json_array_append_new(
			array,
			json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o*}", "of", names[change->of], "t",
				  page_time(page, change->site.time), "before", json_of_number(change->before), "after",
				  json_of_number(change->after), "offset", json_of_number(change->offset), "length",
				  json_of_number(change->length), "p", process ? json_string(process->id) : json_null(),
				  "told", change->told ? json_true() : NULL));
	}
	return array;
}

static json_t *page_times(const struct page *page)
{
	const struct world *world = page->report->analysis->world;
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < world->process_count; i++) {
		const struct process *process = world->processes[i];

		if (!cast_shows(&page->cast, process))
			continue;
		json_object_set_new(object, process->id,
				    json_pack("[o, o]",
					      process->began_at ? page_time(page, process->began_at) : json_null(),
					      process->ended_at ? page_time(page, process->ended_at) : json_null()));
	}
	return object;
}

/* NULL where all were asked for. */
static json_t *page_aside(const struct page *page)
{
	const struct world *world = page->report->analysis->world;
	json_t *array = json_array();

	for (size_t i = 0; i < world->process_count; i++)
		if (cast_shows(&page->cast, world->processes[i]) &&
		    !report_shows_process(page->report, world->processes[i]))
			json_array_append_new(array, json_string(world->processes[i]->id));
	if (json_array_size(array))
		return array;
	json_decref(array);
	return NULL;
}

/*
 * By the number of the finding: what else it stands for, of what the page has; the gravest first, and of all together not
 * more than a page can have.
 */
static json_t *page_others(const struct page *page)
{
	const struct findings *findings = &page->report->analysis->findings;
	json_t *all = json_object();
	size_t shown = 0;

	for (size_t i = 0; i < findings->count && i < FINDINGS_SHOWN; i++) {
		const struct finding *finding = &findings->all[i];
		size_t object_count, process_count;
		uint64_t *numbers = others_objects(&finding->others, &object_count);
		const struct process **processes = others_processes(&finding->others, &process_count);
		json_t *objects = json_array(), *users = json_array();
		json_t *own = json_pack("{s:o, s:o}", "o", objects, "p", users);
		char key[24];

		for (size_t k = 0; k < object_count && shown < OTHERS_SHOWN; k++)
			if (!finding->object || numbers[k] != finding->object->number) {
				json_array_append_new(objects, json_of_number(numbers[k]));
				shown++;
			}
		for (size_t k = 0; k < process_count && shown < OTHERS_SHOWN; k++)
			if (processes[k] != finding->process) {
				json_array_append_new(users, json_string(processes[k]->id));
				shown++;
			}
		snprintf(key, sizeof(key), "%zu", i);
		if (json_array_size(objects) || json_array_size(users))
			json_object_set(all, key, own);
		json_decref(own);
		free(numbers);
		free(processes);
	}
	return all;
}

/* By severity: of all, also of those that are too many to be shown; `uncertain`: of those that are. */
static json_t *page_counts(const struct findings *findings, bool uncertain)
{
	json_int_t counts[SEVERITY_ERROR + 1] = {0};
	json_t *object = json_object();

	for (size_t i = 0; i < findings->count; i++)
		counts[findings->all[i].severity] += !uncertain || findings->all[i].uncertain;
	for (int i = 0; i <= SEVERITY_ERROR; i++)
		json_object_set_new(object, severity_name((enum severity)i), json_integer(counts[i]));
	return object;
}

static json_t *page_states(const struct analysis *analysis)
{
	json_t *object = json_object();

	for (size_t i = 0; i < analysis->world->object_count; i++)
		json_object_set_new(object, object_id(analysis->world->objects[i]).text,
				    json_string(text_state(analysis, analysis->world->objects[i])));
	return object;
}

/* Of those that are not called by the last of their names. */
static json_t *page_called(const struct world *world)
{
	json_t *object = json_object();

	for (size_t i = 0; i < world->object_count; i++) {
		const struct object *own = world->objects[i];
		const char *name = object_name(own);

		if (name && strcmp(name, own->names[own->name_count - 1].text) != 0)
			json_object_set_new(object, object_id(own).text, json_of_text(name));
	}
	return object;
}

/* The report itself may be whole. */
static json_t *page_report(const struct page *page)
{
	json_t *report = report_as_json(page->report, FINDINGS_SHOWN, &page->cast);
	char *text;

	if (!page->report->missing || !page->report->missing->words)
		return report;
	text = memory_format("this page's timeline and flame graph: %s", page->report->missing->words);
	json_array_append_new(json_object_get(json_object_get(report, "trace"), "problems"), json_of_text(text));
	free(text);
	return report;
}

/* What the findings that are shown are about; of notes only that of the worst, which is drawn beside it. */
static struct marks *page_marks(const struct analysis *analysis)
{
	struct marks *marks = marks_new(analysis->from, analysis->to);
	const struct findings *findings = &analysis->findings;

	for (size_t i = 0; i < findings->count && i < FINDINGS_SHOWN; i++)
		if (findings->all[i].object && (i == 0 || findings->all[i].severity > SEVERITY_NOTE))
			marks_tell(marks, findings->all[i].object);
	return marks;
}

static json_t *page_data(struct page *page)
{
	const struct analysis *analysis = page->report->analysis;
	const struct object *worst = analysis->findings.count ? analysis->findings.all[0].object : NULL;
	bool moment = analysis->findings.count && is_of_a_moment(&analysis->findings.all[0]);
	json_t *commands = json_array();
	const struct recording *part;
	uint64_t left_out, told, programs = 0;
	size_t i, p;

	for (i = 0; i < analysis->world->process_count; i++)
		programs += !analysis->world->processes[i]->previous;

	chronicle_read(page->report, &(struct chronicle){.context = page,
							 .moment = page_moment,
							 .finish = page_finish,
							 .stand = moment ? page_stand : NULL,
							 .at = moment ? analysis->findings.all[0].time : 0});
	left_out = marks_left_out(page->marks, &told);
	for (p = 0; (part = recording_each(analysis->recording, p)); p++) {
		json_t *command = json_array();

		for (i = 0; part->command && part->command[i]; i++)
			json_array_append_new(command, json_of_text(part->command[i]));
		json_array_append_new(commands, command);
	}
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o*, s:o*, s:o, "
		"s:o, s:o, s:o, s:o, s:o}",
		"report", page_report(page), "counts", page_counts(&analysis->findings, false), "uncertain",
		page_counts(&analysis->findings, true), "rules", page_rules(&analysis->findings), "moments",
		marks_json(page->marks), "spans", page->spans, "stacks", page->stacks, "changes",
		page_changes(page, worst), "times", page_times(page), "commands", commands, "left_out",
		json_of_number(left_out), "told_left_out", json_of_number(told), "from", (json_int_t)analysis->from,
		"to", (json_int_t)analysis->to, "recordings", (json_int_t)p, "states", page_states(analysis), "aside",
		page_aside(page), "windows", page->windows, "called", page_called(analysis->world), "programs",
		json_of_number(programs), "processes_left_out", json_of_number(page->cast.left_out), "others",
		page_others(page), "untold", json_untold(page->report), "objects",
		json_of_number(analysis->world->object_count + analysis->world->objects_forgotten));
}

/* Inside a script element only "<" could end it; DEL is what ASCII has left of control characters. */
static void page_put_json(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '<' || *text == 0x7f)
			fprintf(out, "\\u%04x", (unsigned)*text);
		else
			fputc(*text, out);
	}
}

/* Up to the mark; what follows it. */
static const char *page_until(const char *frame, const char *mark, FILE *out)
{
	const char *end = strstr(frame, mark);

	if (!end)
		return frame;
	fwrite(frame, 1, (size_t)(end - frame), out);
	return end + strlen(mark);
}

void report_html(const struct report *report, FILE *out)
{
	struct page page = {.report = report,
			    .marks = page_marks(report->analysis),
			    .cast = cast_of(report, FINDINGS_SHOWN),
			    .spans = json_array(),
			    .stacks = json_array()};
	json_t *data = page_data(&page);
	char *text = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII);
	const char *rest = page_until(page_frame, "@STYLE@", out);

	fputs(page_style, out);
	rest = page_until(rest, "@DATA@", out);
	page_put_json(text ? text : "null", out);
	rest = page_until(rest, "@SCRIPT@", out);
	fputs(page_draw, out);
	fputs(page_table, out);
	fputs(page_script, out);
	fputs(rest, out);
	free(text);
	json_decref(data);
	marks_free(page.marks);
	cast_clear(&page.cast);
}
