/*
 * Reports: an analysis, printed in one of several formats. A new format is one file with a function of type
 * report_print, and a line in REPORT_FORMATS.
 */
#ifndef SHMGUARD_REPORT_H
#define SHMGUARD_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "analyzer/analysis.h"
#include "analyzer/selection.h"
#include "analyzer/suppress.h"
#include "analyzer/symbols.h"
#include "tracepoints/rules.h"

enum report_group { BY_none, BY_stack, BY_object, BY_process, BY_rule };

/* What a form lacks that reads the events again. */
struct report_missing {
	char *words; /* a sentence, to be freed; NULL: nothing */
	bool all;    /* none of the events could be read for it */
};

struct report {
	const struct analysis *analysis;
	struct symbols *symbols;
	const struct selection *selection;       /* what was asked for; NULL: everything */
	const struct suppressions *suppressions; /* that were applied, or NULL */
	bool verbose;                            /* people want everything */
	enum report_group group;
	struct report_missing *missing; /* to be filled in, or NULL */
};

/* Does not look at write errors: the caller asks ferror(out). Every byte of the trace is escaped as `out` needs it. */
typedef void report_print(const struct report *report, FILE *out);

#define REPORT_FORMATS(X)                                                                                              \
	X(text, "for people")                                                                                          \
	X(json, "for programs, shmguard-report/1")                                                                     \
	X(junit, "JUnit XML, for what shows test results")                                                             \
	X(csv, "a row for each finding")                                                                               \
	X(sarif, "SARIF 2.1.0, for what shows findings of static analysis")                                            \
	X(html, "a page for people, complete in one file")                                                             \
	X(folded, "stacks with the bytes they left mapped, for flame graphs")                                          \
	X(folded_count, "stacks with the mappings they left")                                                          \
	X(speedscope, "the same for speedscope, and mappings ever made")                                               \
	X(timeline, "Chrome's trace events, for Perfetto")                                                             \
	X(suppressions, "lines that hide what was found")

#define REPORT_FUNCTION(name, summary) report_print report_##name;
REPORT_FORMATS(REPORT_FUNCTION)
#undef REPORT_FUNCTION

struct report_format {
	const char *name, *summary;
	report_print *print;
};

/* Ends with a row whose name is NULL. In a name on the command line a hyphen stands for each underscore. */
extern const struct report_format report_formats[];
const struct report_format *report_format_find(const char *name);

struct report_output {
	const struct report_format *format;
	const char *file; /* NULL: where report_recording() is told to */
};

#define REPORT_OUTPUTS_MAX 16

struct report_options {
	struct report_output outputs[REPORT_OUTPUTS_MAX];
	size_t output_count; /* 0: text, where report_recording() is told to */
	bool save_symbols;   /* into the recording, so that a report made elsewhere is the same */
	bool verbose;        /* as in struct report */
	bool kept;           /* the caller reads it, and tells itself why nothing is in it */
	enum report_group group;
	struct selection selection;
	const char *suppress[REPORT_OUTPUTS_MAX]; /* files */
	size_t suppress_count;
	uint64_t max_findings; /* so many of severity fail_on or graver are no failure */
	bool fail;             /* with a finding of severity fail_on or graver */
	enum severity fail_on;
};

enum report_result {
	REPORT_DONE = 0,
	REPORT_FOUND = 1, /* done, and `fail_on` is met */
	REPORT_USAGE = 2,
	REPORT_UNREADABLE =
		3, /* the recording, at all or for a form; or a report could not be written: stderr says which */
};

struct report_verdict {
	enum severity worst; /* of the findings; SEVERITY_NOTE when there is none */
	bool whole;          /* the trace was read to its end */
};

/*
 * Analyses the recording in `dir` and prints the reports, on `out` or into files of their own. Returns enum
 * report_result; what went wrong is told on stderr, but whether `out` took all is the caller's to ask. *verdict, which may
 * be NULL, is set when there was a report.
 */
int report_recording(const char *dir, const struct report_options *options, FILE *out, struct report_verdict *verdict);

/* The names of functions that the recording, or its parts, brought along. What cannot be used becomes a remark. */
struct symbols *report_symbols(const char *dir, struct analysis *analysis);

/* report_group.c: what the findings of a group have in common, NULL without; brings them together; by its name. */
const void *report_group_key(const struct finding *finding, enum report_group group);
void report_group_sort(struct findings *findings, enum report_group group);
bool report_group_find(const char *name, enum report_group *group);

/* report_fingerprint.c: gives each finding the fingerprint that recordings are compared by, and sorts them. */
void report_fingerprints(const struct report *report, struct findings *findings);

/* One line on what a programmer does about findings of this rule. Never NULL. */
const char *report_advice(const struct finding *finding);

/*
 * Sets report->missing->words, for a form that has no place for the report's problems, to the first of them, and how many more
 * there are.
 */
void report_lacks(const struct report *report);

/* A line, to be freed, on what came into /dev/shm and no call made. */
char *report_appeared(const struct leftover *left);

/* "at least 3 events lost", "no event lost"; process: of it alone, or NULL. To be freed. */
char *report_lost(const struct analysis *analysis, const struct process *process);
/* Whether more may be lost than are counted. */
bool report_lost_more(const struct analysis *analysis, const struct process *process);

/* Where the process was recorded, if the report is of several recordings; else NULL. */
const char *report_where(const struct report *report, const struct process *process);

/* How many recordings the finding is of, if the report is of several; else 0. */
size_t report_recordings(const struct report *report, const struct finding *finding);
/* "fleet/a; fleet/b", as above, or "". To be freed. */
char *report_recorded(const struct report *report, const struct finding *finding);

/* Whether only some processes or objects were asked for; whether tables show one: asked for, or a finding told is of it. */
bool report_is_part(const struct report *report);
bool report_shows_process(const struct report *report, const struct process *process);
bool report_shows_object(const struct report *report, const struct object *object);

/* The part behind the last slash. */
const char *report_basename(const char *path);

#endif
