/* What the parts of the text report share. */
#ifndef SHMGUARD_REPORT_TEXT_H
#define SHMGUARD_REPORT_TEXT_H

#include "analyzer/report.h"
#include "analyzer/terminal.h"

/* All texts returned are harmless on a terminal and to be freed by the caller. */

/* An indented line, broken where needed. Frees it. */
void text_line(const struct terminal *terminal, enum ink ink, int indent, char *line);
/* "1,234 events"; just the number when `what` is "". */
char *text_count(uint64_t count, const char *what);
/* "12 MiB" */
char *text_bytes(uint64_t bytes);
/* "4242 python3" */
char *text_process(const struct process *process);
/* "killed by SIGKILL" */
char *text_ended(const struct process *process);

/* report_text_stack.c: the names of a frame; none, and no why, if it is of no module. Belongs to the symbols. */
const struct symbols_answer *text_names(const struct report *report, const struct frame *frame);
/* report_text_stack.c: one stack of a finding, under a line that says whose it is. */
void text_stack(const struct report *report, const struct terminal *terminal, const struct finding *finding,
		const struct finding_stack *stack);

/* report_text_names.c: a line for each module of the stacks that has no function names. */
void text_nameless(const struct report *report, const struct terminal *terminal);

/*
 * report_untold.c, not escaped: whether a line of suppressions is told of, and what became of it, without the line itself;
 * the sentence on what was not asked for, or NULL; the verdict where nothing was found, and why that is, or "".
 */
bool untold_has_line(const struct suppression *suppression);
char *untold_suppressed(const struct suppression *suppression);
char *untold_filtered(const struct findings *findings);
const char *untold_none(const struct analysis *analysis);
char *untold_why(const struct report *report);
/* That nothing is of shmguard, or of the process, the program or the object that was asked for; or NULL. */
char *untold_vain(const struct report *report);

/* report_text_summary.c: what became of an object, in a word or two. */
const char *text_state(const struct analysis *analysis, const struct object *object);
/* report_text_summary.c: the recordings that tell of an object, where there are several, in the order of time. */
char *text_where(const struct object *object);
/* report_text_summary.c: what was looked at, and what could not be seen. */
void text_summary(const struct report *report, const struct terminal *terminal);

#endif
