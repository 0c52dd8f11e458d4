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

#include "analyzer/cmd_report.h"
#include "analyzer/difference.h"
#include "analyzer/escape.h"
#include "analyzer/json_out.h"
#include "analyzer/kept_report.h"
#include "analyzer/memory.h"
#include "analyzer/report.h"
#include "analyzer/report_text.h"
#include "analyzer/terminal.h"
#include "analyzer/trace_settings.h"

enum { OPTION_fail_on = 0x100, OPTION_json };

static const struct option_row rows[] = {
	{"fail-on", OPTION_fail_on, "LEVEL",
	 "exit with 1 for a new one of LEVEL or graver\n"
	 "LEVEL is error, the default, warning or note. One that is uncertain counts, as it does for report; where all "
	 "that count are, standard error is told."},
	{"json", OPTION_json, NULL,
	 "for programs: arrays new, fixed, changed, hidden, doubts\n"
	 "Hidden is what one of them has and a filter or a suppression left out of the other: it is neither new nor "
	 "fixed. Doubts are what standard error is told: where one of them is incomplete, or cannot be compared with "
	 "the other."},
	TRACE_ROWS,
	{NULL, 0, NULL, NULL},
};

const struct option_table diff_option_table = {
	"diff", "A B",
	"Tell which findings B has and A has not, and the other way round. A and B are recordings or JSON reports, "
	"a file or a pipe each; - is a report on standard input.",
	rows, "Exit status: 0 nothing new; 1 new findings at --fail-on; 2 wrong usage; 3 A or B could not be read."};

/* "12 times, 480 KiB, uncertain", or "..., 2 of them uncertain" */
static char *diff_extent(const json_t *finding)
{
	json_int_t count = difference_number(finding, "count"), bytes = difference_number(finding, "bytes"),
		   doubts = difference_number(finding, "doubts");
	char *times = count == 1 ? memory_text("once") : text_count((uint64_t)count, "time");
	char *size = bytes ? text_bytes((uint64_t)bytes) : memory_text(""), *doubt, *all;

	if (doubts && !difference_is_uncertain(finding))
		doubt = memory_format(", %" JSON_INTEGER_FORMAT " of them uncertain", doubts);
	else
		doubt = memory_text(difference_is_uncertain(finding) ? ", uncertain" : "");
	all = memory_format("%s%s%s%s", times, *size ? ", " : "", size, doubt);
	free(doubt);
	free(size);
	free(times);
	return all;
}

/* A text of a report, harmless on a terminal; to be freed. */
static char *diff_text(const json_t *finding, const char *key)
{
	char *bytes = escape_undo(json_string_value(json_object_get(finding, key))), *safe = escape_terminal(bytes);

	free(bytes);
	return safe;
}

static void diff_line(const struct terminal *terminal, const char *what, enum ink ink, const json_t *finding)
{
	char *rule = diff_text(finding, "rule");
	char *message = diff_text(finding, "message");
	char *severity = diff_text(finding, "severity");
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

	printf("%zu new, %zu fixed, %zu changed", json_array_size(difference->fresh),
	       json_array_size(difference->fixed), json_array_size(difference->changed));
	if (json_array_size(difference->hidden))
		printf(", %zu hidden", json_array_size(difference->hidden));
	putchar('\n');
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
	json_array_foreach (difference->hidden, i, item) {
		const char *by = json_string_value(json_object_get(item, "by"));

		diff_line(&terminal, "hidden ", INK_note, json_object_get(item, "finding"));
		printf("        left out of %s by a %s\n", json_string_value(json_object_get(item, "missing_in")),
		       by && !strcmp(by, "suppression") ? "suppression" : "filter");
	}
}

static bool diff_reaches(const json_t *finding, enum severity level)
{
	enum severity severity;

	return cmd_report_level(json_string_value(json_object_get(finding, "severity")), &severity) &&
	       severity >= level;
}

/* What --fail-on is about, and how much of it is uncertain. */
struct failing {
	size_t count, uncertain;
};

static void diff_count(struct failing *failing, const json_t *finding)
{
	failing->count++;
	failing->uncertain += difference_is_uncertain(finding);
}

static struct failing diff_failing(const struct difference *difference, enum severity fail_on)
{
	struct failing failing = {0};
	json_t *finding;
	size_t i;

	json_array_foreach (difference->fresh, i, finding)
		if (diff_reaches(finding, fail_on))
			diff_count(&failing, finding);
	json_array_foreach (difference->changed, i, finding)
		if (diff_reaches(json_object_get(finding, "after"), fail_on) &&
		    !diff_reaches(json_object_get(finding, "before"), fail_on))
			diff_count(&failing, json_object_get(finding, "after"));
	return failing;
}

static bool diff_any_uncertain(const json_t *findings)
{
	json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding)
		if (difference_is_uncertain(finding))
			return true;
	return false;
}

/* One line for people; takes over `text`. */
static void diff_doubt(json_t *doubts, char *text)
{
	char *safe = escape_terminal(text), *valid = escape_utf8(text);

	fprintf(stderr, "shmguard: %s\n", safe);
	json_array_append_new(doubts, json_string(valid));
	free(valid);
	free(safe);
	free(text);
}

/* An older report does not say what it leaves out. */
static bool diff_is_partial(const json_t *report)
{
	json_t *suppression;
	bool partial = difference_number(report, "filtered") > 0;
	size_t i;

	json_array_foreach (json_object_get(report, "suppressions"), i, suppression)
		partial |= difference_number(suppression, "findings") > 0;
	return partial && !json_object_get(report, "hidden");
}

/* The first program that ran unseen in `report` and not in `other`; NULL: none. */
static const char *diff_unseen(const json_t *report, const json_t *other)
{
	json_t *unseen, *known;
	size_t i, k;

	json_array_foreach (json_object_get(report, "unseen"), i, unseen) {
		const json_t *exe = json_object_get(unseen, "exe");
		bool both = !json_is_string(exe);

		json_array_foreach (json_object_get(other, "unseen"), k, known)
			both |= json_equal(exe, json_object_get(known, "exe"));
		if (!both)
			return json_string_value(exe);
	}
	return NULL;
}

/* Why it is not all that there was, to be freed; NULL: it is. */
static char *diff_incomplete(const char *name, const json_t *report)
{
	const json_t *trace = json_object_get(report, "trace");
	const char *problem = json_string_value(json_array_get(json_object_get(trace, "problems"), 0));

	if (!json_is_false(json_object_get(trace, "complete")))
		return NULL;
	/* As the report says it: one was given that is no recording. */
	if (json_is_true(json_object_get(trace, "others")) && problem)
		return memory_format("%s: %s", name, problem);
	return memory_format("%s is incomplete", name);
}

/* Why what one of them lacks may be there all the same: `doubt` says what follows. */
static void diff_doubt_one(json_t *doubts, const char *name, const json_t *report, const json_t *other,
			   const char *doubt)
{
	const char *exe = diff_unseen(report, other);
	char *incomplete = diff_incomplete(name, report);

	if (incomplete)
		diff_doubt(doubts, memory_format("%s: %s", incomplete, doubt));
	free(incomplete);
	if (exe)
		diff_doubt(doubts, memory_format("%s did not see %s: %s", name, *exe ? exe : "a process", doubt));
	if (diff_is_partial(report))
		diff_doubt(doubts,
			   memory_format("%s was filtered or suppressed, and does not say what it leaves out: %s", name,
					 doubt));
}

/* What may have taken some of the occurrences of a finding, and left others. */
static json_t *diff_lens(const json_t *report)
{
	static const char *const filters[] = {"host", "pid", "exe", "object", "since", "until"};
	json_t *lens = json_object(), *suppressions = json_array(), *one;
	const json_t *selection = json_object_get(report, "selection");
	size_t i;

	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		json_object_set(lens, filters[i], json_object_get(selection, filters[i]));
	json_array_foreach (json_object_get(report, "suppressions"), i, one)
		if (difference_number(one, "findings") > 0)
			json_array_append_new(suppressions, json_pack("[O?, O?]", json_object_get(one, "rule"),
								      json_object_get(one, "pattern")));
	json_object_set_new(lens, "suppressions", suppressions);
	return lens;
}

static json_t *diff_doubts(const char *const *names, const json_t *before, const json_t *after,
			   const struct difference *difference)
{
	json_t *doubts = json_array(), *one = diff_lens(before), *other = diff_lens(after);
	bool changed = json_array_size(difference->changed) > 0;

	diff_doubt_one(doubts, names[0], before, after, "what is new may have been there");
	diff_doubt_one(doubts, names[1], after, before,
		       diff_any_uncertain(difference->fresh)
			       ? "what is fixed may only be missing, and what is new and uncertain need not be so"
			       : "what is fixed may only be missing");
	if (changed && !json_equal(one, other))
		diff_doubt(doubts,
			   memory_format("%s and %s were filtered or suppressed in different ways: what changed "
					 "may only have been counted in part",
					 names[0], names[1]));
	json_decref(other);
	json_decref(one);
	return doubts;
}

static int diff_tell(const char *const *names, const json_t *before, const json_t *after, bool json,
		     enum severity fail_on)
{
	struct difference difference = difference_of(before, after);
	struct failing failing = diff_failing(&difference, fail_on);
	json_t *doubts = diff_doubts(names, before, after, &difference);
	json_t *all = json_pack("{s:o, s:o, s:o, s:o, s:o}", "new", difference.fresh, "fixed", difference.fixed,
				"changed", difference.changed, "hidden", difference.hidden, "doubts", doubts);

	if (failing.count && failing.uncertain == failing.count)
		diff_doubt(doubts,
			   memory_format("all that is new in %s at --fail-on=%s is uncertain, and counts all the "
					 "same",
					 names[1], severity_name(fail_on)));
	if (!json)
		diff_print(&difference);
	else if (json_out(all, stdout, JSON_INDENT(1)) == 0)
		putchar('\n');
	json_decref(all);
	return failing.count ? REPORT_FOUND : REPORT_DONE;
}

int cmd_diff(int argc, char **argv)
{
	enum severity fail_on = SEVERITY_ERROR;
	const char *names[2];
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
			options_tell("shmguard: --fail-on takes error, warning or note, not '%s'\n", optarg);
			return options_usage(&diff_option_table, REPORT_USAGE);
		}
	}
	if (argc - optind != 2) {
		fputs("shmguard: diff takes two recordings or JSON reports\n", stderr);
		return options_usage(&diff_option_table, REPORT_USAGE);
	}
	for (int i = 0; i < 2; i++)
		names[i] = kept_report_name(argv[optind + i]);
	if (kept_report_is_input(argv[optind]) && kept_report_is_input(argv[optind + 1])) {
		fputs("shmguard: standard input can be one of the two reports, not both\n", stderr);
		return options_usage(&diff_option_table, REPORT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	before = kept_report_read(argv[optind]);
	if (before)
		after = kept_report_read(argv[optind + 1]);
	if (before && after)
		result = diff_tell(names, before, after, json, fail_on);
	json_decref(after);
	json_decref(before);
	return result;
}
