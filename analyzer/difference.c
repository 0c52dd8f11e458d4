#include "analyzer/difference.h"

#include <stdint.h>
#include <stdlib.h>

#include "analyzer/memory.h"

/* A report's findings, and by their fingerprints those and what it hides; whoever holds it owns a reference of each. */
struct side {
	json_t *findings, *found, *hidden;
};

static const char *print_of(const json_t *finding)
{
	return json_string_value(json_object_get(finding, "fingerprint"));
}

static json_t *by_print(const json_t *findings)
{
	json_t *index = json_object(), *finding;
	size_t i;

	json_array_foreach (findings, i, finding)
		if (!json_object_get(index, print_of(finding)))
			json_object_set(index, print_of(finding), finding);
	return index;
}

json_int_t difference_number(const json_t *finding, const char *field)
{
	return json_integer_value(json_object_get(finding, field));
}

bool difference_is_uncertain(const json_t *finding)
{
	return json_is_true(json_object_get(finding, "uncertain"));
}

static const json_t *place_of(const json_t *finding)
{
	return json_object_get(json_array_get(json_object_get(finding, "stacks"), 0), "frames");
}

/* Of code that is in no module, as an interpreter makes it, the address is another in every run. */
static json_t *settled(const json_t *place)
{
	json_t *frames = json_array();
	const json_t *frame;
	size_t i;

	json_array_foreach (place, i, frame)
		json_array_append(frames, json_is_null(json_object_get(frame, "module")) ? json_null()
											 : (json_t *)(uintptr_t)frame);
	return frames;
}

/* The same for one rule broken at one place, however gravely: a fingerprint has the severity in it. NULL without a place. */
static char *key_of(const json_t *finding)
{
	const json_t *place = place_of(finding);
	json_t *frames;
	char *text, *key;

	if (!json_array_size(place))
		return NULL;
	frames = settled(place);
	text = json_dumps(frames, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(frames);
	key = memory_format("%s %s", json_string_value(json_object_get(finding, "rule")), text);
	free(text);
	return key;
}

/* Of each key the findings that have it, in their order. */
static json_t *by_key(const json_t *findings)
{
	json_t *index = json_object(), *finding;
	size_t i;

	json_array_foreach (findings, i, finding) {
		char *key = key_of(finding);

		if (!key)
			continue;
		if (!json_object_get(index, key))
			json_object_set_new(index, key, json_array());
		json_array_append_new(json_object_get(index, key), json_integer((json_int_t)i));
		free(key);
	}
	return index;
}

/* Takes those out that are null. */
static void close_up(json_t **findings)
{
	json_t *rest = json_array(), *finding;
	size_t i;

	json_array_foreach (*findings, i, finding)
		if (!json_is_null(finding))
			json_array_append(rest, finding);
	json_decref(*findings);
	*findings = rest;
}

static void pair(struct difference *difference)
{
	json_t *fixed = by_key(difference->fixed);

	for (size_t i = json_array_size(difference->fresh); i-- > 0;) {
		json_t *after = json_array_get(difference->fresh, i);
		char *key = key_of(after);
		json_t *places = key ? json_object_get(fixed, key) : NULL;
		size_t last = json_array_size(places), k;

		free(key);
		if (!last)
			continue;
		k = (size_t)json_integer_value(json_array_get(places, last - 1));
		json_array_remove(places, last - 1);
		json_array_append_new(
			difference->changed,
			json_pack("{s:O, s:O}", "before", json_array_get(difference->fixed, k), "after", after));
		json_array_set_new(difference->fixed, k, json_null());
		json_array_set_new(difference->fresh, i, json_null());
	}
	json_decref(fixed);
	close_up(&difference->fixed);
	close_up(&difference->fresh);
}

/* A finding that `other` has not: into `absent`, unless it was only left out there. */
static void miss(struct difference *difference, json_t *finding, const struct side *other, const char *side,
		 json_t *absent)
{
	const json_t *hidden = json_object_get(other->hidden, print_of(finding));
	json_t *by = json_object_get(hidden, "by");

	if (!hidden)
		json_array_append(absent, finding);
	else
		json_array_append_new(difference->hidden,
				      json_pack("{s:O, s:s, s:O*}", "finding", finding, "missing_in", side, "by", by));
}

static void add(json_t *to, const json_t *finding, const char *field)
{
	json_object_set_new(to, field, json_integer(difference_number(to, field) + difference_number(finding, field)));
}

/* Occurrences that are uncertain: where all are, that alone is told. */
static json_int_t doubts_of(const json_t *finding)
{
	return difference_number(finding, difference_is_uncertain(finding) ? "count" : "doubts");
}

/* Takes more occurrences of one finding in. */
static void merge(json_t *to, const json_t *finding)
{
	bool uncertain = difference_is_uncertain(to) && difference_is_uncertain(finding);
	json_int_t doubts = doubts_of(to) + doubts_of(finding);

	add(to, finding, "count");
	add(to, finding, "bytes");
	json_object_set_new(to, "uncertain", json_boolean(uncertain));
	if (doubts && !uncertain)
		json_object_set_new(to, "doubts", json_integer(doubts));
}

/* A report that was grouped has a place's occurrences apart: they are brought together. */
static struct side side_of(const json_t *report)
{
	json_t *findings = json_object_get(report, "findings"), *finding;
	struct side side = {json_array(), by_print(findings), by_print(json_object_get(report, "hidden"))};
	size_t i;

	json_array_foreach (findings, i, finding) {
		json_t *first = json_object_get(side.found, print_of(finding));

		if (first == finding) {
			json_array_append(side.findings, finding);
			continue;
		}
		merge(first, finding);
	}
	return side;
}

static void side_free(struct side *side)
{
	json_decref(side->findings);
	json_decref(side->found);
	json_decref(side->hidden);
}

struct difference difference_of(const json_t *before, const json_t *after)
{
	struct difference difference = {json_array(), json_array(), json_array(), json_array()};
	struct side a = side_of(before), b = side_of(after);
	json_t *finding, *other;
	size_t i;

	json_array_foreach (b.findings, i, finding) {
		other = json_object_get(a.found, print_of(finding));
		if (!other)
			miss(&difference, finding, &a, "A", difference.fresh);
		else if (difference_number(other, "count") != difference_number(finding, "count") ||
			 difference_number(other, "bytes") != difference_number(finding, "bytes"))
			json_array_append_new(difference.changed,
					      json_pack("{s:O, s:O}", "before", other, "after", finding));
	}
	json_array_foreach (a.findings, i, finding)
		if (!json_object_get(b.found, print_of(finding)))
			miss(&difference, finding, &b, "B", difference.fixed);
	pair(&difference);
	side_free(&a);
	side_free(&b);
	return difference;
}
