/*
 * The report for people: the verdict, the findings with their stacks, then what was looked at and what could not be seen.
 * A finding takes at most a screen, notes a few lines each, tables a screenful.
 */
#include "analyzer/report_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"
#include "analyzer/units.h"

enum { NOTES_SHOWN = 10, FINDINGS_SHOWN = 20, FACTS_COLUMNS = 56 };

void text_line(const struct terminal *terminal, enum ink ink, int indent, char *line)
{
	fprintf(terminal->out, "%*s", indent, "");
	terminal_paragraph(terminal, ink, line, indent, indent + 2);
	free(line);
}

char *text_count(uint64_t count, const char *what)
{
	char digits[24], grouped[32], *to = grouped;
	const char *from;
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (from = digits; *from; from++, length--) {
		*to++ = *from;
		if (length > 1 && length % 3 == 1)
			*to++ = ',';
	}
	*to = '\0';
	return *what ? memory_format("%s %s%s", grouped, what,
				     count == 1                      ? ""
				     : what[strlen(what) - 1] == 's' ? "es"
								     : "s")
		     : memory_text(grouped);
}

char *text_bytes(uint64_t bytes)
{
	return units_bytes(bytes, 1024, "B");
}

char *text_process(const struct process *process)
{
	char *exe = escape_terminal(*process->exe ? report_basename(process->exe) : "unknown program");
	char *text = memory_format("%d %s", (int)process->pid, exe);

	free(exe);
	return text;
}

char *text_ended(const struct process *process)
{
	const char *name;

	switch (process->ended) {
	case ENDED_exit:
		return memory_format("exited with status %d", process->status);
	case ENDED_signal:
		name = sigabbrev_np(process->signal);
		return name ? memory_format("killed by SIG%s", name)
			    : memory_format("killed by signal %d", process->signal);
	case ENDED_exec:
		return memory_text("went on as another program (exec)");
	case ENDED_running:
		return memory_text(process->recording->ended ? "still running when the recording stopped"
							     : "still running when last heard of");
	case ENDED_unknown:
		break;
	}
	return memory_text("end not seen");
}

static enum ink text_ink(enum severity severity)
{
	return severity == SEVERITY_ERROR ? INK_error : severity == SEVERITY_WARNING ? INK_warning : INK_note;
}

static char *text_doubts(const struct finding *finding)
{
	if (finding->uncertain)
		return memory_text("uncertain");
	return finding->doubts ? memory_format("%" PRIu64 " of them uncertain", finding->doubts) : memory_text("");
}

/* "12 times in 3 recordings, 40 KiB, uncertain", or "..., 2 of them uncertain", as far as it applies. */
static char *text_facts(const struct report *report, const struct finding *finding)
{
	size_t recordings = report_recordings(report, finding);
	char *times = text_count(finding->count, "time"), *bytes = text_bytes(finding->bytes);
	char *where = recordings > 1 ? memory_format(" in %zu recordings", recordings) : memory_text("");
	char *doubts = text_doubts(finding);
	char *facts = memory_format("%s%s%s%s%s%s", finding->count > 1 ? times : "", where,
				    finding->count > 1 && finding->bytes ? ", " : "", finding->bytes ? bytes : "",
				    (finding->count > 1 || finding->bytes) && *doubts ? ", " : "", doubts);

	free(doubts);
	free(where);
	free(bytes);
	free(times);
	return facts;
}

static void text_heading(const struct report *report, const struct terminal *terminal, const struct finding *finding)
{
	char *facts = text_facts(report, finding);

	terminal_put(terminal, text_ink(finding->severity), severity_name(finding->severity));
	terminal_put(terminal, INK_strong, ": ");
	terminal_put(terminal, INK_strong, rules[finding->rule].id);
	fprintf(terminal->out, *facts ? " (%s)" : "%s", facts);
	free(facts);
}

/* "function (file.c:12)" of the program's own innermost function; "" if there is none. */
static char *text_own_place(const struct report *report, const struct finding *finding)
{
	struct spots spots = spots_of(report, finding->stack_count ? finding->stacks[0].stack : NULL);
	const struct spot *own = spots_own(&spots);
	char *label = own ? spot_label(own) : memory_text(""), *text, *safe;

	text = own && own->function && own->file
		       ? memory_format("%s (%s:%u)", label, report_basename(own->file), own->line)
		       : memory_text(label);
	safe = escape_terminal(text);
	free(text);
	free(label);
	spots_free(&spots);
	return safe;
}

/* What is only worth knowing: two lines, where and the sentence as far as it fits. */
static void text_note(const struct report *report, const struct terminal *terminal, const struct finding *finding)
{
	char *place = text_own_place(report, finding), *message = escape_terminal(finding->message);
	int left = terminal->width - FACTS_COLUMNS;
	char *where = terminal_cut(place, left > 32 ? left : 32, false);
	char *cut = terminal_cut(message, terminal->width - 2, false);

	text_heading(report, terminal, finding);
	fprintf(terminal->out, *where ? " at %s\n  %s\n" : "%s\n  %s\n", where, cut);
	free(cut);
	free(where);
	free(message);
	free(place);
}

static void text_whose(const struct report *report, const struct terminal *terminal, const struct process *process)
{
	char *place = escape_terminal(report_where(report, process) ?: "");
	char *ended = text_ended(process),
	     *argv = *process->argv ? escape_command(process->argv) : escape_terminal(process->exe);
	char *head = memory_format("process %d: ", (int)process->pid);
	char *tail = memory_format(", %s%s%s", ended, *place ? "; recorded in " : "", place);
	int left = terminal->width - 2 - terminal_columns(head) - terminal_columns(tail);
	char *cut = terminal_cut(argv, left > 20 ? left : 20, false);

	fprintf(terminal->out, "  %s%s", head, cut);
	terminal_put(terminal, process->ended == ENDED_signal ? INK_strong : INK_plain, tail);
	fputc('\n', terminal->out);
	free(cut);
	free(tail);
	free(head);
	free(argv);
	free(ended);
	free(place);
}

static void text_finding(const struct report *report, const struct terminal *terminal, const struct finding *finding)
{
	char *message = escape_terminal(finding->message);
	size_t i;

	fputc('\n', terminal->out);
	text_heading(report, terminal, finding);
	fputc('\n', terminal->out);
	text_line(terminal, INK_plain, 2, message);
	if (finding->process)
		text_whose(report, terminal, finding->process);
	for (i = 0; i < finding->stack_count; i++)
		text_stack(report, terminal, finding, &finding->stacks[i]);
	if (finding->severity != SEVERITY_NOTE)
		text_line(terminal, INK_plain, 2, memory_format("what to do: %s.", report_advice(finding)));
}

/* The findings of a severity, and how many more there are. */
static void text_severity(const struct report *report, const struct terminal *terminal, enum severity severity)
{
	const struct findings *findings = &report->analysis->findings;
	bool brief = severity == SEVERITY_NOTE && !report->verbose;
	size_t room = report->verbose ? SIZE_MAX : brief ? NOTES_SHOWN : FINDINGS_SHOWN;
	size_t shown = 0, hidden = 0, i;
	char *count;

	for (i = 0; i < findings->count; i++) {
		if (findings->all[i].severity != severity)
			continue;
		if (shown == room) {
			hidden++;
			continue;
		}
		if (brief && !shown)
			fputc('\n', terminal->out);
		shown++;
		if (brief)
			text_note(report, terminal, &findings->all[i]);
		else
			text_finding(report, terminal, &findings->all[i]);
	}
	count = text_count(hidden, severity_name(severity));
	if (hidden)
		fprintf(terminal->out, "%s... and %s more: --verbose\n", brief ? "" : "\n", count);
	free(count);
}

/* What the findings of a group have in common. */
static char *text_group(const struct report *report, const struct finding *finding)
{
	char *place;

	switch (report->group) {
	case BY_object:
		return escape_terminal(finding_name(finding) ? finding_name(finding) : "(no name)");
	case BY_process:
		return finding->process ? text_process(finding->process) : memory_text("(no process)");
	case BY_rule:
		return memory_text(rules[finding->rule].id);
	default:
		place = text_own_place(report, finding);
		if (*place)
			return place;
		free(place);
		return memory_text("(no stack)");
	}
}

static void text_grouped(const struct report *report, const struct terminal *terminal)
{
	const struct findings *findings = &report->analysis->findings;
	const void *key = NULL;
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->all[i];
		const void *own = report_group_key(finding, report->group);
		char *title = text_group(report, finding);

		if (!i || own != key) {
			fputc('\n', terminal->out);
			terminal_put(terminal, INK_strong, "== ");
			terminal_put(terminal, INK_strong, title);
			fputc('\n', terminal->out);
		}
		key = own;
		free(title);
		if (finding->severity == SEVERITY_NOTE && !report->verbose)
			text_note(report, terminal, finding);
		else
			text_finding(report, terminal, finding);
	}
}

/* What was found but is not told, and which suppressions of a file were of no use. */
static void text_hidden(const struct report *report, const struct terminal *terminal)
{
	char *filtered = untold_filtered(&report->analysis->findings);
	size_t told = 0, i;

	if (filtered)
		fprintf(terminal->out, "\n%s\n", filtered);
	free(filtered);
	for (i = 0; report->suppressions && i < report->suppressions->count; i++) {
		const struct suppression *suppression = &report->suppressions->all[i];
		char *pattern, *words;

		if (!untold_has_line(suppression))
			continue;
		if (!told++)
			fputc('\n', terminal->out);
		/* As it stands in its file, where it is looked for. */
		pattern = escape_command(suppression->pattern);
		words = untold_suppressed(suppression);
		fprintf(terminal->out, suppression->line ? "%s:%u: " : "%s: ", suppression->source, suppression->line);
		fprintf(terminal->out, "%s:%s %s\n", suppression->rule, pattern, words);
		free(words);
		free(pattern);
	}
}

static void text_findings(const struct report *report, const struct terminal *terminal)
{
	size_t i;

	if (report->group != BY_none)
		text_grouped(report, terminal);
	for (i = report->group == BY_none ? SEVERITY_ERROR + 1 : 0; i-- > 0;)
		text_severity(report, terminal, (enum severity)i);
	text_hidden(report, terminal);
	if (report->analysis->findings.count)
		fprintf(terminal->out, "\n`shmguard rules RULE` explains a finding's rule.\n");
}

/* " (2 uncertain)", or "(uncertain)" of all; to be freed. */
static char *text_doubt(uint64_t all, uint64_t uncertain)
{
	if (uncertain == 0)
		return memory_text("");
	return uncertain == all ? memory_text(" (uncertain)") : memory_format(" (%" PRIu64 " uncertain)", uncertain);
}

/* "2 errors (1 uncertain), 1 warning", or "nothing found". */
static char *text_tally(const struct analysis *analysis)
{
	const struct findings *findings = &analysis->findings;
	uint64_t count[SEVERITY_ERROR + 1] = {0}, uncertain[SEVERITY_ERROR + 1] = {0};
	char *text = memory_text("");
	size_t i;

	for (i = 0; i < findings->count; i++) {
		count[findings->all[i].severity]++;
		uncertain[findings->all[i].severity] += findings->all[i].uncertain;
	}
	for (i = SEVERITY_ERROR + 1; i-- > 0;) {
		char *part = text_count(count[i], severity_name((enum severity)i)), *whole;
		char *doubt = text_doubt(count[i], uncertain[i]);

		whole = count[i] ? memory_format("%s%s%s%s", text, *text ? ", " : "", part, doubt) : memory_text(text);
		free(doubt);
		free(part);
		free(text);
		text = whole;
	}
	if (*text)
		return text;
	free(text);
	return memory_text(untold_none(analysis));
}

static char *text_worst(const struct report *report)
{
	const struct findings *findings = &report->analysis->findings;
	char *why = findings->count ? NULL : untold_why(report);
	char *worst = escape_terminal(why ? why : findings->all[0].message);

	free(why);
	return worst;
}

static void text_verdict(const struct report *report, const struct terminal *terminal)
{
	const struct analysis *analysis = report->analysis;
	const struct findings *findings = &analysis->findings;
	bool whole = analysis->complete && !analysis->unseen_count;
	enum ink ink = findings->count ? text_ink(findings->all[0].severity) : whole ? INK_good : INK_plain;
	char *unseen = text_count(analysis->unseen_count, "process");
	char *tally = text_tally(analysis), *worst = text_worst(report);
	char *line =
		memory_format("%s%s%s%s%s%s%s%s%s%s%s", tally,
			      findings->count <= 1                         ? ""
			      : findings->all[0].severity == SEVERITY_NOTE ? "; the largest"
									   : "; the worst",
			      findings->count > 1 && findings->all[0].uncertain ? ", uncertain" : "",
			      *worst ? ": " : "", worst, analysis->findings.suppressed ? " [some was suppressed]" : "",
			      analysis->findings.filtered ? " [some was not asked for]" : "",
			      analysis->cut                            ? " [the trace was not read to its end]"
			      : analysis->complete || analysis->others ? ""
								       : " [the recording is incomplete]",
			      analysis->unseen_count ? " [" : "", analysis->unseen_count ? unseen : "",
			      analysis->unseen_count ? " not seen]" : "");

	fputs("shmguard: ", terminal->out);
	terminal_paragraph(terminal, ink, line, 10, 10);
	free(line);
	free(unseen);
	free(worst);
	free(tally);
}

static int text_lines(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

void report_text(const struct report *report, FILE *out)
{
	struct terminal terminal = terminal_on(out);
	char *text = NULL;
	size_t size;

	terminal.out = open_memstream(&text, &size);
	if (!terminal.out)
		terminal.out = out;
	text_verdict(report, &terminal);
	text_findings(report, &terminal);
	text_summary(report, &terminal);
	if (terminal.out == out)
		return;
	fflush(terminal.out);
	/* What a reader of a terminal is left with is the last screen. */
	if (terminal.rows && text_lines(text) >= terminal.rows) {
		fputc('\n', terminal.out);
		text_verdict(report, &terminal);
	}
	fclose(terminal.out);
	fwrite(text, 1, size, out);
	free(text);
}
