/* Lines that would suppress what was found, ready for a file that --suppress reads. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"

/* What fnmatch(3) takes for a pattern stands for itself; `?` for what a line or a terminal does not take. */
static char *suppressions_literal(const char *bytes)
{
	char *text = memory_new(2 * strlen(bytes) + 1, 1), *to = text;

	for (; *bytes; bytes++) {
		if (strchr("*?[]\\", *bytes))
			*to++ = '\\';
		*to++ = !isascii((unsigned char)*bytes) || iscntrl((unsigned char)*bytes) ||
					(*bytes == ' ' && !bytes[1])
				? '?'
				: *bytes;
	}
	return text;
}

/* MODULE!FUNCTION. */
static char *suppressions_place(const struct spot *spot)
{
	char *function = suppressions_literal(spot->function), *module, *both;

	if (!spot->frame->module)
		return function;
	module = suppressions_literal(report_basename(spot->frame->module->path));
	both = memory_format("%s!%s", module, function);
	free(module);
	free(function);
	return both;
}

/* The program's own function if it has a name: the object's may differ in every run. */
static char *suppressions_pattern(const struct report *report, const struct finding *finding)
{
	struct spots spots = spots_of(report, finding->stack_count ? finding->stacks[0].stack : NULL);
	const struct spot *own = spots_own(&spots);
	const char *name = finding->object ? object_name(finding->object) : NULL;
	char *pattern;

	if (own && own->function)
		pattern = suppressions_place(own);
	else if (name && (!own || !finding->several))
		pattern = suppressions_literal(name);
	else
		pattern = own ? suppressions_literal(own->frame->module->path) : memory_text("*");
	spots_free(&spots);
	return pattern;
}

static bool suppressions_has(char *const *lines, size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(lines[i], line) == 0)
			return true;
	return false;
}

void report_suppressions(const struct report *report, FILE *out)
{
	const struct findings *findings = &report->analysis->findings;
	char **lines = memory_new(findings->count + 1, sizeof(*lines));
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++) {
		char *message = escape_terminal(findings->all[i].message);
		char *pattern = suppressions_pattern(report, &findings->all[i]);
		char *line = memory_format("%s:%s", rules[findings->all[i].rule].id, pattern);

		/* One that is there already would be called unused. */
		if (suppressions_has(lines, count, line)) {
			fprintf(out, "# the same: %s: %s\n", severity_name(findings->all[i].severity), message);
			free(line);
		} else {
			fprintf(out, "# %s: %s\n%s\n", severity_name(findings->all[i].severity), message, line);
			lines[count++] = line;
		}
		free(pattern);
		free(message);
	}
	while (count)
		free(lines[--count]);
	free(lines);
}
