/*
 * The recording in Chrome's trace event format, which Perfetto and chrome://tracing show: a process each, objects as
 * asynchronous slices over their lives, the bytes that a process has mapped as a counter, findings as marks. Written as
 * it is read. Times are microseconds from the beginning.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/chronicle.h"
#include "analyzer/json_out.h"
#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"

/* The kernel's PID_MAX_LIMIT. */
#define PID_LIMIT 4194304

struct timeline {
	const struct report *report;
	FILE *out;
	int64_t start;
	bool begun;
	struct map named; /* (pid as it is printed) -> the executable whose name it has */
};

static double timeline_time(const struct timeline *timeline, int64_t time)
{
	return time > timeline->start ? (double)(time - timeline->start) / 1e3 : 0;
}

/* One event a line; releases it. */
static void timeline_put(struct timeline *timeline, json_t *event)
{
	fputs(timeline->begun ? ",\n" : "\n", timeline->out);
	timeline->begun = true;
	json_out(event, timeline->out, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(event);
}

static json_t *timeline_name(const struct object *object)
{
	return json_of_text(object_name(object) ? object_name(object) : "(no name)");
}

/* As two machines' processes may have one pid, those of each recording but the first are moved past the highest there is. */
static json_int_t timeline_offset(const struct timeline *timeline, const struct process *process)
{
	const struct recording *whole = timeline->report->analysis->recording;

	for (size_t i = 0; process && process->recording && i < whole->part_count; i++)
		if (strcmp(whole->parts[i]->dir, process->recording->dir) == 0)
			return (json_int_t)i * PID_LIMIT;
	return 0;
}

static json_int_t timeline_pid(const struct timeline *timeline, const struct process *process)
{
	return process ? timeline_offset(timeline, process) + process->pid : 0;
}

static void timeline_process(struct timeline *timeline, const struct process *process)
{
	json_int_t pid = timeline_pid(timeline, process);
	const char *named = map_get(&timeline->named, (uint64_t)pid, 0);
	const char *program = *process->exe ? report_basename(process->exe) : "unknown program";
	const char *where = report_where(timeline->report, process);
	char *name;

	if (named && strcmp(named, process->exe) == 0)
		return;
	name = where ? memory_format("%s (%d in %s)", program, (int)process->pid, where) : memory_text(program);
	timeline_put(timeline, json_pack("{s:s, s:s, s:I, s:I, s:{s:o}}", "ph", "M", "name", "process_name", "pid", pid,
					 "tid", pid, "args", "name", json_of_text(name)));
	free(name);
	map_put(&timeline->named, (uint64_t)pid, 0, (void *)(uintptr_t)process->exe);
}

/* The pid under which something of the process is drawn, which has a name then. */
static json_int_t timeline_drawn(struct timeline *timeline, const struct process *process)
{
	json_int_t pid = timeline_pid(timeline, process);

	if (process && !map_get(&timeline->named, (uint64_t)pid, 0))
		timeline_process(timeline, process);
	return pid;
}

static void timeline_moment(void *context, const struct moment *moment)
{
	struct timeline *timeline = context;
	double time = timeline_time(timeline, moment->time);
	json_t *arguments;

	if (moment->of == MOMENT_start && report_shows_process(timeline->report, moment->process))
		timeline_process(timeline, moment->process);
	if (!moment->asked)
		return;
	arguments = json_object();
	if (moment->object) {
		json_object_set_new(arguments, "object", timeline_name(moment->object));
		if (moment->sized)
			json_object_set_new(arguments, "size", json_of_number(moment->size));
	}
	if (moment->length)
		json_object_set_new(arguments, "length", json_of_number(moment->length));
	timeline_put(timeline,
		     json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:o}", "ph", "i", "s", "t", "cat", "call", "name",
			       moment_name(moment->of), "ts", time, "pid", timeline_drawn(timeline, moment->process),
			       "tid", timeline_offset(timeline, moment->process) + moment->thread, "args", arguments));
}

static void timeline_mapped(void *context, const struct process *process, int64_t time, uint64_t bytes)
{
	struct timeline *timeline = context;
	json_int_t pid = timeline_drawn(timeline, process);

	timeline_put(timeline, json_pack("{s:s, s:s, s:f, s:I, s:I, s:{s:o}}", "ph", "C", "name", "mapped bytes", "ts",
					 timeline_time(timeline, time), "pid", pid, "tid", pid, "args", "bytes",
					 json_of_number(bytes)));
}

static void timeline_slice(struct timeline *timeline, const struct span *span, bool begin)
{
	json_int_t pid = timeline_drawn(timeline, span->object->created.process);
	json_t *event = json_pack("{s:s, s:s, s:s, s:o, s:f, s:I, s:I}", "ph", begin ? "b" : "e", "cat", "object", "id",
				  object_id(span->object).text, "name", timeline_name(span->object), "ts",
				  timeline_time(timeline, begin ? span->from : span->until), "pid", pid, "tid", pid);

	if (begin)
		json_object_set_new(event, "args",
				    json_pack("{s:o*, s:o}", "size", span->sized ? json_of_number(span->size) : NULL,
					      "inode",
					      span->object->defined ? json_of_number(span->object->ino) : json_null()));
	timeline_put(timeline, event);
}

static void timeline_finish(void *context, const struct world *world, const struct span *spans, size_t span_count,
			    const struct leaving *leavings, size_t leaving_count)
{
	struct timeline *timeline = context;
	size_t i;

	(void)world, (void)leavings, (void)leaving_count;
	for (i = 0; i < span_count; i++) {
		timeline_slice(timeline, &spans[i], true);
		timeline_slice(timeline, &spans[i], false);
	}
}

static void timeline_finding(struct timeline *timeline, const struct finding *finding)
{
	json_int_t pid = timeline_drawn(timeline, finding->process);

	timeline_put(timeline,
		     json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:{s:s, s:o, s:o, s:s}}", "ph", "i", "s",
			       finding->process ? "p" : "g", "cat", "finding", "name", rules[finding->rule].id, "ts",
			       timeline_time(timeline, finding->time), "pid", pid, "tid", pid, "args", "severity",
			       severity_name(finding->severity), "message", json_of_text(finding->message), "count",
			       json_of_number(finding->count), "fingerprint", finding->fingerprint));
}

/* What viewers show with the trace. */
static void timeline_missing(const char *what, FILE *out)
{
	json_t *data = json_pack("{s:o}", "missing", json_of_text(what));

	fputs(",\"otherData\":", out);
	json_out(data, out, JSON_COMPACT);
	json_decref(data);
}

void report_timeline(const struct report *report, FILE *out)
{
	struct timeline timeline = {.report = report, .out = out, .start = report->analysis->from};
	size_t i;

	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
	chronicle_read(report, &(struct chronicle){.context = &timeline,
						   .moment = timeline_moment,
						   .finish = timeline_finish,
						   .mapped = timeline_mapped});
	for (i = 0; i < report->analysis->findings.count; i++)
		timeline_finding(&timeline, &report->analysis->findings.all[i]);
	fputs("\n]", out);
	report_lacks(report);
	if (report->missing && report->missing->words)
		timeline_missing(report->missing->words, out);
	fputs("}\n", out);
	map_clear(&timeline.named);
}
