/*
 * shmguard diff: two recordings or JSON reports by the fingerprints of their findings. Everything is compared as JSON, so
 * that an old report kept by a service is as good as a recording.
 */
#include "analyzer/cmd_diff.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/cmd_report.h"
#include "analyzer/escape.h"
#include "analyzer/json_out.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"
#include "analyzer/report_text.h"
#include "analyzer/terminal.h"
#include "analyzer/trace_settings.h"

enum { OPTION_fail_on = 0x100, OPTION_json };

static const struct option_row rows[] = {
	{"fail-on", OPTION_fail_on, "LEVEL",
	 "exit with 1 for a new one of LEVEL or graver\n"
	 "LEVEL is error, the default, warning or note."},
	{"json", OPTION_json, NULL, "for programs: arrays new, fixed and changed"},
	TRACE_ROWS,
	{NULL, 0, NULL, NULL},
};

const struct option_table diff_option_table = {
	"diff", "A B",
	"Tell which findings B has and A has not, and the other way round. A and B are recordings or JSON reports.",
	rows, "Exit status: 0 nothing new; 1 new findings at --fail-on; 2 wrong usage; 3 A or B could not be read."};

struct difference {
	json_t *fresh, *fixed, *changed; /* arrays; changed of {before, after} */
};

static bool diff_is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool diff_is_level(const json_t *value)
{
	enum severity severity;

	return json_is_string(value) && cmd_report_level(json_string_value(value), &severity);
}

static bool diff_is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 1;
}

static bool diff_is_size(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* Finding number `index` has what is needed of it, or *wrong is set. */
static bool diff_accepts(const json_t *finding, size_t index, char **wrong)
{
	static const struct {
		const char *name, *expected;
		bool (*good)(const json_t *value);
	} fields[] = {
		{"fingerprint", "a string", diff_is_text},
		{"rule", "a string", diff_is_text},
		{"severity", "error, warning or note", diff_is_level},
		{"message", "a string", diff_is_text},
		{"count", "a whole number from 1 on", diff_is_count},
		{"bytes", "a whole number from 0 on", diff_is_size},
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
static char *diff_wrong(const json_t *report)
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
		if (!diff_accepts(finding, i, &wrong))
			return wrong;
	return NULL;
}

static json_t *diff_file(const char *path)
{
	json_error_t error;
	json_t *report = json_load_file(path, 0, &error);
	char *wrong = report ? diff_wrong(report) : escape_terminal(error.text), *safe;

	if (!wrong)
		return report;
	safe = escape_terminal(path);
	fprintf(stderr, "shmguard: %s: %s: %s\n", safe, report ? "not a report of shmguard" : "not JSON", wrong);
	free(safe);
	free(wrong);
	json_decref(report);
	return NULL;
}

static json_t *diff_recording(const char *dir)
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

static json_t *diff_read(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? diff_file(path) : diff_recording(path);
}

static json_t *diff_find(const json_t *report, const json_t *finding)
{
	const json_t *findings = json_object_get(report, "findings");
	const char *wanted = json_string_value(json_object_get(finding, "fingerprint"));
	json_t *other;
	size_t i;

	json_array_foreach (findings, i, other)
		if (!strcmp(wanted, json_string_value(json_object_get(other, "fingerprint"))))
			return other;
	return NULL;
}

static json_int_t diff_number(const json_t *finding, const char *field)
{
	return json_integer_value(json_object_get(finding, field));
}

static const json_t *diff_place(const json_t *finding)
{
	return json_object_get(json_array_get(json_object_get(finding, "stacks"), 0), "frames");
}

/* The same rule broken at the same place, less or more gravely: a fingerprint has the severity in it. */
static bool diff_is_same(const json_t *one, const json_t *other)
{
	const json_t *place = diff_place(one);

	return json_array_size(place) &&
	       !strcmp(json_string_value(json_object_get(one, "rule")),
		       json_string_value(json_object_get(other, "rule"))) &&
	       json_equal(place, diff_place(other));
}

static void diff_pair(struct difference *difference)
{
	for (size_t i = json_array_size(difference->fresh); i-- > 0;)
		for (size_t k = json_array_size(difference->fixed); k-- > 0;) {
			json_t *after = json_array_get(difference->fresh, i);
			json_t *before = json_array_get(difference->fixed, k);

			if (!diff_is_same(before, after))
				continue;
			json_array_append_new(difference->changed,
					      json_pack("{s:O, s:O}", "before", before, "after", after));
			json_array_remove(difference->fresh, i);
			json_array_remove(difference->fixed, k);
			break;
		}
}

static struct difference diff_of(const json_t *before, const json_t *after)
{
	struct difference difference = {json_array(), json_array(), json_array()};
	json_t *finding, *other;
	size_t i;

	json_array_foreach (json_object_get(after, "findings"), i, finding) {
		other = diff_find(before, finding);
		if (!other)
			json_array_append(difference.fresh, finding);
		else if (diff_number(other, "count") != diff_number(finding, "count") ||
			 diff_number(other, "bytes") != diff_number(finding, "bytes"))
			json_array_append_new(difference.changed,
					      json_pack("{s:O, s:O}", "before", other, "after", finding));
	}
	json_array_foreach (json_object_get(before, "findings"), i, finding)
		if (!diff_find(after, finding))
			json_array_append(difference.fixed, finding);
	diff_pair(&difference);
	return difference;
}

/* "12 times, 480 KiB" */
static char *diff_extent(const json_t *finding)
{
	json_int_t count = diff_number(finding, "count"), bytes = diff_number(finding, "bytes");
	char *times = count == 1 ? memory_text("once") : text_count((uint64_t)count, "time"), *size, *both;

	if (!bytes)
		return times;
	size = text_bytes((uint64_t)bytes);
	both = memory_format("%s, %s", times, size);
	free(size);
	free(times);
	return both;
}

static void diff_line(const struct terminal *terminal, const char *what, enum ink ink, const json_t *finding)
{
	char *rule = escape_terminal(json_string_value(json_object_get(finding, "rule")));
	char *message = escape_terminal(json_string_value(json_object_get(finding, "message")));
	char *severity = escape_terminal(json_string_value(json_object_get(finding, "severity")));
	char *extent = diff_extent(finding);

	terminal_put(terminal, ink, what);
	fprintf(terminal->out, " %s: %s (%s): %s\n", severity, rule, extent, message);
	free(extent);
	free(severity);
	free(message);
	free(rule);
}

static void diff_print_before(const json_t *item, const char *extent)
{
	const char *was = json_string_value(json_object_get(json_object_get(item, "before"), "severity"));
	const char *is = json_string_value(json_object_get(json_object_get(item, "after"), "severity"));
	char *severity = escape_terminal(was);

	if (strcmp(was, is) != 0)
		printf("        before: %s, %s\n", severity, extent);
	else
		printf("        before: %s\n", extent);
	free(severity);
}

static void diff_print(const struct difference *difference)
{
	struct terminal terminal = terminal_on(stdout);
	json_t *item;
	size_t i;

	printf("%zu new, %zu fixed, %zu changed\n", json_array_size(difference->fresh),
	       json_array_size(difference->fixed), json_array_size(difference->changed));
	json_array_foreach (difference->fresh, i, item)
		diff_line(&terminal, "new    ", INK_error, item);
	json_array_foreach (difference->fixed, i, item)
		diff_line(&terminal, "fixed  ", INK_good, item);
	json_array_foreach (difference->changed, i, item) {
		char *before = diff_extent(json_object_get(item, "before"));

		diff_line(&terminal, "changed", INK_warning, json_object_get(item, "after"));
		diff_print_before(item, before);
		free(before);
	}
}

static bool diff_reaches(const json_t *finding, enum severity level)
{
	enum severity severity;

	return cmd_report_level(json_string_value(json_object_get(finding, "severity")), &severity) &&
	       severity >= level;
}

static bool diff_fails(const struct difference *difference, enum severity fail_on)
{
	json_t *finding;
	size_t i;

	json_array_foreach (difference->fresh, i, finding)
		if (diff_reaches(finding, fail_on))
			return true;
	json_array_foreach (difference->changed, i, finding)
		if (diff_reaches(json_object_get(finding, "after"), fail_on) &&
		    !diff_reaches(json_object_get(finding, "before"), fail_on))
			return true;
	return false;
}

static int diff_tell(const json_t *before, const json_t *after, bool json, enum severity fail_on)
{
	struct difference difference = diff_of(before, after);
	int result = diff_fails(&difference, fail_on) ? REPORT_FOUND : REPORT_DONE;
	json_t *all = json_pack("{s:o, s:o, s:o}", "new", difference.fresh, "fixed", difference.fixed, "changed",
				difference.changed);

	if (!json)
		diff_print(&difference);
	else if (json_out(all, stdout, JSON_INDENT(1)) == 0)
		putchar('\n');
	json_decref(all);
	return result;
}

static void diff_doubt(const char *name, const json_t *report, const char *doubt)
{
	char *safe;

	if (!json_is_false(json_object_get(json_object_get(report, "trace"), "complete")))
		return;
	safe = escape_terminal(name);
	fprintf(stderr, "shmguard: %s is incomplete: %s\n", safe, doubt);
	free(safe);
}

int cmd_diff(int argc, char **argv)
{
	enum severity fail_on = SEVERITY_ERROR;
	json_t *before, *after = NULL;
	bool json = false;
	int option, result = REPORT_UNREADABLE;

	optind = 0;
	while ((option = options_next(&diff_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return REPORT_DONE;
		if (option == OPTIONS_BAD)
			return REPORT_USAGE;
		json |= option == OPTION_json;
		if (trace_settings_take(option, optarg) < 0)
			return options_usage(&diff_option_table, REPORT_USAGE);
		if (option == OPTION_fail_on && !cmd_report_level(optarg, &fail_on)) {
			fprintf(stderr, "shmguard: --fail-on takes error, warning or note, not '%s'\n", optarg);
			return options_usage(&diff_option_table, REPORT_USAGE);
		}
	}
	if (argc - optind != 2) {
		fputs("shmguard: diff takes two recordings or JSON reports\n", stderr);
		return options_usage(&diff_option_table, REPORT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	before = diff_read(argv[optind]);
	if (before)
		after = diff_read(argv[optind + 1]);
	if (before && after) {
		diff_doubt(argv[optind], before, "what is new may have been there");
		diff_doubt(argv[optind + 1], after, "what is fixed may only be missing");
		result = diff_tell(before, after, json, fail_on);
	}
	json_decref(after);
	json_decref(before);
	return result;
}
