/*
 * The report as JUnit XML: a test case for each finding, as readers show one failure of a case and no more; and a passed one
 * for each rule without any, so that it shows what was looked for; which is a skipped one where filters or suppressions
 * left nothing of the rule. Notes are no failures: they are their case's output. Of a trace that has events, but none of
 * shmguard, or of the recording, a case that is an error says so, and all rules are skipped: nothing was looked at.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"
#include "analyzer/report_text.h"
#include "analyzer/spots.h"

/* Findings of a rule that are not told. */
struct untold {
	size_t filtered, suppressed;
};

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

/* Where in the program's own code; NULL: not known. */
static char *junit_label(const struct report *report, const struct finding *finding, size_t number)
{
	struct spots spots = spots_of(report, number < finding->stack_count ? finding->stacks[number].stack : NULL);
	const struct spot *own = spots_own(&spots);
	char *label = own ? spot_label(own) : NULL;

	spots_free(&spots);
	return label;
}

/* The same in every run and unlike any other: what readers show of a case, and know it by. */
static void junit_name(const struct report *report, const struct finding *finding, FILE *out)
{
	char *label = junit_label(report, finding, 0);

	/* Which of two equal parties comes first is not the same in every run. */
	if (finding->parties && finding->stack_count > 1) {
		char *other = junit_label(report, finding, 1), *later = label;

		if (other && (!label || strcmp(other, label) < 0))
			label = other;
		else
			later = other;
		free(later);
	}
	fputs(rules[finding->rule].id, out);
	if (label) {
		fputs(" in ", out);
		junit_text(out, label);
	}
	free(label);
	if (finding->before)
		fprintf(out, " [%s:%zu]", finding->fingerprint, finding->before + 1);
	else
		fprintf(out, " [%s]", finding->fingerprint);
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

static void junit_count_untold(const struct findings *findings, struct untold untold[static RULE_COUNT])
{
	struct map prints = findings_prints(findings);

	for (size_t i = 0; i < findings->hidden_count; i++) {
		const struct hidden *hidden = &findings->hidden[i];
		struct untold *own = &untold[hidden->rule];

		if (!findings_printed(&prints, hidden->fingerprint))
			++*(hidden->suppressed ? &own->suppressed : &own->filtered);
	}
	map_clear(&prints);
}

/* Why nothing can be said of a rule that has no finding, to be freed; NULL: it passed. */
static char *junit_skipped(const struct report *report, size_t rule, const struct untold *untold)
{
	char *filtered, *suppressed, *reason;

	if (report->selection && !selection_has_rule(report->selection, (enum rule_id)rule, SEVERITY_ERROR))
		return memory_text("not asked for");
	if (report->analysis->none)
		return memory_text(report->analysis->none);
	if (!untold->filtered && !untold->suppressed)
		return NULL;
	filtered = text_count(untold->filtered, "finding");
	suppressed = text_count(untold->suppressed, "finding");
	reason = memory_format("%s%s%s%s%s", untold->filtered ? filtered : "", untold->filtered ? " not asked for" : "",
			       untold->filtered && untold->suppressed ? ", " : "", untold->suppressed ? suppressed : "",
			       untold->suppressed ? " suppressed" : "");
	free(suppressed);
	free(filtered);
	return reason;
}

struct cases {
	size_t tests, failures, errors, skipped;
};

/* Counts the cases of a rule, its findings or one for all; prints them with `out`. One that is not looked for has none. */
static void junit_rule(const struct report *report, size_t rule, const struct untold *untold, struct cases *cases,
		       FILE *out)
{
	const struct findings *findings = &report->analysis->findings;
	char *skipped;
	bool found = false;

	for (size_t i = 0; i < findings->count; i++) {
		if (findings->all[i].rule != rule)
			continue;
		cases->tests++;
		cases->failures += findings->all[i].severity != SEVERITY_NOTE;
		if (out)
			junit_finding(report, &findings->all[i], out);
		found = true;
	}
	if (found || !rules[rule].checked)
		return;
	skipped = junit_skipped(report, rule, untold);
	cases->tests++;
	cases->skipped += skipped != NULL;
	if (out)
		fprintf(out, "    <testcase classname=\"shmguard.%s\" name=\"%s\" time=\"0\"%s%s%s/>%s\n",
			rule_group_name(rules[rule].group), rules[rule].id, skipped ? "><skipped message=\"" : "",
			skipped ? skipped : "", skipped ? "\"" : "", skipped ? "</testcase>" : "");
	free(skipped);
}

/* As junit_rule(), of the case that there is for a trace with nothing to look at. */
static void junit_none(const struct analysis *analysis, struct cases *cases, FILE *out)
{
	if (!analysis->none)
		return;
	cases->tests++;
	cases->errors++;
	if (!out)
		return;
	fputs("    <testcase classname=\"shmguard.recording\" name=\"events\" time=\"0\">\n"
	      "      <error type=\"recording\" message=\"",
	      out);
	junit_text(out, analysis->none);
	fputs("\"/>\n    </testcase>\n", out);
}

static void junit_property(const char *name, const char *value, FILE *out)
{
	fprintf(out, "      <property name=\"%s\" value=\"", name);
	junit_text(out, value);
	fputs("\"/>\n", out);
}

static void junit_number(const char *name, uint64_t value, FILE *out)
{
	fprintf(out, "      <property name=\"%s\" value=\"%" PRIu64 "\"/>\n", name, value);
}

/* What was asked for, and how many findings are left out, where there were filters or suppressions. */
static void junit_properties(const struct report *report, const struct untold untold[static RULE_COUNT], FILE *out)
{
	uint64_t filtered = report->analysis->findings.filtered, suppressed = 0;
	json_t *selection = json_selection(report), *value;
	const char *name;

	for (size_t i = 0; i < RULE_COUNT; i++)
		suppressed += untold[i].suppressed;
	if (json_object_size(selection) || filtered || suppressed) {
		fputs("    <properties>\n", out);
		json_object_foreach(selection, name, value)
		{
			char *full = memory_format("selection.%s", name);

			if (json_is_string(value)) {
				char *text = escape_undo(json_string_value(value));

				junit_property(full, text, out);
				free(text);
			} else {
				junit_number(full, (uint64_t)json_integer_value(value), out);
			}
			free(full);
		}
		junit_number("filtered", filtered, out);
		junit_number("suppressed", suppressed, out);
		fputs("    </properties>\n", out);
	}
	json_decref(selection);
}

void report_junit(const struct report *report, FILE *out)
{
	const struct analysis *analysis = report->analysis;
	struct untold untold[RULE_COUNT] = {0};
	struct cases cases = {0}, again = {0};
	size_t i;

	junit_count_untold(&analysis->findings, untold);
	for (i = 0; i < RULE_COUNT; i++)
		junit_rule(report, i, &untold[i], &cases, NULL);
	junit_none(analysis, &cases, NULL);
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"shmguard\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n"
		"  <testsuite name=\"shmguard\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
		"time=\"%.3f\">\n",
		cases.tests, cases.failures, cases.errors, analysis->seconds, cases.tests, cases.failures, cases.errors,
		cases.skipped, analysis->seconds);
	junit_properties(report, untold, out);
	for (i = 0; i < RULE_COUNT; i++)
		junit_rule(report, i, &untold[i], &again, out);
	junit_none(analysis, &again, out);
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
