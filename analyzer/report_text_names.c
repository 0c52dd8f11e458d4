/* Which modules of the stacks shown have no function names, and why: a reader can often do something about it. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/report_text.h"
#include "analyzer/spots.h"

enum { MODULES_SHOWN = 5 };

struct nameless {
	const struct module *module[MODULES_SHOWN];
	const char *why[MODULES_SHOWN];
	size_t count;
	bool more;
};

static void nameless_add(struct nameless *nameless, const struct module *module, const char *why)
{
	size_t i;

	for (i = 0; i < nameless->count; i++)
		if (nameless->module[i] == module)
			return;
	if (nameless->count == MODULES_SHOWN) {
		nameless->more = true;
		return;
	}
	nameless->module[nameless->count] = module;
	nameless->why[nameless->count++] = why;
}

static void nameless_collect(struct nameless *nameless, const struct report *report, const struct stack *stack)
{
	size_t i;

	for (i = 0; i < stack->count; i++) {
		const struct symbols_answer *names = text_names(report, &stack->frames[i]);

		if (!names->count && names->why && !spots_is_plumbing(stack->frames[i].module))
			nameless_add(nameless, stack->frames[i].module, names->why);
	}
}

void text_nameless(const struct report *report, const struct terminal *terminal)
{
	const struct findings *findings = &report->analysis->findings;
	struct nameless nameless = {0};
	size_t i, j;

	for (i = 0; i < findings->count; i++)
		for (j = 0; j < findings->all[i].stack_count; j++)
			if (findings->all[i].stacks[j].stack)
				nameless_collect(&nameless, report, findings->all[i].stacks[j].stack);
	for (i = 0; i < nameless.count; i++) {
		char *name = escape_terminal(report_basename(nameless.module[i]->path));
		char *why = escape_terminal(nameless.why[i]);

		text_line(terminal, INK_plain, 2, memory_format("function names of %s: %s", name, why));
		free(why);
		free(name);
	}
	if (nameless.more)
		fputs("  ... and of more modules; --format=json names them all\n", terminal->out);
}
