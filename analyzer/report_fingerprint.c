/*
 * What a finding is known by from one recording to the next: its rule, and the names of the program's own functions that
 * led to it; of two equal parties to both. Neither addresses, lines, processes nor libc take part, so it is the same on
 * another machine and in a later build; only where a function has no name its place in the module stands for it. A name that a
 * separate debug file gave is none: it may be missing elsewhere.
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
	const struct stack *stack, *other; /* other: of equal parties, whose place comes later; or NULL */
};

static uint64_t print_text(uint64_t hash, const char *text)
{
	return map_hash(hash, text, strlen(text) + 1);
}

static uint64_t print_spot(uint64_t hash, const struct spot *spot)
{
	const struct module *module = spot->frame->module;
	const char *function = spot->borrowed || spot->own ? spot->own : spot->function;

	hash = print_text(hash, report_basename(module->path));
	if (function)
		return print_text(hash, function);
	hash = print_text(hash, module->build_id);
	return map_hash(hash, &spot->frame->offset, sizeof(spot->frame->offset));
}

/* The hash as it is: nothing of the stack is the program's own. */
static uint64_t print_stack(uint64_t hash, const struct report *report, const struct stack *stack)
{
	struct spots spots = spots_of(report, stack);

	for (size_t i = 0; i < spots.count; i++) {
		const struct module *module = spots.all[i].frame->module;

		/* Without the debug file there is one function for the address. */
		if (module && !spots_is_plumbing(module) && !(spots.all[i].borrowed && spots.all[i].inlined))
			hash = print_spot(hash, &spots.all[i]);
	}
	spots_free(&spots);
	return hash;
}

static uint64_t print_stacks(uint64_t hash, const struct report *report, const struct print *print)
{
	uint64_t places[2], later;

	if (!print->finding->parties)
		return print_stack(hash, report, print->stack);
	places[0] = print_stack(MAP_HASH, report, print->stack);
	places[1] = print_stack(MAP_HASH, report, print->other);
	if (places[0] == MAP_HASH && places[1] == MAP_HASH)
		return hash;
	later = places[0] > places[1] ? places[0] : places[1];
	places[0] = places[0] > places[1] ? places[1] : places[0];
	places[1] = later;
	return map_hash(hash, places, sizeof(places));
}

static uint64_t print_of(const struct report *report, const struct print *print)
{
	const struct finding *finding = print->finding;
	uint64_t hash = print_text(MAP_HASH, rules[finding->rule].id), placed;
	const char *name = finding_name(finding);

	/* A growing leak and a note of the same place are two things. */
	hash = map_hash(hash, &finding->severity, sizeof(finding->severity));
	if (finding->response)
		hash = map_hash(hash, &finding->response, sizeof(finding->response));
	placed = print_stacks(hash, report, print);
	return placed != hash || !name ? placed : print_text(hash, name);
}

/* Of equal parties that first whose place is. */
static struct print print_new(const struct report *report, struct finding *finding)
{
	const struct stack *stack = finding->stack_count ? finding->stacks[0].stack : NULL;
	const struct stack *other = finding->parties && finding->stack_count > 1 ? finding->stacks[1].stack : NULL;
	struct print print = {.finding = finding, .stack = stack, .other = other};

	if (finding->parties && stack_compare(other, stack) < 0) {
		print.stack = other;
		print.other = stack;
	}
	print.hash = print_of(report, &print);
	return print;
}

static int print_compare_stacks(const struct stack *left, const struct stack *right)
{
	int order = left && right ? stack_compare(left, right) : (left != NULL) - (right != NULL);

	if (order || !left || !right)
		return order;
	return left->identity < right->identity ? -1 : left->identity > right->identity;
}

static int print_compare(const void *left, const void *right)
{
	const struct print *l = left, *r = right;
	int order;

	if (l->hash != r->hash)
		return l->hash < r->hash ? -1 : 1;
	order = print_compare_stacks(l->stack, r->stack);
	return order ? order : print_compare_stacks(l->other, r->other);
}

/* Of one place, and apart only because a part was not asked for or is suppressed. */
static bool print_same_place(const struct print *left, const struct print *right)
{
	return left->hash == right->hash && print_compare_stacks(left->stack, right->stack) == 0 &&
	       print_compare_stacks(left->other, right->other) == 0;
}

void report_fingerprints(const struct report *report, struct findings *findings)
{
	struct print *prints = memory_new(findings->count, sizeof(*prints));
	uint64_t nth = 0;

	for (size_t i = 0; i < findings->count; i++)
		prints[i] = print_new(report, &findings->all[i]);
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
