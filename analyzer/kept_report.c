#include "analyzer/kept_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/cmd_report.h"
#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/report.h"

static bool kept_report_is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool kept_report_is_level(const json_t *value)
{
	enum severity severity;

	return json_is_string(value) && cmd_report_level(json_string_value(value), &severity);
}

static bool kept_report_is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 1;
}

static bool kept_report_is_size(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* Finding number `index` has what is needed of it, or *wrong is set. */
static bool kept_report_accepts(const json_t *finding, size_t index, char **wrong)
{
	static const struct {
		const char *name, *expected;
		bool (*good)(const json_t *value);
	} fields[] = {
		{"fingerprint", "a string", kept_report_is_text},
		{"rule", "a string", kept_report_is_text},
		{"severity", "error, warning or note", kept_report_is_level},
		{"message", "a string", kept_report_is_text},
		{"count", "a whole number from 1 on", kept_report_is_count},
		{"bytes", "a whole number from 0 on", kept_report_is_size},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].good(json_object_get(finding, fields[i].name)))
			continue;
		*wrong = memory_format("findings[%zu].%s: expected %s", index, fields[i].name, fields[i].expected);
		return false;
	}
	return true;
}

/* What is not as a report has it, in words to be freed; NULL: nothing. */
static char *kept_report_wrong(const json_t *report)
{
	const json_t *findings = json_object_get(report, "findings");
	const char *schema = json_string_value(json_object_get(report, "schema"));
	json_t *finding;
	char *wrong;
	size_t i;

	if (!schema || strcmp(schema, "shmguard-report/1") != 0)
		return memory_text("schema: expected shmguard-report/1");
	if (!json_is_array(findings))
		return memory_text("findings: expected an array");
	json_array_foreach (findings, i, finding)
		if (!kept_report_accepts(finding, i, &wrong))
			return wrong;
	json_array_foreach (json_object_get(report, "hidden"), i, finding)
		if (!json_is_string(json_object_get(finding, "fingerprint")))
			return memory_format("hidden[%zu].fingerprint: expected a string", i);
	return NULL;
}

static json_t *kept_report_file(const char *path)
{
	json_error_t error;
	json_t *report = json_load_file(path, 0, &error);
	char *wrong = report ? kept_report_wrong(report) : escape_terminal(error.text), *safe;

	if (!wrong)
		return report;
	safe = escape_terminal(path);
	fprintf(stderr, "shmguard: %s: %s: %s\n", safe, report ? "not a report of shmguard" : "not JSON", wrong);
	free(safe);
	free(wrong);
	json_decref(report);
	return NULL;
}

static json_t *kept_report_recording(const char *dir)
{
	const struct report_options options = {.outputs = {{report_format_find("json"), NULL}}, .output_count = 1};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *report = NULL;

	if (out && report_recording(dir, &options, out, NULL) == REPORT_DONE && !fclose(out))
		report = json_loads(text, 0, NULL);
	free(text);
	return report;
}

json_t *kept_report_read(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? kept_report_file(path) : kept_report_recording(path);
}
