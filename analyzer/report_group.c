/* Findings brought together by what they have in common; the group with the gravest comes first. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/report.h"

const void *report_group_key(const struct finding *finding, enum report_group group)
{
	switch (group) {
	case BY_stack:
		return finding->stack_count ? finding->stacks[0].stack : NULL;
	case BY_object:
		return finding->object ? (const void *)finding->object : finding->name;
	case BY_process:
		return finding->process;
	case BY_rule:
		return &rules[finding->rule];
	case BY_none:
		break;
	}
	return NULL;
}

/* Where each group is to begin, in the order of their first findings; `number` is each finding's group. */
static size_t *group_places(const struct findings *findings, enum report_group group, size_t *number)
{
	size_t *places = memory_new(findings->count + 1, sizeof(*places)), groups = 0, before = 0;
	struct map numbers = {0};

	for (size_t i = 0; i < findings->count; i++) {
		uintptr_t key = (uintptr_t)report_group_key(&findings->all[i], group);

		number[i] = (size_t)map_get(&numbers, key, 0);
		if (!number[i]) {
			number[i] = ++groups;
			map_put(&numbers, key, 0, (void *)groups);
		}
		places[number[i] - 1]++;
	}
	for (size_t i = 0; i < groups; i++) {
		size_t size = places[i];

		places[i] = before;
		before += size;
	}
	map_clear(&numbers);
	return places;
}

static void group_count(struct findings *findings)
{
	struct map counts = {0};

	for (size_t i = 0; i < findings->count; i++) {
		uint64_t print = strtoull(findings->all[i].fingerprint, NULL, 16);

		findings->all[i].before = (size_t)map_get(&counts, print, 0);
		map_put(&counts, print, 0, (void *)(findings->all[i].before + 1));
	}
	map_clear(&counts);
}

void report_group_sort(struct findings *findings, enum report_group group)
{
	struct finding *sorted;
	size_t *places, *number;

	if (group == BY_none || !findings->count)
		return;
	sorted = memory_new(findings->count, sizeof(*sorted));
	number = memory_new(findings->count, sizeof(*number));
	places = group_places(findings, group, number);
	for (size_t i = 0; i < findings->count; i++)
		sorted[places[number[i] - 1]++] = findings->all[i];
	memcpy(findings->all, sorted, findings->count * sizeof(*sorted));
	group_count(findings);
	free(places);
	free(number);
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
