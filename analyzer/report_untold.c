/* What forms for people say of what they do not show, and of a report without a finding. */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/escape.h"
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

static bool has_process(const struct selection *selection, const struct analysis *analysis)
{
	if (!selection->pid && !selection->exe)
		return true;
	for (size_t i = 0; i < analysis->world->process_count; i++)
		if (selection_has_process(selection, analysis->world->processes[i]))
			return true;
	for (size_t i = 0; i < analysis->unseen_count; i++) {
		const struct process unseen = {
			.pid = analysis->unseen[i].pid, .exe = analysis->unseen[i].exe, .host = selection->host};

		if (selection_has_process(selection, &unseen))
			return true;
	}
	return false;
}

static bool has_leftover(const char *pattern, const struct leftover *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (escape_matches(pattern, all[i].name))
			return true;
	return false;
}

/* Those that were there without any call on them can have findings as well. */
static bool has_object(const struct selection *selection, const struct analysis *analysis)
{
	const struct recording *recording;

	if (!selection->object || analysis->world->objects_forgotten)
		return true;
	for (size_t i = 0; i < analysis->world->object_count; i++)
		if (selection_has_object(selection, analysis->world->objects[i]))
			return true;
	for (size_t i = 0; (recording = recording_each(analysis->recording, i)); i++)
		if (has_leftover(selection->object, recording->leftovers, recording->leftover_count) ||
		    has_leftover(selection->object, recording->before, recording->before_count))
			return true;
	return false;
}

char *untold_vain(const struct report *report)
{
	const struct selection *selection = report->selection;
	const struct analysis *analysis = report->analysis;

	if (!selection || analysis->cut)
		return NULL;
	if (analysis->others)
		return memory_text(analysis->problems[0]);
	if (analysis->findings.count)
		return NULL;
	if (!has_process(selection, analysis) && !selection->pid)
		return memory_format("no program in the recording matches --exe=%s", selection->exe);
	if (!has_process(selection, analysis))
		return memory_format("no process in the recording matches --pid=%s%s%d%s%s", selection->host,
				     *selection->host ? ":" : "", (int)selection->pid,
				     selection->exe ? " and --exe=" : "", selection->exe ? selection->exe : "");
	return has_object(selection, analysis)
		       ? NULL
		       : memory_format("no object in the recording has a name that matches --object=%s",
				       selection->object);
}

static const char *why(const struct analysis *analysis)
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

char *untold_why(const struct report *report)
{
	const char *known = why(report->analysis);
	char *vain = *known ? NULL : untold_vain(report);

	return vain ? vain : memory_text(known);
}

json_t *json_untold(const struct report *report)
{
	const struct suppressions *suppressions = report->suppressions;
	char *filtered = untold_filtered(&report->analysis->findings), *none = untold_why(report);
	json_t *reason = json_of_text(none);
	json_t *lines = json_array();

	if (filtered)
		json_array_append_new(lines, json_of_text(filtered));
	free(filtered);
	free(none);
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
	return json_pack("{s:o, s:s, s:o}", "lines", lines, "none", untold_none(report->analysis), "why", reason);
}
