/* Lines that would suppress what was found, ready for a file that --suppress reads. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"

/* What fnmatch(3) takes for a pattern stands for itself. */
static char *suppressions_literal(const char *bytes)
{
	char *text = memory_new(2 * strlen(bytes) + 1, 1), *to = text;

	for (; *bytes; bytes++) {
		if (strchr("*?[]\\", *bytes))
			*to++ = '\\';
		*to++ = *bytes == '\n' ? '?' : *bytes;
	}
	return text;
}

/* The program's own function if it has a name: the object's may differ in every run. */
static char *suppressions_pattern(const struct report *report, const struct finding *finding)
{
	struct spots spots = spots_of(report, finding->stack_count ? finding->stacks[0].stack : NULL);
	const struct spot *own = spots_own(&spots);
	const char *name = finding->object ? object_name(finding->object) : NULL;
	char *pattern;

	if (own && own->function)
		pattern = suppressions_literal(own->function);
	else if (name)
		pattern = suppressions_literal(name);
	else
		pattern = own ? suppressions_literal(own->frame->module->path) : memory_text("*");
	spots_free(&spots);
	return pattern;
}

void report_suppressions(const struct report *report, FILE *out)
{
	const struct findings *findings = &report->analysis->findings;
	size_t i;

	for (i = 0; i < findings->count; i++) {
		char *message = escape_terminal(findings->all[i].message);
		char *pattern = suppressions_pattern(report, &findings->all[i]);

		fprintf(out, "# %s: %s\n%s:%s\n", severity_name(findings->all[i].severity), message,
			rules[findings->all[i].rule].id, pattern);
		free(pattern);
		free(message);
	}
}
