/* Findings brought together by what they have in common; the group with the gravest comes first. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"
#include "analyzer/report.h"

const void *report_group_key(const struct finding *finding, enum report_group group)
{
	switch (group) {
	case BY_stack:
		return finding->stack_count ? finding->stacks[0].stack : NULL;
	case BY_object:
		return finding->object;
	case BY_process:
		return finding->process;
	case BY_rule:
		return &rules[finding->rule];
	case BY_none:
		break;
	}
	return NULL;
}

void report_group_sort(struct findings *findings, enum report_group group)
{
	struct finding *sorted = memory_new(findings->count + 1, sizeof(*sorted));
	bool *taken = memory_new(findings->count + 1, sizeof(*taken));
	size_t count = 0, i, j;

	for (i = 0; group != BY_none && i < findings->count; i++) {
		const void *key = report_group_key(&findings->all[i], group);

		for (j = i; j < findings->count; j++) {
			if (taken[j] || report_group_key(&findings->all[j], group) != key)
				continue;
			taken[j] = true;
			sorted[count++] = findings->all[j];
		}
	}
	if (count)
		memcpy(findings->all, sorted, count * sizeof(*sorted));
	free(taken);
	free(sorted);
}

bool report_group_find(const char *name, enum report_group *group)
{
	static const char *const names[] = {
		[BY_stack] = "stack", [BY_object] = "object", [BY_process] = "process", [BY_rule] = "rule"};
	size_t i;

	for (i = BY_stack; i <= BY_rule; i++) {
		*group = (enum report_group)i;
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}
