/* What is missing of a trace, and, of several recordings, of which. */
#include "analysis.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "memory.h"
#include "trace_reader.h"

/* Of recordings that lack something. */
struct lacking {
	const struct recording *first;
	size_t others;
};

static void lacking_add(struct lacking *lacking, const struct recording *recording)
{
	if (lacking->first)
		lacking->others++;
	else
		lacking->first = recording;
}

static char *lacking_words(const struct lacking *lacking)
{
	if (lacking->first == NULL)
		return memory_text("");
	if (lacking->others == 0)
		return memory_format(" (in %s)", lacking->first->dir);
	return memory_format(" (in %s and %zu other%s)", lacking->first->dir, lacking->others,
			     lacking->others == 1 ? "" : "s");
}

/* With what copies of it have. There is a share for each owner, in the same order. */
static struct trace_share share_of(const struct recording *whole, const struct recording *part,
				   const struct trace_totals *totals)
{
	struct trace_share sum = {0};

	for (size_t i = 0; i < whole->owner_count && i < totals->share_count; i++) {
		const struct trace_owner *owner = &whole->owners[i];

		if (owner->recording != part->id && strcmp(owner->path, part->dir) != 0)
			continue;
		sum.bytes += totals->shares[i].bytes;
		sum.missing += totals->shares[i].missing;
	}
	return sum;
}

/* What a trace alone has is all that is known of it. */
static bool lacks_bytes(const struct recording *part, const struct trace_share *share)
{
	return part->described && share->bytes < part->stream_bytes;
}

static bool lacks_packets(const struct recording *part, const struct trace_share *share)
{
	(void)part;
	return share->missing;
}

static char *where_lacks(const struct recording *whole, const struct trace_totals *totals,
			 bool (*lacks)(const struct recording *, const struct trace_share *))
{
	struct lacking lacking = {0};
	const struct recording *part;

	for (size_t i = 0; recording_is_several(whole) && (part = recording_each(whole, i)); i++) {
		const struct trace_share share = share_of(whole, part, totals);

		if (lacks(part, &share))
			lacking_add(&lacking, part);
	}
	return lacking_words(&lacking);
}

char *analysis_gap(const struct recording *recording, const struct trace_totals *totals)
{
	char *where, *words;

	if (totals->bytes >= recording->stream_bytes || (totals->problem_count && !totals->bytes))
		return NULL;
	where = where_lacks(recording, totals, lacks_bytes);
	words = memory_format("%" PRIu64 " of the %" PRIu64 " bytes that were recorded %s%s",
			      recording->stream_bytes - totals->bytes, recording->stream_bytes,
			      totals->refused ? "cannot be read" : "are gone: streams of the trace were deleted or cut",
			      where);
	free(where);
	return words;
}

char *analysis_packets(const struct recording *recording, const struct trace_totals *totals)
{
	uint64_t count = totals->discarded_packets;
	char *where, *words;

	if (count == 0)
		return NULL;
	where = where_lacks(recording, totals, lacks_packets);
	words = memory_format("%" PRIu64 " %s of the trace %s missing%s: more events may be lost than are counted",
			      count, count == 1 ? "packet" : "packets", count == 1 ? "is" : "are", where);
	free(where);
	return words;
}

char *analysis_losers(const struct analysis *analysis)
{
	struct lacking lacking = {0};
	struct map known = {0};

	for (size_t i = 0; recording_is_several(analysis->recording) && i < analysis->world->process_count; i++) {
		const struct process *process = analysis->world->processes[i];

		if (process->lost == 0 || process->recording == NULL ||
		    map_get(&known, (uintptr_t)process->recording, 0))
			continue;
		map_put(&known, (uintptr_t)process->recording, 0, &lacking);
		lacking_add(&lacking, process->recording);
	}
	map_clear(&known);
	return lacking_words(&lacking);
}
