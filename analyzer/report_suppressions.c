/* Lines that would suppress what was found, ready for a file that --suppress reads. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"
#include "analyzer/suppress.h"

/* Of callers: further out there is hardly anything that tells one finding from another. */
enum { PLACE_DEPTH = 8 };

/*
 * What fnmatch(3) takes for a pattern stands for itself; what a line or a terminal does not take is escaped, and a blank
 * at the end, which would be cut off as the line's, is in brackets.
 */
static char *suppressions_literal(const char *bytes)
{
	char *text = memory_new(2 * strlen(bytes) + sizeof("[]"), 1), *to = text, *line;

	for (; *bytes; bytes++) {
		if (*bytes == ' ' && !bytes[1]) {
			to = stpcpy(to, "[ ]");
			continue;
		}
		if (strchr("*?[]\\^;", *bytes))
			*to++ = '\\';
		*to++ = *bytes;
	}
	line = escape_command(text);
	free(text);
	return line;
}

/* MODULE!FUNCTION, or MODULE. */
static char *suppressions_spot(const struct spot *spot)
{
	char *module = suppressions_literal(report_basename(spot->frame->module->path)), *function, *both;

	if (!spot->function)
		return module;
	function = suppressions_literal(spot->function);
	both = memory_format("%s!%s", module, function);
	free(module);
	free(function);
	return both;
}

static bool suppressions_is_main(const struct spot *spot)
{
	return spot->function && !strcmp(spot->function, "main");
}

/* "^INNERMOST;CALLER;...": up to main(), behind which is nothing, and no further than to what has no name. */
static char *suppressions_place(const struct spots *spots)
{
	const struct spot *spot = spots_own(spots);
	char *pattern = memory_text("");

	for (size_t depth = 0; spot && depth < PLACE_DEPTH; depth++) {
		char *inner = pattern, *part = suppressions_spot(spot);

		pattern = memory_format("%s%c%s", inner, depth ? ';' : '^', part);
		free(inner);
		free(part);
		spot = spot->function && !suppressions_is_main(spot) ? spots_own_caller(spots, spot) : NULL;
	}
	return pattern;
}

/* The end of the name is random: what the next run has in its place differs. */
static bool suppressions_is_random(const struct finding *finding)
{
	const char *name = finding_name(finding);

	return name && finding->object && object_is_called_at_random(finding->object, name);
}

/* The name, of which any end is taken that is as long as the random one. */
static char *suppressions_template(const char *name)
{
	static const char random[] = "??????";
	char *lasting = memory_span(name, strlen(name) - strlen(random));
	char *literal = suppressions_literal(lasting), *pattern = memory_format("%s%s", literal, random);

	free(literal);
	free(lasting);
	return pattern;
}

/* Would the pattern, which stands for names that are random, hide a finding of an object that has another name? */
static bool suppressions_is_wide(const struct report *report, enum rule_id rule, const char *pattern)
{
	const struct findings *findings = &report->analysis->findings;
	struct suppressions alone = {0};
	bool wide = false;

	suppressions_add(&alone, rules[rule].id, pattern, "tried", 0);
	for (size_t i = 0; i < findings->count && !wide; i++)
		wide = findings->all[i].rule == rule && !suppressions_is_random(&findings->all[i]) &&
		       suppressions_match(&alone, &findings->all[i]);
	suppressions_free(&alone);
	return wide;
}

/* What the next run has in place of a random name; NULL: nothing, or the line would be wider than the name. */
static char *suppressions_next(const struct report *report, const struct finding *finding)
{
	char *pattern = suppressions_is_random(finding) ? suppressions_template(finding_name(finding)) : NULL;

	if (pattern && !suppressions_is_wide(report, finding->rule, pattern))
		return pattern;
	free(pattern);
	return NULL;
}

/* Whether the name looks like one that the next run has as well. */
static bool suppressions_is_lasting(const char *name)
{
	return !strpbrk(name, "0123456789");
}

/*
 * The place rather than the object, whose name may differ in every run; but main() of a small program is the place of
 * everything. NULL: nothing is narrower than the rule.
 */
static char *suppressions_pattern_of(const struct report *report, const struct finding *finding, size_t number)
{
	struct spots spots = spots_of(report, finding->stack_count ? finding->stacks[number].stack : NULL);
	const struct spot *own = spots_own(&spots);
	const char *name = finding_name(finding);
	char *next = suppressions_next(report, finding), *pattern = NULL;
	bool lasting =
		name && (next || !suppressions_is_random(finding)) && suppressions_is_lasting(next ? next : name);
	bool vague = own && (!own->function || (suppressions_is_main(own) && lasting));

	if (name && (!own || (vague && !finding->several)))
		pattern = next ? memory_text(next) : suppressions_literal(name);
	else if (own)
		pattern = suppressions_place(&spots);
	else if (!finding->process && !finding->object)
		pattern = memory_text("*");
	free(next);
	spots_free(&spots);
	return pattern;
}

/* Of two equal parties the same one in every run: either is enough for the line. */
static char *suppressions_pattern(const struct report *report, const struct finding *finding)
{
	char *pattern = suppressions_pattern_of(report, finding, 0), *other;

	if (!finding->parties || finding->stack_count < 2)
		return pattern;
	other = suppressions_pattern_of(report, finding, 1);
	if (!other || (pattern && strcmp(pattern, other) <= 0)) {
		free(other);
		return pattern;
	}
	free(pattern);
	return other;
}

struct lines {
	const struct report *report;
	FILE *out;
	struct suppressions printed;
	bool *told; /* for each finding */
};

static bool suppressions_has(const struct suppressions *printed, const char *rule, const char *pattern)
{
	for (size_t i = 0; i < printed->count; i++)
		if (!strcmp(printed->all[i].rule, rule) && !strcmp(printed->all[i].pattern, pattern))
			return true;
	return false;
}

static void suppressions_tell(struct lines *lines, size_t number)
{
	const struct finding *finding = &lines->report->analysis->findings.all[number];
	const char *rule = rules[finding->rule].id;
	char *message = escape_terminal(finding->message);
	char *pattern = suppressions_pattern(lines->report, finding);
	/* A line of its own would be called unused. */
	bool hidden = pattern && (suppressions_has(&lines->printed, rule, pattern) ||
				  suppressions_hide_all(&lines->printed, lines->report, finding));

	fprintf(lines->out, "# %s%s: %s\n", hidden ? "the same: " : "", severity_name(finding->severity), message);
	if (!pattern)
		fprintf(lines->out, "# (no line is for it alone; %s:* hides all of the rule)\n", rule);
	if (pattern && !hidden) {
		fprintf(lines->out, "%s:%s\n", rule, pattern);
		suppressions_add(&lines->printed, rule, pattern, "printed", 0);
	}
	lines->told[number] = true;
	free(pattern);
	free(message);
}

void report_suppressions(const struct report *report, FILE *out)
{
	const struct findings *findings = &report->analysis->findings;
	struct lines lines = {.report = report, .out = out, .told = memory_new(findings->count + 1, sizeof(bool))};

	report_lacks(report);
	for (size_t i = 0; i < findings->count; i++) {
		/* Of a rule those of many objects come first: lines of single objects could leave nothing for theirs. */
		for (size_t j = i; j < findings->count && !lines.told[i]; j++)
			if (findings->all[j].several && findings->all[j].rule == findings->all[i].rule &&
			    !lines.told[j])
				suppressions_tell(&lines, j);
		if (!lines.told[i])
			suppressions_tell(&lines, i);
	}
	suppressions_free(&lines.printed);
	free(lines.told);
}
