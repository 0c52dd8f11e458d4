/* What forms for people say of what they do not show, and of a report without a finding. */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/memory.h"
#include "analyzer/report_json.h"
#include "analyzer/report_text.h"

bool untold_has_line(const struct suppression *suppression)
{
	return suppression->findings || suppression->line;
}

char *untold_suppressed(const struct suppression *suppression)
{
	char *count = text_count(suppression->findings, "finding"),
	     *times = text_count(suppression->times, "occurrence"), *parts = text_count(suppression->parts, ""), *words;

	if (!suppression->findings)
		words = memory_format("is unused: it suppressed %s", count);
	else if (!suppression->parts)
		words = memory_format("suppressed %s (%s)", count, times);
	else
		words = memory_format("suppressed %s (%s), of which %s %s others that are told", count, times, parts,
				      suppression->parts == 1 ? "has" : "have");
	free(parts);
	free(times);
	free(count);
	return words;
}

char *untold_filtered(const struct findings *findings)
{
	return findings->filtered ? memory_format("%" PRIu64 " of the findings were not asked for.", findings->filtered)
				  : NULL;
}

const char *untold_none(const struct analysis *analysis)
{
	return analysis->recording->emptied ? "no error found" : "nothing found";
}

const char *untold_why(const struct analysis *analysis)
{
	if (analysis->recording->emptied)
		return "so no call was kept";
	if (analysis->others)
		return analysis->problems[0];
	/* What is missing may be what would have been seen. */
	if (!analysis->complete)
		return analysis->events ? "" : "no call is in it";
	return analysis->world->object_count ? "" : "no POSIX shared memory was seen";
}

json_t *json_untold(const struct report *report)
{
	const struct suppressions *suppressions = report->suppressions;
	char *filtered = untold_filtered(&report->analysis->findings);
	json_t *lines = json_array();

	if (filtered)
		json_array_append_new(lines, json_of_text(filtered));
	free(filtered);
	for (size_t i = 0; suppressions && i < suppressions->count; i++) {
		const struct suppression *own = &suppressions->all[i];
		char *words = untold_suppressed(own), *line;

		line = own->line ? memory_format("%s:%u: %s:%s %s", own->source, own->line, own->rule, own->pattern,
						 words)
				 : memory_format("%s: %s:%s %s", own->source, own->rule, own->pattern, words);
		if (untold_has_line(own))
			json_array_append_new(lines, json_of_text(line));
		free(line);
		free(words);
	}
	return json_pack("{s:o, s:s, s:o}", "lines", lines, "none", untold_none(report->analysis), "why",
			 json_of_text(untold_why(report->analysis)));
}
