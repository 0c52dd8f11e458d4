/* Stacks on one line each with a number, outermost frame first: what flame graphs are drawn from. */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/chronicle.h"
#include "analyzer/escape.h"
#include "analyzer/memory.h"

struct folding {
	const struct report *report;
	FILE *out;
	bool count;
};

/* A semicolon ends a frame, a blank the stack. */
static void folded_frame(FILE *out, const char *bytes)
{
	char *safe = escape_terminal(bytes), *at;

	for (at = safe; *at; at++)
		if (*at == ';')
			*at = ':';
	fputs(safe, out);
	free(safe);
}

static void folded_finish(void *context, const struct world *world, const struct span *spans, size_t span_count,
			  const struct leaving *leavings, size_t leaving_count)
{
	const struct folding *folding = context;
	size_t i, j;

	(void)world, (void)spans, (void)span_count;
	for (i = 0; i < leaving_count; i++) {
		uint64_t value = folding->count ? leavings[i].mappings : leavings[i].bytes;
		struct spots stack;

		if (!value)
			continue;
		stack = spots_of(folding->report, leavings[i].stack);
		folded_frame(folding->out, leavings[i].program);
		if (stack.cut)
			fputs(";" SPOTS_CUT_FRAME, folding->out);
		for (j = stack.count; j-- > 0;) {
			char *label = spot_label(&stack.all[j]);

			fputc(';', folding->out);
			folded_frame(folding->out, label);
			free(label);
		}
		fprintf(folding->out, " %" PRIu64 "\n", value);
		spots_free(&stack);
	}
}

void report_folded(const struct report *report, FILE *out)
{
	struct folding folding = {report, out, false};

	chronicle_read(report, &(struct chronicle){.context = &folding, .finish = folded_finish});
	report_lacks(report);
}

void report_folded_count(const struct report *report, FILE *out)
{
	struct folding folding = {report, out, true};

	chronicle_read(report, &(struct chronicle){.context = &folding, .finish = folded_finish});
	report_lacks(report);
}
