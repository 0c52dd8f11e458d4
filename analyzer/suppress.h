/*
 * Suppressions: findings that are known and not to be told. A line is RULE:GLOB, of fnmatch(3): the rule's id, or a
 * pattern of ids, and what must match a name of the object, a function of one of the stacks, or one of their modules.
 * RULE:^GLOB;GLOB... is narrower: of the finding's first stack the program's own functions, from the innermost on, as
 * many as there are patterns. A backslash before a semicolon makes it part of the pattern. "#" begins a comment.
 * Escapes of escape_matches() stand for what no line holds; blanks at its ends are cut off, "[ ]" is one that stays.
 */
#ifndef SHMGUARD_SUPPRESS_H
#define SHMGUARD_SUPPRESS_H

#include <stdio.h>

#include "analyzer/findings.h"

struct report;

struct suppression {
	char *rule, *pattern;
	bool concerns[RULE_COUNT]; /* `rule` matches its id */
	const char *source;        /* the file, or "built in" */
	unsigned line;             /* 0: built in */
	uint64_t findings;         /* of which it hid some or all */
	uint64_t times;            /* occurrences that it hid */
	uint64_t parts;            /* of the findings: those of which others are told */
};

struct suppressions {
	struct suppression *all;
	size_t count;
};

/* 0; -1 and *error, one line to be freed by the caller. `file` must outlive the suppressions. */
int suppressions_read(struct suppressions *suppressions, const char *file, char **error);
void suppressions_add(struct suppressions *suppressions, const char *rule, const char *pattern, const char *source,
		      unsigned line);
void suppressions_add_built_in(struct suppressions *suppressions);
void suppressions_free(struct suppressions *suppressions);

/* The built-in lines, in the form of a file, with why each is there. */
void suppressions_show(FILE *out);

/* Whether any is of the rule. */
bool suppressions_concern(const struct suppressions *suppressions, enum rule_id rule);

/* The number, from 1 on, of the first that matches a finding by its object, or that has neither object nor stack; 0: none. */
size_t suppressions_match(const struct suppressions *suppressions, const struct finding *finding);

/* Whether nothing is left of the finding, whichever of its objects they match. */
bool suppressions_hide_all(const struct suppressions *suppressions, const struct report *report,
			   const struct finding *finding);

/* Removes from the findings what was matched so, and what they match by a function or a module. */
void suppressions_apply(struct suppressions *suppressions, const struct report *report, struct findings *findings);

#endif
