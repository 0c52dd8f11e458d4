#include "analyzer/kept_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/cmd_report.h"
#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/report.h"

/* Bytes: no report comes near it. */
enum { KEPT_REPORT_MAX = 256 * 1024 * 1024 };

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

/* A pipe may go on for ever. */
struct bounded {
	FILE *in;
	size_t room;
	int error;
};

static size_t kept_report_more(void *buffer, size_t size, void *data)
{
	struct bounded *bounded = data;
	size_t length;

	errno = 0;
	length = fread(buffer, 1, size < bounded->room ? size : bounded->room, bounded->in);
	bounded->room -= length;
	if (ferror(bounded->in))
		bounded->error = errno;
	else if (!bounded->room && !bounded->error && getc(bounded->in) != EOF)
		bounded->error = EFBIG;
	return bounded->error ? (size_t)-1 : length;
}

bool kept_report_is_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

const char *kept_report_name(const char *path)
{
	return kept_report_is_input(path) ? "standard input" : path;
}

/* NULL: *wrong says why, to be freed. */
static json_t *kept_report_load(const char *path, char **wrong)
{
	bool given = kept_report_is_input(path);
	struct bounded bounded = {.in = given ? stdin : fopen(path, "re"), .room = KEPT_REPORT_MAX};
	json_t *report = NULL;
	json_error_t error;

	if (bounded.in)
		report = json_load_callback(kept_report_more, &bounded, 0, &error);
	else
		bounded.error = errno;
	if (bounded.error == EFBIG)
		*wrong = memory_format("longer than %d bytes", KEPT_REPORT_MAX);
	else if (bounded.error)
		*wrong = memory_text(strerror(bounded.error));
	else if (!report)
		*wrong = memory_format("not JSON: %s", error.text);
	if (bounded.in && !given)
		fclose(bounded.in);
	return report;
}

static json_t *kept_report_file(const char *path)
{
	char *wrong = NULL, *why, *line, *safe;
	json_t *report = kept_report_load(path, &wrong);

	why = report ? kept_report_wrong(report) : NULL;
	if (why)
		wrong = memory_format("not a report of shmguard: %s", why);
	free(why);
	if (!wrong)
		return report;
	line = memory_format("%s: %s", kept_report_name(path), wrong);
	safe = escape_terminal(line);
	fprintf(stderr, "shmguard: %s\n", safe);
	free(safe);
	free(line);
	free(wrong);
	json_decref(report);
	return NULL;
}

static json_t *kept_report_recording(const char *dir)
{
	const struct report_options options = {
		.outputs = {{report_format_find("json"), NULL}}, .output_count = 1, .kept = true};
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

	if (kept_report_is_input(path) || (stat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode))))
		return kept_report_file(path);
	return kept_report_recording(path);
}
