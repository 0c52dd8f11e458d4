/* What one place did to many objects is counted at once, and yet each of them is asked for, left out or told of by itself. */
#include <inttypes.h>
#include <stdlib.h>

#include "judge.h"
#include "memory.h"

/* What does not count is not told of. */
static bool leads(const struct part *a, const struct part *b)
{
	if (!a->finding.count || !b->finding.count)
		return a->finding.count > 0;
	return a->latest == b->latest ? a->finding.object->number >= b->finding.object->number : a->latest > b->latest;
}

static void merge(struct part *part, struct part own)
{
	if (leads(&own, part)) {
		struct part former = *part;

		*part = own;
		own = former;
	}
	part->finding.bytes += own.finding.bytes;
	if (!own.finding.count)
		return;
	part->finding.count += own.finding.count;
	part->finding.several |= own.finding.several || own.finding.object != part->finding.object;
	others_take(&part->finding.others, &own.finding.others);
	others_add(&part->finding.others, own.finding.object, own.finding.process);
}

void parts_add(const struct court *court, struct parts *parts, const struct finding *occurrence,
	       const struct role *role, int64_t time)
{
	struct part own = {*occurrence, time};
	uint64_t sifted;
	size_t number;

	parts->whole += occurrence->count;
	own.finding.process = role->site.process;
	court_sift(court, &own.finding, role, 1);
	sifted = findings_sifted(&own.finding);
	number = (size_t)map_get(&parts->numbers, sifted, 0);
	if (number && findings_sifted_alike(&parts->all[number - 1].finding, &own.finding)) {
		merge(&parts->all[number - 1], own);
		return;
	}
	parts->all = memory_grow(parts->all, parts->count, sizeof(*parts->all));
	parts->all[parts->count++] = own;
	map_put(&parts->numbers, sifted, 0, (void *)parts->count);
}

void parts_find(struct court *court, struct parts *parts, size_t nth, char *message, const struct role *role)
{
	struct finding *part = &parts->all[nth].finding;

	part->message = message;
	court_find(court, part, role, 1);
	part->others = (struct others){0};
}

void parts_clear(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		others_clear(&parts->all[i].finding.others);
	free(parts->all);
	map_clear(&parts->numbers);
	*parts = (struct parts){0};
}

char *parts_share(uint64_t count, uint64_t whole)
{
	return count == whole ? memory_text("") : memory_format("; this tells of %" PRIu64 " of them", count);
}
