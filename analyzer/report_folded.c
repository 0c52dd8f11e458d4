/* Stacks on one line each with a number, outermost frame first: what flame graphs are drawn from. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/chronicle.h"
#include "analyzer/escape.h"
#include "analyzer/memory.h"

struct fold {
	char *stack;
	uint64_t value;
	size_t place;
};

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

static char *folded_stack(const struct report *report, const struct leaving *leaving)
{
	struct spots stack = spots_of(report, leaving->stack);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		spots_free(&stack);
		return memory_text("");
	}
	folded_frame(out, leaving->program);
	if (stack.cut)
		fputs(";" SPOTS_CUT_FRAME, out);
	for (size_t i = stack.count; i-- > 0;) {
		char *label = spot_label(&stack.all[i]);

		fputc(';', out);
		folded_frame(out, label);
		free(label);
	}
	fclose(out);
	spots_free(&stack);
	return text;
}

static int folded_by_stack(const void *left, const void *right)
{
	const struct fold *a = left, *b = right;
	int order = strcmp(a->stack, b->stack);

	return order ? order : a->place < b->place ? -1 : 1;
}

static int folded_by_place(const void *left, const void *right)
{
	const struct fold *a = left, *b = right;

	return a->place < b->place ? -1 : 1;
}

/* Stacks that differ in lines of the source alone are one here, where the first of them was. */
static size_t folded_merge(struct fold *lines, size_t count)
{
	size_t kept = 0;

	if (!count)
		return 0;
	qsort(lines, count, sizeof(*lines), folded_by_stack);
	for (size_t i = 0; i < count; i++) {
		if (kept && strcmp(lines[kept - 1].stack, lines[i].stack) == 0) {
			lines[kept - 1].value += lines[i].value;
			free(lines[i].stack);
		} else {
			lines[kept++] = lines[i];
		}
	}
	qsort(lines, kept, sizeof(*lines), folded_by_place);
	return kept;
}

static void folded_finish(void *context, const struct world *world, const struct span *spans, size_t span_count,
			  const struct leaving *leavings, size_t leaving_count)
{
	const struct folding *folding = context;
	struct fold *lines = memory_new(leaving_count + 1, sizeof(*lines));
	size_t count = 0, i;

	(void)world, (void)spans, (void)span_count;
	for (i = 0; i < leaving_count; i++) {
		uint64_t value = folding->count ? leavings[i].mappings : leavings[i].bytes;

		if (value) {
			lines[count] = (struct fold){folded_stack(folding->report, &leavings[i]), value, count};
			count++;
		}
	}
	count = folded_merge(lines, count);
	for (i = 0; i < count; i++) {
		fprintf(folding->out, "%s %" PRIu64 "\n", lines[i].stack, lines[i].value);
		free(lines[i].stack);
	}
	free(lines);
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
