/* The report for programs. Its fields are a promise, tests/report.schema.json: more may come, none changes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/json_stream.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"
#include "analyzer/spots.h"

json_t *json_of_text(const char *bytes)
{
	char *text = bytes ? escape_utf8(bytes) : NULL;
	json_t *string = text ? json_string(text) : json_null();

	free(text);
	return string;
}

json_t *json_of_number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *json_process_id(const struct process *process)
{
	return process ? json_string(process->id) : json_null();
}

/* Undoes the escapes of FIELDS_process: words are separated by blanks. */
static json_t *json_argv(const char *argv)
{
	char *word = memory_new(strlen(argv) + 1, 1);
	json_t *words = json_array();
	size_t length = 0;
	const char *at;

	for (at = argv; *at; at++) {
		if (*at == ' ') {
			word[length] = '\0';
			json_array_append_new(words, json_of_text(word));
			length = 0;
		} else if (*at == '\\' && at[1]) {
			at++;
			word[length++] = *at == 'n' ? '\n' : *at;
		} else {
			word[length++] = *at;
		}
	}
	word[length] = '\0';
	if (at != argv)
		json_array_append_new(words, json_of_text(word));
	free(word);
	return words;
}

static json_t *json_strings(char *const *texts, size_t count)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(array, json_of_text(texts[i]));
	return array;
}

static json_t *json_trace(const struct report *report)
{
	const struct analysis *analysis = report->analysis;
	json_t *hosts = json_array();
	size_t i;

	for (i = 0; i < analysis->world->host_count; i++)
		json_array_append_new(hosts, json_of_text(analysis->world->hosts[i]));
	return json_pack("{s:o, s:o, s:o*, s:o*, s:o*, s:o, s:f, s:b, s:o, s:o, s:o, s:o}", "events",
			 json_of_number(analysis->events), "lost", json_of_number(analysis->lost), "lost_at_least",
			 report_lost_more(analysis, NULL) ? json_true() : NULL, "unended",
			 analysis->unended ? json_true() : NULL, "others", analysis->others ? json_true() : NULL,
			 "let_go", json_of_number(analysis->let_go), "seconds", analysis->seconds, "complete",
			 analysis->complete, "hosts", hosts, "foreign", json_of_number(analysis->foreign),
			 "objects_left_out", json_of_number(analysis->world->objects_forgotten), "problems",
			 json_strings(analysis->problems, analysis->problem_count));
}

static const char *started_by(const struct process *process)
{
	static const char *const names[] = {
#define BEGAN_NAME(name) [BEGAN_##name] = #name,
		BEGAN(BEGAN_NAME)
#undef BEGAN_NAME
	};

	return names[process->began];
}

static json_t *json_process(const struct report *report, const struct process *process)
{
	const char *where = report_where(report, process);
	json_t *status = process->ended == ENDED_exit ? json_integer(process->status) : json_null();
	json_t *signal = process->ended == ENDED_signal ? json_integer(process->signal) : json_null();
	const char *name = process->ended == ENDED_signal ? sigabbrev_np(process->signal) : NULL;
	char *signal_name = name ? memory_format("SIG%s", name) : NULL;
	json_t *object;

	object = json_pack(
		"{s:s, s:i, s:i, s:o, s:o, s:o, s:I, s:s, s:s, s:o, s:o, s:s?, s:o, s:b, s:o, s:o, s:o*, s:o*}", "id",
		process->id, "pid", (int)process->pid, "ppid", (int)process->ppid, "parent",
		json_process_id(process->parent), "exe", json_of_text(process->exe), "argv", json_argv(process->argv),
		"uid", (json_int_t)process->uid, "started_by", started_by(process), "ended", ended_name(process->ended),
		"status", status, "signal", signal, "signal_name", signal_name, "previous",
		json_process_id(process->previous), "traced", process->traced, "events",
		json_of_number(process->events), "lost", json_of_number(process->lost), "lost_at_least",
		(process->lost || process_is_cut_off(process)) && report_lost_more(report->analysis, process)
			? json_true()
			: NULL,
		"recording", where ? json_of_text(where) : NULL);
	free(signal_name);
	return object;
}

static json_t *json_nth_process(const struct report *report, size_t i)
{
	return json_process(report, report->analysis->world->processes[i]);
}

static json_t *json_unseen(const struct report *report)
{
	const struct analysis *analysis = report->analysis;
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < analysis->unseen_count; i++) {
		const struct unseen *unseen = &analysis->unseen[i];

		json_array_append_new(array,
				      json_pack("{s:i, s:o, s:o}", "pid", (int)unseen->pid, "exe",
						json_of_text(unseen->exe), "reason", json_of_text(unseen->reason)));
	}
	return array;
}

static json_t *json_appeared(const struct report *report)
{
	const struct analysis *analysis = report->analysis;
	json_t *array = json_array();

	for (size_t i = 0; i < analysis->appeared_count; i++) {
		const struct leftover *left = analysis->appeared[i];

		json_array_append_new(array, json_pack("{s:o, s:o, s:i, s:I}", "name", json_of_text(left->name), "size",
						       json_of_number(left->size), "mode", (int)left->mode, "uid",
						       (json_int_t)left->uid));
	}
	return array;
}

static json_t *json_names(const struct object *object)
{
	json_t *array = json_array();
	size_t i, j;

	for (i = 0; i < object->name_count; i++) {
		for (j = 0; j < i; j++)
			if (!strcmp(object->names[i].text, object->names[j].text))
				break;
		if (j == i)
			json_array_append_new(array, json_of_text(object->names[i].text));
	}
	return array;
}

/* A semaphore is a file to this schema, which was made before there were any. NULL: not known. */
static const char *kind_name(const struct object *object)
{
	return object->kind == KIND_semaphore ? "file" : object_kind(object);
}

/* What the object's definition tells. */
static json_t *json_attribute(const struct object *object, uint64_t value)
{
	return object->defined ? json_of_number(value) : json_null();
}

/* Of a report of several; NULL of one. */
static json_t *json_tellers(const struct report *report, const struct object *object)
{
	json_t *array = recording_is_several(report->analysis->recording) ? json_array() : NULL;

	for (size_t i = 0; array && i < TELLERS_MAX && i < object->teller_count; i++)
		json_array_append_new(array, json_of_text(object->tellers[i]->dir));
	return array;
}

static json_t *json_object_of(const struct report *report, const struct object *object)
{
	json_t *hearsay = object_is_hearsay(object) ? json_true() : NULL;
	json_t *sized = object->unsized ? json_false() : NULL;
	json_t *tellers = json_tellers(report, object);

	return json_pack(
		"{s:s, s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o*, s:o*, s:o*, s:o*}", "id",
		object_id(object).text, "names", json_names(object), "kind", kind_name(object), "dev",
		json_attribute(object, object->dev), "ino", json_attribute(object, object->ino), "size",
		json_of_number(object->size), "mode", json_attribute(object, object->mode), "uid",
		json_attribute(object, object->uid), "created_by",
		json_process_id(object->created.process ? object->created.process : object->told.process),
		"unlinked_by", json_process_id(object->unlinked.process), "leaked", object->leaked, "semaphore",
		object->kind == KIND_semaphore, "gid", json_attribute(object, object->gid), "maps",
		json_of_number(object->maps), "unknown", hearsay, "size_known", sized, "recordings", tellers,
		"more_recordings", tellers && object->teller_count > TELLERS_MAX ? json_true() : NULL);
}

static json_t *json_nth_object(const struct report *report, size_t i)
{
	const struct object *object = report->analysis->world->objects[i];

	return report_shows_object(report, object) ? json_object_of(report, object) : NULL;
}

static json_t *json_frame(const struct frame *frame, const struct symbols_frame *name, const char *why)
{
	json_t *line = name && name->line ? json_integer(name->line) : json_null();
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "function", json_of_text(name ? name->function : NULL),
			  "file", json_of_text(name ? name->file : NULL), "line", line, "module",
			  json_of_text(frame->module ? frame->module->path : NULL), "build_id",
			  json_of_text(frame->module ? frame->module->build_id : NULL), "offset",
			  json_of_number(frame->offset), "inlined", name && name->inlined);

	if (why)
		json_object_set_new(object, "unresolved", json_string(why));
	return object;
}

static void json_add_frames(json_t *frames, const struct frame *frame, struct symbols *symbols)
{
	const struct symbols_answer *symbol;
	size_t i;

	if (!frame->module) {
		json_array_append_new(frames, json_frame(frame, NULL, "no module was known at this address"));
		return;
	}
	symbol = symbols_resolve(symbols, frame->module->path, frame->module->build_id, frame->offset, SYMBOLS_RETURN);
	if (!symbol->count)
		json_array_append_new(frames, json_frame(frame, NULL, symbol->why));
	for (i = 0; i < symbol->count; i++)
		json_array_append_new(frames, json_frame(frame, &symbol->frames[i], NULL));
}

static json_t *json_stacks(const struct finding *finding, struct symbols *symbols)
{
	json_t *array = json_array();
	size_t i, j;

	for (i = 0; i < finding->stack_count; i++) {
		const struct finding_stack *stack = &finding->stacks[i];
		json_t *frames = json_array();

		for (j = 0; stack->stack && j < stack->stack->count; j++)
			if (spots_shows(stack->stack, j))
				json_add_frames(frames, &stack->stack->frames[j], symbols);
		json_array_append_new(array, json_pack("{s:s, s:o, s:o, s:o*}", "role", stack->role, "process",
						       json_process_id(stack->process), "frames", frames, "cut",
						       stack->stack && stack->stack->cut ? json_true() : NULL));
	}
	return array;
}

json_t *json_recordings(const struct report *report, const struct finding *finding)
{
	size_t count = report_recordings(report, finding);
	json_t *array = count ? json_array() : NULL;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_of_text(finding->recordings[i]->dir));
	return array;
}

static json_t *json_nth_finding(const struct report *report, size_t i)
{
	const struct finding *finding = &report->analysis->findings.all[i];
	json_t *object = finding->object ? json_string(object_id(finding->object).text) : json_null();
	json_t *name = finding->name ? json_of_text(finding->name) : NULL;

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:s, s:o*, s:o*, s:o*}", "rule",
			 rules[finding->rule].id, "severity", severity_name(finding->severity), "action",
			 response_name(finding->response), "count", json_of_number(finding->count), "bytes",
			 json_of_number(finding->bytes), "message", json_of_text(finding->message), "uncertain",
			 finding->uncertain, "fingerprint", finding->fingerprint, "object", object, "process",
			 json_process_id(finding->process), "time",
			 finding->time ? json_integer(finding->time) : json_null(), "stacks",
			 json_stacks(finding, report->symbols), "advice", report_advice(finding), "name", name,
			 "recordings", json_recordings(report, finding), "doubts",
			 finding->doubts && !finding->uncertain ? json_of_number(finding->doubts) : NULL);
}

json_t *json_suppressions(const struct report *report)
{
	const struct suppressions *suppressions = report->suppressions;
	json_t *array = json_array();
	size_t i;

	for (i = 0; suppressions && i < suppressions->count; i++) {
		const struct suppression *own = &suppressions->all[i];

		if (own->findings || own->line)
			json_array_append_new(array, json_pack("{s:s, s:o, s:o, s:i, s:o, s:o}", "rule", own->rule,
							       "pattern", json_of_text(own->pattern), "source",
							       json_of_text(own->source), "line", (int)own->line,
							       "findings", json_of_number(own->findings), "occurrences",
							       json_of_number(own->times)));
	}
	return array;
}

json_t *json_selection(const struct report *report)
{
	static const struct selection everything;
	const struct selection *own = report->selection ? report->selection : &everything;
	json_t *object = json_object();

	if (*own->host)
		json_object_set_new(object, "host", json_of_text(own->host));
	if (own->pid)
		json_object_set_new(object, "pid", json_integer(own->pid));
	if (own->exe)
		json_object_set_new(object, "exe", json_of_text(own->exe));
	if (own->object)
		json_object_set_new(object, "object", json_of_text(own->object));
	if (own->rule)
		json_object_set_new(object, "rule", json_of_text(own->rule));
	if (own->graded)
		json_object_set_new(object, "severity", json_string(severity_name(own->severity)));
	if (own->has_since)
		json_object_set_new(object, "since", json_integer(own->since));
	if (own->has_until)
		json_object_set_new(object, "until", json_integer(own->until));
	return object;
}

/* What filters and suppressions left nothing of. */
static json_t *json_hidden(const struct report *report)
{
	const struct findings *findings = &report->analysis->findings;
	struct map prints = findings_prints(findings);
	json_t *array = json_array();

	for (size_t i = 0; i < findings->hidden_count; i++) {
		const struct hidden *hidden = &findings->hidden[i];

		if (findings_printed(&prints, hidden->fingerprint))
			continue;
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s, s:s}", "rule", rules[hidden->rule].id, "severity",
						severity_name(hidden->severity), "fingerprint", hidden->fingerprint,
						"by", hidden->suppressed ? "suppression" : "filter"));
	}
	map_clear(&prints);
	return array;
}

static json_t *json_schema(const struct report *report)
{
	(void)report;
	return json_string("shmguard-report/1");
}

static json_t *json_filtered(const struct report *report)
{
	return json_of_number(report->analysis->findings.filtered);
}

/* The members of the report. Of one that may be long `nth` makes a value, NULL where it is not shown. */
static const struct part {
	const char *name;
	json_t *(*whole)(const struct report *report);
	json_t *(*nth)(const struct report *report, size_t i);
} parts[] = {
	{"schema", json_schema, NULL},
	{"trace", json_trace, NULL},
	{"processes", NULL, json_nth_process},
	{"unseen", json_unseen, NULL},     /* processes */
	{"appeared", json_appeared, NULL}, /* objects, likewise */
	{"objects", NULL, json_nth_object},
	{"findings", NULL, json_nth_finding},
	{"suppressions", json_suppressions, NULL},
	{"filtered", json_filtered, NULL},
	{"selection", json_selection, NULL},
	{"hidden", json_hidden, NULL},
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static size_t part_count(const struct part *part, const struct analysis *analysis)
{
	if (part->nth == json_nth_finding)
		return analysis->findings.count;
	return part->nth == json_nth_object ? analysis->world->object_count : analysis->world->process_count;
}

json_t *report_as_json(const struct report *report, size_t most, const struct cast *cast)
{
	json_t *all = json_object();

	for (const struct part *part = parts; part < parts + PARTS; part++) {
		size_t count = part->nth ? part_count(part, report->analysis) : 0;
		json_t *value = part->nth ? json_array() : part->whole(report);

		if (part->nth == json_nth_finding && count > most)
			count = most;
		for (size_t i = 0; i < count; i++)
			if (part->nth != json_nth_process || cast_shows(cast, report->analysis->world->processes[i]))
				json_array_append_new(value, part->nth(report, i));
		json_object_set_new(all, part->name, value);
	}
	return all;
}

void report_json(const struct report *report, FILE *out)
{
	struct json_stream stream = {.out = out};

	json_stream_open(&stream, NULL, '{');
	for (const struct part *part = parts; part < parts + PARTS; part++) {
		if (!part->nth) {
			json_stream_put(&stream, part->name, part->whole(report));
			continue;
		}
		json_stream_open(&stream, part->name, '[');
		for (size_t i = 0; i < part_count(part, report->analysis) && !ferror(out); i++) {
			json_t *value = part->nth(report, i);

			if (value)
				json_stream_put(&stream, NULL, value);
		}
		json_stream_close(&stream);
	}
	json_stream_close(&stream);
}
