#include "analyzer/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/report_text.h"
#include "analyzer/units.h"
#include "analyzer/whole_file.h"

const struct report_format report_formats[] = {
#define REPORT_ROW(name, summary) {#name, summary, report_##name},
	REPORT_FORMATS(REPORT_ROW)
#undef REPORT_ROW
		{NULL, NULL, NULL},
};

const char *report_where(const struct report *report, const struct process *process)
{
	return process && process->recording && recording_is_several(report->analysis->recording)
		       ? process->recording->dir
		       : NULL;
}

size_t report_recordings(const struct report *report, const struct finding *finding)
{
	return recording_is_several(report->analysis->recording) ? finding->recording_count : 0;
}

char *report_recorded(const struct report *report, const struct finding *finding)
{
	char *all = memory_text(""), *longer;

	for (size_t i = 0; i < report_recordings(report, finding); i++) {
		longer = memory_format("%s%s%s", all, i ? "; " : "", finding->recordings[i]->dir);
		free(all);
		all = longer;
	}
	return all;
}

char *report_appeared(const struct leftover *left)
{
	char *size = units_bytes(left->size, 1024, "B");
	char *line = memory_format(
		"%s (%s, uid %u) came into /dev/shm meanwhile, and no call that was seen made it: another "
		"program did, or one went past the library",
		left->name, size, left->uid);

	free(size);
	return line;
}

const char *report_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool report_same_name(const char *own, const char *given)
{
	for (; *own && *given; own++, given++)
		if (*own != (*given == '-' ? '_' : *given))
			return false;
	return *own == *given;
}

const struct report_format *report_format_find(const char *name)
{
	const struct report_format *format;

	for (format = report_formats; format->name; format++)
		if (report_same_name(format->name, name))
			return format;
	return NULL;
}

static void report_complain(const char *sentence)
{
	char *safe = escape_terminal(sentence);

	fprintf(stderr, "shmguard: %s\n", safe);
	free(safe);
}

/* By errno. */
static void report_complain_of(const char *file, const char *what)
{
	char *sentence = memory_format("%s: %s: %s", file, what, strerror(errno));

	report_complain(sentence);
	free(sentence);
}

static void report_resolve(void *context, const struct stack *stack)
{
	size_t i;

	for (i = 0; i < stack->count; i++)
		if (stack->frames[i].module)
			symbols_resolve(context, stack->frames[i].module->path, stack->frames[i].module->build_id,
					stack->frames[i].offset, SYMBOLS_RETURN);
}

struct symbols *report_symbols(const char *dir, struct analysis *analysis)
{
	const struct recording *recording = analysis->recording;
	char *problem = NULL;
	struct symbols *symbols = symbols_open(dir, &problem);

	if (problem)
		analysis_remark(analysis, problem);
	for (size_t i = 0; i < recording->part_count; i++) {
		symbols_add(symbols, recording->parts[i]->dir, &problem);
		if (problem)
			analysis_remark(analysis, problem);
	}
	return symbols;
}

static void report_save_symbols(const struct report *report, const char *dir)
{
	/* Also those that no finding has, so that any form of the report has them later. */
	world_each_stack(report->analysis->world, report_resolve, report->symbols);
	if (symbols_save(report->symbols, dir))
		report_complain_of(dir, "the names of functions could not be stored");
}

/* Findings that are apart for the reader's grouping alone count once: how it is printed does not decide what fails. */
static bool report_counts(struct map *counted, const struct finding *finding)
{
	uint64_t print = strtoull(finding->fingerprint, NULL, 16);
	bool before = map_get(counted, print, 0) != NULL;

	map_put(counted, print, 0, counted);
	return !before || !finding->apart;
}

static int report_outcome(const struct analysis *analysis, const struct report_options *options,
			  struct report_verdict *verdict)
{
	const struct findings *findings = &analysis->findings;
	enum severity gravest = SEVERITY_NOTE;
	struct map counted = {0};
	uint64_t grave = 0;
	size_t i;

	for (i = 0; i < findings->count; i++) {
		if (findings->all[i].severity > gravest)
			gravest = findings->all[i].severity;
		grave += findings->all[i].severity >= options->fail_on && report_counts(&counted, &findings->all[i]);
	}
	map_clear(&counted);
	if (verdict)
		*verdict = (struct report_verdict){gravest, !analysis->cut};
	return options->fail && grave > options->max_findings ? REPORT_FOUND : REPORT_DONE;
}

/* Told by nothing but lines: LTTng came up in it, or had in the one that it is a copy of. */
static bool report_had_events(const struct process *process)
{
	while (process && !process->traced && !process->loaded)
		process = process->began == BEGAN_fork ? process->parent : NULL;
	return process;
}

static bool report_lacks_end(const struct analysis *analysis, const struct process *process)
{
	if (process_is_cut_off(process))
		return true;
	if (!analysis->tail)
		return false;
	if (!process->traced)
		return report_had_events(process);
	return !process->leaving && process->ended != ENDED_exec;
}

bool report_lost_more(const struct analysis *analysis, const struct process *process)
{
	if (process)
		return report_lacks_end(analysis, process);
	for (size_t i = 0; (analysis->tail || analysis->cut_off) && i < analysis->world->process_count; i++)
		if (report_lacks_end(analysis, analysis->world->processes[i]))
			return true;
	return false;
}

char *report_lost(const struct analysis *analysis, const struct process *process)
{
	uint64_t lost = process ? process->lost : analysis->lost;
	char *count, *words;

	if (lost == 0 && (analysis->holes || analysis->cut_off) && report_lost_more(analysis, process))
		return memory_format("how many events %sare lost is not known", process ? "of it " : "");
	if (lost == 0)
		return memory_format("%sno event lost",
				     analysis->unseen_count || !analysis->complete ? "of what was seen " : "");
	count = text_count(lost, "event");
	words = memory_format("%s%s%s lost%s", report_lost_more(analysis, process) ? "at least " : "", count,
			      process ? " of it" : "", analysis->unended ? " or not written yet" : "");
	free(count);
	return words;
}

void report_lacks(const struct report *report)
{
	const struct analysis *analysis = report->analysis;

	if (!report->missing || report->missing->words)
		return;
	if (analysis->cut)
		report->missing->words = memory_text("the trace was not read to its end");
	else if (analysis->lost)
		report->missing->words = memory_format(
			"%s%" PRIu64 " events were lost%s", report_lost_more(analysis, NULL) ? "at least " : "",
			analysis->lost, analysis->unended ? " or are not written yet" : "");
	else if (analysis->let_go)
		report->missing->words = memory_text("what older calls mapped is missing, as they were let go");
	else if (!analysis->complete && analysis->problem_count > 1)
		report->missing->words = memory_format("%s; and %zu more that --format=text tells",
						       analysis->problems[0], analysis->problem_count - 1);
	else if (!analysis->complete)
		report->missing->words = memory_text(analysis->problems[0]);
	else if (analysis->remarks)
		report->missing->words = memory_text(analysis->problems[analysis->problem_count - 1]);
}

/* *result becomes REPORT_UNREADABLE for one that has nothing of what it was to show; it has the findings. */
static void report_print_form(const struct report *report, const struct report_output *output, FILE *out, int *result)
{
	struct report_missing missing = {0};
	char *line;
	struct report form = *report;

	form.missing = &missing;
	output->format->print(&form, out);
	if (missing.all)
		*result = REPORT_UNREADABLE;
	/* That nothing is of shmguard was told once for all forms. */
	if (missing.words && (!report->analysis->others || report->analysis->cut)) {
		line = memory_format("%s: %s", output->file ? output->file : output->format->name, missing.words);
		report_complain(line);
		free(line);
	}
	free(missing.words);
}

/* 0, or -1 with errno; *result as above. What becomes of `out` is the caller's. */
static int report_write(const struct report *report, const struct report_output *output, FILE *out, int *result)
{
	struct whole_file whole;

	if (!output->file) {
		report_print_form(report, output, out, result);
		return 0;
	}
	if (whole_file_open(&whole, output->file) < 0)
		return -1;
	report_print_form(report, output, whole.file, result);
	return whole_file_close(&whole);
}

/* Forms that have no verdict would look as if all was well with what was asked for. */
static void report_tell_vain(const struct report *report, const struct report_output *outputs, size_t count)
{
	char *vain = untold_vain(report);
	bool told = !vain;

	for (size_t i = 0; i < count && !told; i++) {
		told = outputs[i].format != report_formats;
		if (told)
			report_complain(vain);
	}
	free(vain);
}

static int report_write_all(const struct report *report, const struct report_options *options, FILE *out)
{
	static const struct report_output plain = {.format = report_formats};
	const struct report_output *outputs = options->output_count ? options->outputs : &plain;
	size_t count = options->output_count ? options->output_count : 1, i;
	int result = REPORT_DONE;

	if (!options->kept)
		report_tell_vain(report, outputs, count);
	for (i = 0; i < count; i++) {
		if (!report_write(report, &outputs[i], out, &result))
			continue;
		report_complain_of(outputs[i].file, "the report could not be written");
		result = REPORT_UNREADABLE;
	}
	return result;
}

static int report_read_suppressions(struct suppressions *suppressions, const struct report_options *options)
{
	char *error = NULL;
	size_t i;

	for (i = 0; i < options->suppress_count; i++) {
		if (!suppressions_read(suppressions, options->suppress[i], &error))
			continue;
		report_complain(error);
		free(error);
		return -1;
	}
	suppressions_add_built_in(suppressions);
	return 0;
}

struct report_sieve {
	const struct selection *selection;
	const struct suppressions *suppressions;
	enum report_group group;
};

static void report_sift(const void *context, struct finding *finding, int64_t start)
{
	const struct report_sieve *sieve = context;

	finding->unwanted = !selection_has_finding(sieve->selection, finding, start);
	finding->suppression = suppressions_match(sieve->suppressions, finding);
	/* What one place did to many belongs to each of them. */
	if (sieve->group == BY_object || sieve->group == BY_process)
		finding->apart = report_group_key(finding, sieve->group);
}

static bool report_divides(const void *context, enum rule_id rule)
{
	const struct report_sieve *sieve = context;

	return sieve->selection->object || suppressions_concern(sieve->suppressions, rule);
}

static bool report_wants(const void *context, const struct process *process)
{
	return selection_has_process(((const struct report_sieve *)context)->selection, process);
}

bool report_shows_process(const struct report *report, const struct process *process)
{
	return !report->selection || selection_has_process(report->selection, process);
}

bool report_shows_object(const struct report *report, const struct object *object)
{
	const struct findings *findings = &report->analysis->findings;

	if (!report_is_part(report))
		return true;
	for (size_t i = 0; i < findings->count; i++)
		if (findings->all[i].object == object)
			return true;
	return selection_has_object(report->selection, object) &&
	       (object->asked || report_shows_process(report, object->created.process) ||
		report_shows_process(report, object->unlinked.process));
}

bool report_is_part(const struct report *report)
{
	const struct selection *selection = report->selection;

	return selection && (selection->pid || selection->exe || selection->object);
}

/* Takes out what was not asked for, and counts that of which nothing else is left. */
static void report_filter(struct findings *findings)
{
	struct map prints = findings_prints(findings);
	size_t kept = 0, i;

	for (i = 0; i < findings->count; i++)
		if (findings->all[i].unwanted)
			findings->filtered += !findings_printed(&prints, findings->all[i].fingerprint);
	map_clear(&prints);
	for (i = 0; i < findings->count; i++) {
		if (findings->all[i].unwanted)
			findings_hide(findings, &findings->all[i], false);
		else
			findings->all[kept++] = findings->all[i];
	}
	findings->count = kept;
}

int report_recording(const char *dir, const struct report_options *options, FILE *out, struct report_verdict *verdict)
{
	struct suppressions suppressions = {0};
	const struct report_sieve asked = {&options->selection, &suppressions, options->group};
	const struct sieve sieve = {&asked, report_sift, report_divides, report_wants};
	struct report report;
	struct analysis *analysis;
	char *error = NULL;
	int result, written;

	if (report_read_suppressions(&suppressions, options)) {
		suppressions_free(&suppressions);
		return REPORT_USAGE;
	}
	analysis = analysis_of(dir, &sieve, &error);
	if (!analysis) {
		report_complain(error);
		free(error);
		suppressions_free(&suppressions);
		return REPORT_UNREADABLE;
	}
	report = (struct report){.analysis = analysis,
				 .symbols = report_symbols(dir, analysis),
				 .selection = &options->selection,
				 .suppressions = &suppressions,
				 .verbose = options->verbose,
				 .group = options->group};
	if (options->save_symbols)
		report_save_symbols(&report, dir);
	report_fingerprints(&report, &analysis->findings);
	suppressions_apply(&suppressions, &report, &analysis->findings);
	report_filter(&analysis->findings);
	report_group_sort(&analysis->findings, options->group);
	written = report_write_all(&report, options, out);
	result = report_outcome(analysis, options, verdict);
	symbols_close(report.symbols);
	analysis_free(analysis);
	suppressions_free(&suppressions);
	return written ? written : result;
}
