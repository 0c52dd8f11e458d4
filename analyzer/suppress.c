#include "analyzer/suppress.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"

/* A line, its end included: no name, function or path needs more. */
enum { SUPPRESSION_MAX = 64 * 1024 };

static const struct {
	const char *rule, *pattern, *why;
} built_in[] = {
	{"segment-leak", "/jack-shm-registry", "JACK's registry of segments stays for the next server, by design"},
	{"segment-leak", "*/jack-shm-registry", "the same, opened by its path"},
	{"segment-leak", "*/lttng-ust-wait-*",
	 "the wait page of LTTng-UST stays as long as the machine runs, by design"},
};

void suppressions_add(struct suppressions *suppressions, const char *rule, const char *pattern, const char *source,
		      unsigned line)
{
	struct suppression *own;

	suppressions->all = memory_grow(suppressions->all, suppressions->count, sizeof(*suppressions->all));
	own = &suppressions->all[suppressions->count++];
	*own = (struct suppression){
		.rule = memory_text(rule), .pattern = memory_text(pattern), .source = source, .line = line};
	for (size_t i = 0; i < RULE_COUNT; i++)
		own->concerns[i] = !fnmatch(rule, rules[i].id, 0);
}

void suppressions_add_built_in(struct suppressions *suppressions)
{
	size_t i;

	for (i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		suppressions_add(suppressions, built_in[i].rule, built_in[i].pattern, "built in", 0);
}

void suppressions_show(FILE *out)
{
	size_t i;

	for (i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		fprintf(out, "# %s\n%s:%s\n", built_in[i].why, built_in[i].rule, built_in[i].pattern);
}

static bool suppressions_knows(const char *rule)
{
	size_t i;

	for (i = 0; i < RULE_COUNT; i++)
		if (!fnmatch(rule, rules[i].id, 0))
			return true;
	return false;
}

/* Without blanks at both ends. */
static char *suppressions_trim(char *text)
{
	char *end;

	text += strspn(text, " \t");
	for (end = text + strlen(text); end > text && strchr(" \t\r\n", end[-1]);)
		*--end = '\0';
	return text;
}

static int suppressions_line(struct suppressions *suppressions, char *text, const char *file, unsigned line,
			     char **error)
{
	/* Some editors begin a file with a byte order mark. */
	char *rule = suppressions_trim(text + (line == 1 && !strncmp(text, "\xef\xbb\xbf", 3) ? 3 : 0));
	char *colon = strchr(rule, ':');

	if (!*rule || *rule == '#')
		return 0;
	if (!colon || !colon[1] || colon == rule) {
		*error = memory_format("%s:%u: a suppression is RULE:GLOB", file, line);
		return -1;
	}
	*colon = '\0';
	if (!suppressions_knows(rule)) {
		*error = memory_format("%s:%u: there is no rule '%s'; `shmguard rules` lists them", file, line, rule);
		return -1;
	}
	suppressions_add(suppressions, rule, colon + 1, file, line);
	return 0;
}

int suppressions_read(struct suppressions *suppressions, const char *file, char **error)
{
	FILE *in = fopen(file, "re");
	char *text = memory_new(SUPPRESSION_MAX, 1);
	unsigned line = 0;
	int r = 0;

	errno = in ? 0 : errno;
	while (in && !r && fgets(text, SUPPRESSION_MAX, in)) {
		line++;
		if (!strchr(text, '\n') && !feof(in)) {
			*error = memory_format("%s:%u: a line is longer than %d bytes, or no text", file, line,
					       SUPPRESSION_MAX - 2);
			r = -1;
		} else {
			r = suppressions_line(suppressions, text, file, line, error);
		}
	}
	if (!r && (!in || ferror(in))) {
		*error = memory_format("%s: %s", file, strerror(errno));
		r = -1;
	}
	free(text);
	if (in)
		fclose(in);
	return r;
}

void suppressions_free(struct suppressions *suppressions)
{
	size_t i;

	for (i = 0; i < suppressions->count; i++) {
		free(suppressions->all[i].rule);
		free(suppressions->all[i].pattern);
	}
	free(suppressions->all);
	*suppressions = (struct suppressions){0};
}

/* "MODULE!FUNCTION" is narrower than either. */
static bool suppressions_match_both(const char *pattern, const char *module, const char *function)
{
	char *both = memory_format("%s!%s", report_basename(module), function);
	bool match = escape_matches(pattern, both);

	free(both);
	return match;
}

static bool suppressions_match_function(const char *pattern, const struct module *module, const char *function)
{
	return function &&
	       (escape_matches(pattern, function) ||
		(module && strchr(pattern, '!') && suppressions_match_both(pattern, module->path, function)));
}

/* Another machine, and an earlier version, may know the function by the other name alone. */
static bool suppressions_match_spot(const char *pattern, const struct spot *spot)
{
	const struct module *module = spot->frame->module;

	return suppressions_match_function(pattern, module, spot->function) ||
	       suppressions_match_function(pattern, module, spot->own) ||
	       (module &&
		(escape_matches(pattern, module->path) || escape_matches(pattern, report_basename(module->path))));
}

static bool suppressions_match_stack(const char *pattern, const struct report *report, const struct stack *stack)
{
	struct spots spots = spots_of(report, stack);
	bool match = false;

	for (size_t i = 0; i < spots.count && !match; i++)
		match = suppressions_match_spot(pattern, &spots.all[i]);
	spots_free(&spots);
	return match;
}

/* Ends the first of the patterns; the second, or NULL. */
static char *suppressions_cut(char *patterns)
{
	for (; *patterns && *patterns != ';'; patterns++)
		patterns += *patterns == '\\' && patterns[1];
	if (!*patterns)
		return NULL;
	*patterns = '\0';
	return patterns + 1;
}

static bool suppressions_match_place(const char *pattern, const struct report *report, const struct stack *stack)
{
	struct spots spots = spots_of(report, stack);
	const struct spot *spot = spots_own(&spots);
	char *copy = memory_text(pattern), *part = copy, *next;
	bool match = true;

	for (; part && match; part = next) {
		next = suppressions_cut(part);
		match = spot && suppressions_match_spot(part, spot);
		spot = spot ? spots_own_caller(&spots, spot) : NULL;
	}
	free(copy);
	spots_free(&spots);
	return match;
}

static bool suppressions_match_stacks(const char *pattern, const struct report *report, const struct finding *finding)
{
	if (*pattern == '^') {
		size_t places = finding->parties ? 2 : 1, i;

		for (i = 0; i < places && i < finding->stack_count; i++)
			if (suppressions_match_place(pattern + 1, report, finding->stacks[i].stack))
				return true;
		return false;
	}
	for (size_t i = 0; i < finding->stack_count; i++)
		if (suppressions_match_stack(pattern, report, finding->stacks[i].stack))
			return true;
	return false;
}

static bool suppressions_match_object(const char *pattern, const struct finding *finding)
{
	size_t i;

	if (*pattern != '^' && finding->name && escape_matches(pattern, finding->name))
		return true;
	/* What nothing in the program is to blame for has neither. */
	if (!finding->object && !finding->stack_count)
		return !fnmatch(pattern, "", 0);
	for (i = 0; *pattern != '^' && finding->object && i < finding->object->name_count; i++)
		if (escape_matches(pattern, finding->object->names[i].text))
			return true;
	return false;
}

bool suppressions_concern(const struct suppressions *suppressions, enum rule_id rule)
{
	size_t i;

	for (i = 0; i < suppressions->count; i++)
		if (suppressions->all[i].concerns[rule])
			return true;
	return false;
}

size_t suppressions_match(const struct suppressions *suppressions, const struct finding *finding)
{
	size_t i;

	for (i = 0; i < suppressions->count; i++)
		if (suppressions->all[i].concerns[finding->rule] &&
		    suppressions_match_object(suppressions->all[i].pattern, finding))
			return i + 1;
	return 0;
}

/* As suppressions_match(), by a function or a module as well. */
static size_t suppressions_match_any(const struct suppressions *suppressions, const struct report *report,
				     const struct finding *finding)
{
	size_t most = finding->suppression ? finding->suppression - 1 : suppressions->count;

	for (size_t i = 0; i < most; i++)
		if (suppressions->all[i].concerns[finding->rule] &&
		    suppressions_match_stacks(suppressions->all[i].pattern, report, finding))
			return i + 1;
	return finding->suppression;
}

bool suppressions_hide_all(const struct suppressions *suppressions, const struct report *report,
			   const struct finding *finding)
{
	struct finding alone = *finding;

	alone.suppression = finding->several ? 0 : suppressions_match(suppressions, finding);
	return suppressions_match_any(suppressions, report, &alone) > 0;
}

static void suppressions_hide(struct suppressions *suppressions, struct findings *findings, const struct map *prints,
			      size_t number, struct finding *finding)
{
	struct suppression *own = &suppressions->all[number - 1];

	own->findings++;
	own->times += finding->count;
	own->parts += findings_printed(prints, finding->fingerprint);
	findings->suppressed += finding->count;
	findings_hide(findings, finding, true);
}

void suppressions_apply(struct suppressions *suppressions, const struct report *report, struct findings *findings)
{
	struct finding *hidden = memory_new(findings->count + 1, sizeof(*hidden));
	size_t *numbers = memory_new(findings->count + 1, sizeof(*numbers));
	size_t kept = 0, count = 0, i;
	struct map prints;

	for (i = 0; i < findings->count; i++) {
		size_t number = suppressions_match_any(suppressions, report, &findings->all[i]);

		if (number) {
			numbers[count] = number;
			hidden[count++] = findings->all[i];
		} else {
			findings->all[kept++] = findings->all[i];
		}
	}
	findings->count = kept;
	prints = findings_prints(findings);
	for (i = 0; i < count; i++)
		suppressions_hide(suppressions, findings, &prints, numbers[i], &hidden[i]);
	map_clear(&prints);
	free(numbers);
	free(hidden);
}
