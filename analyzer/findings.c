#include "findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "memory.h"
#include "recording.h"

static uint64_t identity_of(const struct finding *finding, size_t number)
{
	const struct stack *stack = number < finding->stack_count ? finding->stacks[number].stack : NULL;

	return stack ? stack->identity : 0;
}

static uint64_t hash_of_both(uint64_t hash, const struct finding *finding)
{
	uint64_t a = identity_of(finding, 0), b = identity_of(finding, 1);

	return map_hash(hash, (uint64_t[]){a < b ? a : b, a < b ? b : a}, 2 * sizeof(a));
}

static void set_fingerprint(struct finding *finding)
{
	const char *id = rules[finding->rule].id;
	uint64_t hash = map_hash(MAP_HASH, id, strlen(id) + 1);
	const struct stack *stack = finding->stack_count ? finding->stacks[0].stack : NULL;
	const char *name = finding_name(finding);

	/* A growing leak and a note of the same place are two things. */
	hash = map_hash(hash, &finding->severity, sizeof(finding->severity));
	if (finding->response)
		hash = map_hash(hash, &finding->response, sizeof(finding->response));
	if (finding->kind)
		hash = map_hash(hash, &finding->kind, sizeof(finding->kind));
	if (finding->parties && (identity_of(finding, 0) || identity_of(finding, 1)))
		hash = hash_of_both(hash, finding);
	else if (stack)
		hash = map_hash(hash, &stack->identity, sizeof(stack->identity));
	else if (name)
		hash = map_hash(hash, name, strlen(name));
	snprintf(finding->fingerprint, sizeof(finding->fingerprint), "%016" PRIx64, hash);
}

bool findings_sifted_alike(const struct finding *a, const struct finding *b)
{
	return a->unwanted == b->unwanted && a->suppression == b->suppression && a->apart == b->apart;
}

const char *finding_name(const struct finding *finding)
{
	return finding->object ? object_name(finding->object) : finding->name;
}

uint64_t findings_sifted(const struct finding *finding)
{
	const uint64_t of[] = {finding->unwanted, finding->suppression, (uintptr_t)finding->apart};

	return map_hash(MAP_HASH, of, sizeof(of));
}

static void add_recording(struct finding *finding, const struct recording *recording)
{
	for (size_t i = finding->recording_count; i > 0; i--)
		if (finding->recordings[i - 1] == recording)
			return;
	finding->recordings =
		memory_grow(finding->recordings, finding->recording_count, sizeof(const struct recording *));
	finding->recordings[finding->recording_count++] = recording;
}

/* The whole of several is none of them. */
static void set_recording(struct finding *finding)
{
	const struct recording *recording = finding->process  ? finding->process->recording
					    : finding->object ? finding->object->recording
							      : finding->recording;

	if (recording && recording->part_count == 0)
		add_recording(finding, recording);
}

/* Whom and what it tells of is of one occurrence throughout: a message beside another's object and stacks misleads. */
static void merge(struct finding *there, struct finding own)
{
	bool larger = own.largest > there->largest || (own.largest == there->largest && own.time < there->time);
	bool leads = own.uncertain == there->uncertain ? larger : there->uncertain;

	if (leads || there->message == NULL) {
		struct finding former = *there;

		*there = own;
		own = former;
	}
	for (size_t i = 0; i < own.recording_count; i++)
		add_recording(there, own.recordings[i]);
	others_take(&there->others, &own.others);
	others_add(&there->others, own.object, own.process);
	free(own.recordings);
	free(own.message);
	there->several |= own.several || own.object != there->object;
	there->count += own.count;
	there->bytes += own.bytes;
	there->doubts += own.doubts;
}

static uint64_t print_of(const char *fingerprint)
{
	return strtoull(fingerprint, NULL, 16);
}

void findings_add(struct findings *findings, const struct finding *finding)
{
	struct finding own = *finding;
	uint64_t print, sifted;
	size_t place;

	if (own.count == 0)
		own.count = 1;
	if (own.largest == 0)
		own.largest = own.bytes;
	own.doubts = own.uncertain ? own.count : 0;
	set_recording(&own);
	set_fingerprint(&own);
	print = print_of(own.fingerprint);
	sifted = findings_sifted(&own);
	place = (size_t)map_get(&findings->places, print, sifted);
	if (place && findings_sifted_alike(&findings->all[place - 1], &own)) {
		merge(&findings->all[place - 1], own);
		return;
	}
	findings->all = memory_grow(findings->all, findings->count, sizeof(*findings->all));
	findings->all[findings->count++] = own;
	map_put(&findings->places, print, sifted, (void *)findings->count);
}

static void finding_empty(struct finding *finding)
{
	others_clear(&finding->others);
	free(finding->recordings);
	finding->recordings = NULL;
	finding->recording_count = 0;
	free(finding->message);
	finding->message = NULL;
}

void findings_hide(struct findings *findings, struct finding *finding, bool suppressed)
{
	struct hidden *hidden;

	finding_empty(finding);
	for (size_t i = 0; i < findings->hidden_count; i++)
		if (strcmp(findings->hidden[i].fingerprint, finding->fingerprint) == 0)
			return;
	findings->hidden = memory_grow(findings->hidden, findings->hidden_count, sizeof(*findings->hidden));
	hidden = &findings->hidden[findings->hidden_count++];
	*hidden = (struct hidden){.rule = finding->rule, .severity = finding->severity, .suppressed = suppressed};
	memcpy(hidden->fingerprint, finding->fingerprint, sizeof(hidden->fingerprint));
}

struct map findings_prints(const struct findings *findings)
{
	struct map prints = {0};

	for (size_t i = 0; i < findings->count; i++)
		if (!findings->all[i].unwanted)
			map_put(&prints, print_of(findings->all[i].fingerprint), 0, findings->all[i].fingerprint);
	return prints;
}

bool findings_printed(const struct map *prints, const char *fingerprint)
{
	return map_get(prints, print_of(fingerprint), 0) != NULL;
}

const char *response_name(enum response response)
{
	static const char *const names[] = {
#define RESPONSE_NAME(name) [RESPONSE_##name] = #name,
		RESPONSES(RESPONSE_NAME)
#undef RESPONSE_NAME
	};

	return names[response];
}

static int by_weight(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	bool crashed = rules[x->rule].seen == SEEN_crash, other = rules[y->rule].seen == SEEN_crash;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	/* What killed a process comes before what could. */
	if (crashed != other)
		return crashed ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	/* The rest only keeps the order the same in every run. */
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return strcmp(x->fingerprint, y->fingerprint);
}

void findings_sort(struct findings *findings)
{
	map_clear(&findings->places);
	if (findings->count)
		qsort(findings->all, findings->count, sizeof(*findings->all), by_weight);
}

void findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		finding_empty(&findings->all[i]);
	free(findings->all);
	free(findings->hidden);
	map_clear(&findings->places);
	map_clear(&findings->verdicts);
	*findings = (struct findings){0};
}
