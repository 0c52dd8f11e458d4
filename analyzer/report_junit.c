/*
 * The report as JUnit XML: a test case for each finding, as readers show one failure of a case and no more; and a passed one
 * for each rule without any, so that it shows what was looked for. Notes are no failures: they are their case's output.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"

static void junit_text(FILE *out, const char *bytes)
{
	char *text = escape_xml(bytes);

	fputs(text, out);
	free(text);
}

static void junit_stack(const struct report *report, const struct finding_stack *stack, FILE *out)
{
	struct spots spots = spots_of(report, stack->stack);
	size_t i;

	junit_text(out, stack->role);
	if (stack->process)
		fprintf(out, " by process %d", (int)stack->process->pid);
	fputs(spots.count ? ":\n" : ": no stack was recorded\n", out);
	for (i = 0; i < spots.count; i++) {
		char *label = spot_label(&spots.all[i]), *place = spot_place(&spots.all[i]);

		fputs("  ", out);
		junit_text(out, label);
		if (spots.all[i].function) {
			fputs(" (", out);
			junit_text(out, place);
			fputc(')', out);
		}
		fputc('\n', out);
		free(place);
		free(label);
	}
	if (spots.cut)
		fputs("  ... " SPOTS_CUT "\n", out);
	spots_free(&spots);
}

static void junit_body(const struct report *report, const struct finding *finding, FILE *out)
{
	size_t i;

	fprintf(out, "%s: ", severity_name(finding->severity));
	junit_text(out, finding->message);
	fprintf(out, "\n%" PRIu64 " time%s, %" PRIu64 " byte%s%s, fingerprint %s\n", finding->count,
		finding->count == 1 ? "" : "s", finding->bytes, finding->bytes == 1 ? "" : "s",
		finding->uncertain ? ", uncertain" : "", finding->fingerprint);
	if (report_recordings(report, finding)) {
		char *recorded = report_recorded(report, finding);

		fputs("recorded in ", out);
		junit_text(out, recorded);
		fputc('\n', out);
		free(recorded);
	}
	for (i = 0; i < finding->stack_count; i++)
		junit_stack(report, &finding->stacks[i], out);
}

/* The same in every run and unlike any other: what readers show of a case, and know it by. */
static void junit_name(const struct report *report, const struct finding *finding, FILE *out)
{
	struct spots spots = spots_of(report, finding->stack_count ? finding->stacks[0].stack : NULL);
	const struct spot *own = spots_own(&spots);

	fputs(rules[finding->rule].id, out);
	if (own) {
		char *label = spot_label(own);

		fputs(" in ", out);
		junit_text(out, label);
		free(label);
	}
	fprintf(out, " [%s]", finding->fingerprint);
	spots_free(&spots);
}

static void junit_finding(const struct report *report, const struct finding *finding, FILE *out)
{
	bool failure = finding->severity != SEVERITY_NOTE;

	fprintf(out, "    <testcase classname=\"shmguard.%s\" name=\"", rule_group_name(rules[finding->rule].group));
	junit_name(report, finding, out);
	fputs("\" time=\"0\">\n", out);
	if (failure) {
		fprintf(out, "      <failure type=\"%s\" message=\"", severity_name(finding->severity));
		junit_text(out, finding->message);
		fputs("\">", out);
	} else {
		fputs("      <system-out>", out);
	}
	junit_body(report, finding, out);
	fputs(failure ? "</failure>\n" : "</system-out>\n", out);
	fputs("    </testcase>\n", out);
}

/* How many cases a rule has: its findings, or one that passed. A rule that this version does not look for has none. */
static size_t junit_cases(const struct findings *findings, size_t rule, size_t *failures)
{
	size_t found = 0, i;

	for (i = 0; i < findings->count; i++) {
		found += findings->all[i].rule == rule;
		*failures += findings->all[i].rule == rule && findings->all[i].severity != SEVERITY_NOTE;
	}
	return found ? found : rules[rule].checked;
}

static void junit_rule(const struct report *report, size_t rule, FILE *out)
{
	const struct findings *findings = &report->analysis->findings;
	bool found = false;
	size_t i;

	for (i = 0; i < findings->count; i++) {
		if (findings->all[i].rule != rule)
			continue;
		junit_finding(report, &findings->all[i], out);
		found = true;
	}
	if (!found && rules[rule].checked)
		fprintf(out, "    <testcase classname=\"shmguard.%s\" name=\"%s\" time=\"0\"/>\n",
			rule_group_name(rules[rule].group), rules[rule].id);
}

void report_junit(const struct report *report, FILE *out)
{
	const struct analysis *analysis = report->analysis;
	size_t tests = 0, failures = 0, i;

	for (i = 0; i < RULE_COUNT; i++)
		tests += junit_cases(&analysis->findings, i, &failures);
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"shmguard\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.3f\">\n"
		"  <testsuite name=\"shmguard\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" "
		"time=\"%.3f\">\n",
		tests, failures, analysis->seconds, tests, failures, analysis->seconds);
	for (i = 0; i < RULE_COUNT; i++)
		junit_rule(report, i, out);
	if (analysis->problem_count || analysis->unseen_count || analysis->appeared_count)
		fputs("    <system-err>", out);
	for (i = 0; i < analysis->problem_count; i++) {
		junit_text(out, analysis->problems[i]);
		fputc('\n', out);
	}
	for (i = 0; i < analysis->unseen_count; i++) {
		fprintf(out, "not seen: process %d, ", (int)analysis->unseen[i].pid);
		junit_text(out, analysis->unseen[i].exe);
		fputs(": ", out);
		junit_text(out, analysis->unseen[i].reason);
		fputc('\n', out);
	}
	for (i = 0; i < analysis->appeared_count; i++) {
		char *line = report_appeared(analysis->appeared[i]);

		junit_text(out, line);
		fputc('\n', out);
		free(line);
	}
	if (analysis->problem_count || analysis->unseen_count || analysis->appeared_count)
		fputs("</system-err>\n", out);
	fputs("  </testsuite>\n</testsuites>\n", out);
}
