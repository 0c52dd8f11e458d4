/*
 * The report as SARIF 2.1.0, within the limits of GitHub's code scanning: a rule has few tags, a run not too many
 * results, the gravest first. Files below the directory that the recording was made in are relative to it, which a
 * service takes for the repository's root.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/json_stream.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"
#include "analyzer/spots.h"
#include "tracepoints/version.h"

/* GitHub takes RESULTS_MAX and shows RESULTS_SHOWN; the others go without their stacks, for a file may have 10 MB. */
enum { RESULTS_MAX = 25000, RESULTS_SHOWN = 5000 };

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#define BASE "%SRCROOT%"

static char *sarif_percent(const char *path)
{
	char *text = memory_new(strlen(path) + 1, 3), *to = text;

	for (; *path; path++) {
		if (isalnum((unsigned char)*path) || strchr("/-._~", *path))
			*to++ = *path;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*path);
	}
	return text;
}

static json_t *sarif_artifact(const char *path)
{
	char *text = sarif_percent(path), *uri = memory_format("%s%s", *path == '/' ? "file://" : "", text);
	json_t *location = json_pack("{s:s}", "uri", uri);

	if (*path != '/')
		json_object_set_new(location, "uriBaseId", json_string(BASE));
	free(uri);
	free(text);
	return location;
}

/* Where nothing else is known GitHub wants a file all the same: it is the program, or what lies in /dev/shm. */
static json_t *sarif_program(const struct process *process, const struct object *object)
{
	const char *name = object ? object_name(object) : NULL;
	char *path = process && process->exe && *process->exe == '/'
			     ? memory_text(process->exe)
			     : memory_format("/dev/shm%s", name && *name == '/' ? name : "");
	json_t *location = sarif_artifact(path);

	free(path);
	return location;
}

/* Whose the finding's stack of that number is. */
static const struct process *sarif_caller(const struct finding *finding, size_t index)
{
	const struct process *process = index < finding->stack_count ? finding->stacks[index].process : NULL;

	return process ? process : finding->process;
}

/*
 * Source file and line; without them the address in the module, or in the program's memory where no module was. A file
 * that was compiled by a name outside of a directory that nobody knows any more ("../csu/libc-start.c") is none of the
 * repository, and nowhere else.
 */
static json_t *sarif_physical(const struct report *report, const struct finding *finding, size_t index,
			      const struct spot *spot)
{
	char *file = spot->file ? spots_file(report, spot->file) : NULL;
	json_t *physical = json_object();

	if (file && !strncmp(file, "../", 3)) {
		free(file);
		file = NULL;
	}

	if (file) {
		json_object_set_new(physical, "artifactLocation", sarif_artifact(file));
		if (spot->line)
			json_object_set_new(physical, "region", json_pack("{s:i}", "startLine", (int)spot->line));
	} else if (spot->frame->module) {
		json_object_set_new(physical, "artifactLocation", sarif_artifact(spot->frame->module->path));
		json_object_set_new(physical, "address",
				    json_pack("{s:o, s:s}", "relativeAddress", json_of_number(spot->frame->offset),
					      "kind", "function"));
	} else {
		json_object_set_new(physical, "artifactLocation",
				    sarif_program(sarif_caller(finding, index), finding->object));
		json_object_set_new(physical, "address",
				    json_pack("{s:o}", "absoluteAddress", json_of_number(spot->frame->offset)));
	}
	free(file);
	return physical;
}

/* What SARIF would take for a placeholder (2.1.0, 3.11.5) or a link (3.11.6) stands for itself. */
static json_t *sarif_words(const char *bytes)
{
	char *text = memory_new(2 * strlen(bytes) + 1, 1), *to = text;
	json_t *json;

	for (const char *from = bytes; *from; from++) {
		if (*from == '{' || *from == '}')
			*to++ = *from;
		/* What escapes the bracket must not itself be escaped by what is before it. */
		else if (!strncmp(from + strspn(from, "\\"), "](", 2))
			*to++ = '\\';
		*to++ = *from;
	}
	json = json_of_text(text);
	free(text);
	return json;
}

/* `index`: the number of the finding's stack that the spot is in. */
static json_t *sarif_location(const struct report *report, const struct finding *finding, size_t index,
			      const struct spot *spot, const char *words)
{
	char *label = spot_label(spot);
	json_t *location = json_pack("{s:o, s:[{s:o, s:s}], s:{s:o}}", "physicalLocation",
				     sarif_physical(report, finding, index, spot), "logicalLocations",
				     "fullyQualifiedName", json_of_text(label), "kind", "function", "message", "text",
				     sarif_words(words ? words : label));

	free(label);
	return location;
}

/* In the order of execution: the call that this is about comes last. */
static json_t *sarif_flow(const struct report *report, const struct finding *finding, size_t index)
{
	const struct finding_stack *stack = &finding->stacks[index];
	struct spots spots = spots_of(report, stack->stack);
	const char *cut = spots.cut ? ", without " SPOTS_CUT : "";
	json_t *steps = json_array(), *flow;
	char *id = memory_format("%s %zu", stack->role, index + 1), *title;
	size_t i;

	for (i = spots.count; i-- > 0;) {
		json_t *step = json_pack("{s:o, s:s}", "location",
					 sarif_location(report, finding, index, &spots.all[i], i ? NULL : stack->role),
					 "importance", i ? "important" : "essential");

		if (spots.all[i].frame->module)
			json_object_set_new(step, "module",
					    json_of_text(report_basename(spots.all[i].frame->module->path)));
		json_array_append_new(steps, step);
	}
	title = stack->process ? memory_format("%s by process %d%s", stack->role, (int)stack->process->pid, cut)
			       : memory_format("%s%s", stack->role, cut);
	flow = json_pack("{s:s, s:{s:s}, s:o}", "id", id, "message", "text", title, "locations", steps);
	free(title);
	free(id);
	spots_free(&spots);
	return flow;
}

static void sarif_add_flows(const struct report *report, const struct finding *finding, json_t *result)
{
	json_t *flows = json_array();
	size_t i;

	for (i = 0; i < finding->stack_count; i++)
		if (finding->stacks[i].stack && finding->stacks[i].stack->count)
			json_array_append_new(flows, sarif_flow(report, finding, i));
	if (json_array_size(flows))
		json_object_set_new(result, "codeFlows", json_pack("[{s:O}]", "threadFlows", flows));
	json_decref(flows);
}

static void sarif_add_location(const struct report *report, const struct finding *finding, json_t *result)
{
	struct spots spots = spots_of(report, finding->stack_count ? finding->stacks[0].stack : NULL);
	const struct spot *own = spots_own(&spots);
	json_t *location, *physical;

	if (!own && spots.count)
		own = &spots.all[0];
	location = own ? sarif_location(report, finding, 0, own, NULL)
		       : json_pack("{s:{s:o}}", "physicalLocation", "artifactLocation",
				   sarif_program(finding->process, finding->object));
	physical = json_object_get(location, "physicalLocation");
	/* GitHub wants a line of each, which neither a program without debugging information nor an object has. */
	if (!json_object_get(physical, "region"))
		json_object_set_new(physical, "region", json_pack("{s:i}", "startLine", 1));
	json_object_set_new(result, "locations", json_pack("[o]", location));
	spots_free(&spots);
}

/* What people are shown of a result is its message. One that is of no process and no object tells whose it is. */
static json_t *sarif_message(const struct report *report, const struct finding *finding)
{
	size_t count = report_recordings(report, finding);
	char *message;
	json_t *text;

	if (count == 0 || (!finding->process && !finding->object))
		return sarif_words(finding->message);
	message = count > 1 ? memory_format("%s (in %zu recordings, first %s)", finding->message, count,
					    finding->recordings[0]->dir)
			    : memory_format("%s (recorded in %s)", finding->message, finding->recordings[0]->dir);
	text = sarif_words(message);
	free(message);
	return text;
}

static json_t *sarif_result(const struct report *report, const struct finding *finding, const int *indexes, bool flows)
{
	char *line_hash = memory_format("%s:%zu", finding->fingerprint, finding->before + 1);
	char *print = finding->before ? memory_text(line_hash) : memory_text(finding->fingerprint);
	const char *object = finding->object ? object_name(finding->object) : NULL;
	json_t *result = json_pack(
		"{s:s, s:i, s:s, s:{s:o}, s:{s:s}, s:{s:s, s:s}, s:o, s:{s:o, s:b, s:s, s:o, s:o, s:o*}}", "ruleId",
		rules[finding->rule].id, "ruleIndex", indexes[finding->rule], "level", severity_name(finding->severity),
		"message", "text", sarif_message(report, finding), "fingerprints", "shmguard/v1", print,
		"partialFingerprints", "shmguard/v1", print, "primaryLocationLineHash", line_hash, "occurrenceCount",
		json_of_number(finding->count), "properties", "bytes", json_of_number(finding->bytes), "uncertain",
		finding->uncertain, "advice", report_advice(finding), "object", json_of_text(object), "process",
		finding->process ? json_string(finding->process->id) : json_null(), "recordings",
		json_recordings(report, finding));

	sarif_add_location(report, finding, result);
	if (flows)
		sarif_add_flows(report, finding, result);
	free(print);
	free(line_hash);
	return result;
}

static json_t *sarif_rule(const struct rule *rule, const char *help)
{
	char *cwe = rule->cwe ? memory_format("external/cwe/cwe-%03d", rule->cwe) : NULL;
	json_t *tags = json_pack("[s, s]", "shared-memory", rule_group_name(rule->group)), *object;

	if (cwe)
		json_array_append_new(tags, json_string(cwe));
	object = json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:o, s:s}}", "id", rule->id,
			   "shortDescription", "text", rule->summary, "fullDescription", "text", rule->summary, "help",
			   "text", help, "defaultConfiguration", "level", severity_name(rule->severity), "properties",
			   "tags", tags, "problem.severity",
			   rule->severity == SEVERITY_NOTE ? "recommendation" : severity_name(rule->severity));
	free(cwe);
	return object;
}

/* Those looked for and those found; indexes[rule]: its place in the array. */
static json_t *sarif_rules(const struct findings *findings, int indexes[static RULE_COUNT])
{
	bool shown[RULE_COUNT] = {false};
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < findings->count; i++)
		shown[findings->all[i].rule] = true;
	for (i = 0; i < RULE_COUNT; i++) {
		if (!shown[i] && !rules[i].checked)
			continue;
		indexes[i] = (int)json_array_size(array);
		json_array_append_new(array, sarif_rule(&rules[i], rule_help[i]));
	}
	return array;
}

static void sarif_notify(json_t *notifications, char *text)
{
	json_array_append_new(notifications,
			      json_pack("{s:s, s:{s:o}}", "level", "warning", "message", "text", sarif_words(text)));
	free(text);
}

/* Those rules that were not asked for, or NULL. */
static json_t *sarif_overrides(const struct report *report, const int indexes[static RULE_COUNT])
{
	json_t *array = json_array();

	for (size_t i = 0; report->selection && i < RULE_COUNT; i++)
		if (rules[i].checked && !selection_has_rule(report->selection, (enum rule_id)i, SEVERITY_ERROR))
			json_array_append_new(array, json_pack("{s:{s:b}, s:{s:s, s:i}}", "configuration", "enabled", 0,
							       "descriptor", "id", rules[i].id, "index", indexes[i]));
	if (json_array_size(array))
		return array;
	json_decref(array);
	return NULL;
}

/* What was not seen. */
static json_t *sarif_invocation(const struct report *report, const int indexes[static RULE_COUNT])
{
	const struct analysis *analysis = report->analysis;
	json_t *notifications = json_array();
	size_t i;

	for (i = 0; i < analysis->problem_count; i++)
		sarif_notify(notifications, memory_text(analysis->problems[i]));
	for (i = 0; i < analysis->unseen_count; i++)
		sarif_notify(notifications,
			     memory_format("process %d was not seen: %s: %s", (int)analysis->unseen[i].pid,
					   analysis->unseen[i].exe, analysis->unseen[i].reason));
	for (i = 0; i < analysis->appeared_count; i++)
		sarif_notify(notifications, report_appeared(analysis->appeared[i]));
	if (analysis->findings.count > RESULTS_MAX)
		sarif_notify(notifications, memory_format("%zu findings were left out: a run may have %d results",
							  analysis->findings.count - RESULTS_MAX, RESULTS_MAX));
	return json_pack("{s:b, s:o, s:o*}", "executionSuccessful", 1, "toolExecutionNotifications", notifications,
			 "ruleConfigurationOverrides", sarif_overrides(report, indexes));
}

/* What is left out of the results because of filters and suppressions; NULL where there was none of these. */
static json_t *sarif_left_out(const struct report *report)
{
	json_t *selection = json_selection(report), *suppressions = json_suppressions(report);
	json_t *properties = NULL;

	if (json_object_size(selection) || json_array_size(suppressions))
		properties =
			json_pack("{s:O, s:o, s:O}", "selection", selection, "filtered",
				  json_of_number(report->analysis->findings.filtered), "suppressions", suppressions);
	json_decref(suppressions);
	json_decref(selection);
	return properties;
}

static json_t *sarif_bases(const struct recording *recording)
{
	char *path = sarif_percent(recording->cwd && *recording->cwd ? recording->cwd : "/");
	char *uri = memory_format("file://%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/");
	json_t *bases = json_pack("{s:{s:s}}", BASE, "uri", uri);

	free(uri);
	free(path);
	return bases;
}

/* However the findings are brought together, what is left out, or goes without stacks, is no graver than the others. */
static void sarif_results(const struct report *report, const int *indexes, struct json_stream *stream)
{
	const struct findings *findings = &report->analysis->findings;
	size_t put = 0;

	for (int severity = SEVERITY_ERROR; severity >= SEVERITY_NOTE; severity--)
		for (size_t i = 0; i < findings->count && put < RESULTS_MAX && !ferror(stream->out); i++)
			if ((int)findings->all[i].severity == severity)
				json_stream_put(
					stream, NULL,
					sarif_result(report, &findings->all[i], indexes, put++ < RESULTS_SHOWN));
}

void report_sarif(const struct report *report, FILE *out)
{
	const struct findings *findings = &report->analysis->findings;
	struct json_stream stream = {.out = out};
	int indexes[RULE_COUNT] = {0};
	json_t *list = sarif_rules(findings, indexes), *left_out = sarif_left_out(report);

	json_stream_open(&stream, NULL, '{');
	json_stream_put(&stream, "$schema", json_string(SCHEMA));
	json_stream_put(&stream, "version", json_string("2.1.0"));
	json_stream_open(&stream, "runs", '[');
	json_stream_open(&stream, NULL, '{');
	json_stream_put(&stream, "tool",
			json_pack("{s:{s:s, s:s, s:s, s:o}}", "driver", "name", "shmguard", "version", SHMGUARD_VERSION,
				  "semanticVersion", SHMGUARD_VERSION, "rules", list));
	json_stream_put(&stream, "invocations", json_pack("[o]", sarif_invocation(report, indexes)));
	json_stream_put(&stream, "originalUriBaseIds", sarif_bases(report->analysis->recording));
	json_stream_put(&stream, "columnKind", json_string("utf16CodeUnits"));
	if (left_out)
		json_stream_put(&stream, "properties", left_out);
	json_stream_open(&stream, "results", '[');
	sarif_results(report, indexes, &stream);
	while (stream.depth)
		json_stream_close(&stream);
}
