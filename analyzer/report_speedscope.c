/* Stacks in the file format of speedscope: bytes left mapped, mappings left, mappings ever made. */
#include <stdlib.h>

#include "analyzer/chronicle.h"
#include "analyzer/escape.h"
#include "analyzer/json_out.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"
#include "tracepoints/version.h"

struct scope {
	const struct report *report;
	json_t *frames;  /* array */
	json_t *indexes; /* label and place -> index in frames */
	json_t *samples[3], *weights[3];
	uint64_t total[3];
};

static json_t *scope_frame(struct scope *scope, const char *name, const char *file, unsigned line)
{
	char *both = memory_format("%s\n%s\n%u", name, file ? file : "", line), *key = escape_utf8(both);
	json_t *index = json_object_get(scope->indexes, key), *frame;

	if (!index) {
		frame = json_pack("{s:o}", "name", json_of_text(name));
		if (file)
			json_object_set_new(frame, "file", json_of_text(file));
		if (file && line)
			json_object_set_new(frame, "line", json_integer(line));
		index = json_integer((json_int_t)json_array_size(scope->frames));
		json_object_set_new(scope->indexes, key, index);
		json_array_append_new(scope->frames, frame);
	}
	free(key);
	free(both);
	return json_incref(index);
}

static json_t *scope_stack(struct scope *scope, const struct leaving *leaving)
{
	struct spots spots = spots_of(scope->report, leaving->stack);
	json_t *stack = json_array();
	size_t i;

	json_array_append_new(stack, scope_frame(scope, leaving->program, NULL, 0));
	if (spots.cut)
		json_array_append_new(stack, scope_frame(scope, SPOTS_CUT_FRAME, NULL, 0));
	for (i = spots.count; i-- > 0;) {
		char *label = spot_label(&spots.all[i]);

		json_array_append_new(stack, scope_frame(scope, label, spots.all[i].file, spots.all[i].line));
		free(label);
	}
	spots_free(&spots);
	return stack;
}

static void scope_finish(void *context, const struct world *world, const struct span *spans, size_t span_count,
			 const struct leaving *leavings, size_t leaving_count)
{
	struct scope *scope = context;
	size_t i, j;

	(void)world, (void)spans, (void)span_count;
	for (i = 0; i < leaving_count; i++) {
		const uint64_t values[3] = {leavings[i].bytes, leavings[i].mappings, leavings[i].made};
		json_t *stack = scope_stack(scope, &leavings[i]);

		for (j = 0; j < 3; j++) {
			if (!values[j])
				continue;
			json_array_append(scope->samples[j], stack);
			json_array_append_new(scope->weights[j], json_of_number(values[j]));
			scope->total[j] += values[j];
		}
		json_decref(stack);
	}
}

void report_speedscope(const struct report *report, FILE *out)
{
	static const char *const names[3] = {"bytes left mapped", "mappings left", "mappings made"};
	static const char *const units[3] = {"bytes", "none", "none"};
	struct scope scope = {.report = report, .frames = json_array(), .indexes = json_object()};
	json_t *profiles = json_array(), *all;
	size_t i;

	for (i = 0; i < 3; i++) {
		scope.samples[i] = json_array();
		scope.weights[i] = json_array();
	}
	chronicle_read(report, &(struct chronicle){.context = &scope, .finish = scope_finish});
	report_lacks(report);
	for (i = 0; i < 3; i++)
		json_array_append_new(profiles, json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "type", "sampled",
							  "name", names[i], "unit", units[i], "startValue", 0,
							  "endValue", json_of_number(scope.total[i]), "samples",
							  scope.samples[i], "weights", scope.weights[i]));
	all = json_pack("{s:s, s:s, s:s, s:i, s:{s:o}, s:o}", "$schema",
			"https://www.speedscope.app/file-format-schema.json", "exporter", "shmguard " SHMGUARD_VERSION,
			"name", "shared memory", "activeProfileIndex", 0, "shared", "frames", scope.frames, "profiles",
			profiles);
	if (json_out(all, out, JSON_INDENT(1)) == 0)
		fputc('\n', out);
	json_decref(all);
	json_decref(scope.indexes);
}
