/*
 * What a finding is known by from one recording to the next: its rule, and the names of the program's own functions that
 * led to it. Neither addresses, lines, processes nor libc take part, so it is the same on another machine and in a later
 * build; only where a function has no name its place in the module stands for it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"

struct print {
	struct finding *finding;
	uint64_t hash;
	const struct stack *stack;
};

static uint64_t print_text(uint64_t hash, const char *text)
{
	return map_hash(hash, text, strlen(text) + 1);
}

static uint64_t print_spot(uint64_t hash, const struct spot *spot)
{
	const struct module *module = spot->frame->module;

	hash = print_text(hash, report_basename(module->path));
	if (spot->function)
		return print_text(hash, spot->function);
	hash = print_text(hash, module->build_id);
	return map_hash(hash, &spot->frame->offset, sizeof(spot->frame->offset));
}

static uint64_t print_of(const struct report *report, const struct finding *finding)
{
	const struct stack *stack = finding->stack_count ? finding->stacks[0].stack : NULL;
	struct spots spots = spots_of(report, stack);
	uint64_t hash = print_text(MAP_HASH, rules[finding->rule].id);
	const char *name = finding->object ? object_name(finding->object) : NULL;
	bool any = false;

	/* A growing leak and a note of the same place are two things. */
	hash = map_hash(hash, &finding->severity, sizeof(finding->severity));
	if (finding->response)
		hash = map_hash(hash, &finding->response, sizeof(finding->response));
	for (size_t i = 0; i < spots.count; i++) {
		const struct module *module = spots.all[i].frame->module;

		if (!module || spots_is_plumbing(module))
			continue;
		hash = print_spot(hash, &spots.all[i]);
		any = true;
	}
	spots_free(&spots);
	return any || !name ? hash : print_text(hash, name);
}

static int print_compare_stacks(const struct stack *left, const struct stack *right)
{
	for (size_t i = 0; i < left->count && i < right->count; i++)
		if (left->frames[i].offset != right->frames[i].offset)
			return left->frames[i].offset < right->frames[i].offset ? -1 : 1;
	return left->count < right->count ? -1 : left->count > right->count;
}

static int print_compare(const void *left, const void *right)
{
	const struct print *l = left, *r = right;
	int order;

	if (l->hash != r->hash)
		return l->hash < r->hash ? -1 : 1;
	if (!l->stack || !r->stack)
		return (l->stack != NULL) - (r->stack != NULL);
	order = print_compare_stacks(l->stack, r->stack);
	if (order)
		return order;
	return l->stack->identity < r->stack->identity ? -1 : l->stack->identity > r->stack->identity;
}

/* Of one place, and apart only because a part was not asked for or is suppressed. */
static bool print_same_place(const struct print *left, const struct print *right)
{
	return left->hash == right->hash && (left->stack != NULL) == (right->stack != NULL) &&
	       (!left->stack || left->stack->identity == right->stack->identity);
}

void report_fingerprints(const struct report *report, struct findings *findings)
{
	struct print *prints = memory_new(findings->count, sizeof(*prints));
	uint64_t nth = 0;

	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->all[i];

		prints[i] = (struct print){finding, print_of(report, finding),
					   finding->stack_count ? finding->stacks[0].stack : NULL};
	}
	if (findings->count)
		qsort(prints, findings->count, sizeof(*prints), print_compare);
	for (size_t i = 0; i < findings->count; i++) {
		uint64_t hash = prints[i].hash;

		/* Several places in one function: the first, the second, ... */
		if (!i || prints[i - 1].hash != hash)
			nth = 0;
		else if (!print_same_place(&prints[i - 1], &prints[i]))
			nth++;
		if (nth)
			hash = map_hash(hash, &nth, sizeof(nth));
		snprintf(prints[i].finding->fingerprint, sizeof(prints[i].finding->fingerprint), "%016" PRIx64, hash);
	}
	free(prints);
	findings_sort(findings);
}
