/* Which findings and calls a reader wants to see: the filters that report, log and diff share. */
#ifndef SHMGUARD_SELECTION_H
#define SHMGUARD_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/findings.h"
#include "analyzer/options.h"

/* All zero selects everything. Patterns are those of fnmatch(3). */
struct selection {
	pid_t pid;          /* 0: any */
	char host[256];     /* where `pid` is; "": anywhere */
	const char *exe;    /* of the whole path or its last part; NULL: any */
	const char *object; /* of any of its names */
	const char *rule;   /* of the id */
	bool graded;        /* only findings of `severity` or graver */
	enum severity severity;
	bool has_since, has_until;
	int64_t since, until; /* nanoseconds from the start of the recording */
};

enum {
	OPTION_pid = 0x200,
	OPTION_exe,
	OPTION_object,
	OPTION_rule,
	OPTION_severity,
	OPTION_since,
	OPTION_until,
};

/* Rows of an option table: of all that show a recording; of those that show findings. */
#define SELECTION_ROWS                                                                                                 \
	{"pid", OPTION_pid, "[HOST:]PID", "only what concerns this process"},                                          \
		{"exe", OPTION_exe, "GLOB", "only programs whose path or name matches"},                               \
		{"object", OPTION_object, "GLOB", "only objects of which a name matches"},                             \
		{"since", OPTION_since, "TIME",                                                                        \
		 "only from then on: seconds after the start, or 200ms\nOf several recordings it is the start of the " \
		 "first."},                                                                                            \
	{                                                                                                              \
		"until", OPTION_until, "TIME", "only until then"                                                       \
	}
#define SELECTION_FINDING_ROWS                                                                                         \
	{"rule", OPTION_rule, "GLOB", "only findings of rules that match"},                                            \
	{                                                                                                              \
		"severity", OPTION_severity, "LEVEL", "only findings of LEVEL or graver"                               \
	}

/* 1: the option is one of the rows above and was taken; 0: it is not; -1: its argument is bad, and stderr was told. */
int selection_take(struct selection *selection, int option, const char *argument);

/* After the last option; false: nothing could be selected, and stderr was told. */
bool selection_is_possible(const struct selection *selection);

/* start: of the recording. */
bool selection_has_process(const struct selection *selection, const struct process *process);
bool selection_has_object(const struct selection *selection, const struct object *object);
bool selection_has_time(const struct selection *selection, int64_t time, int64_t start);

/* What is told at the call: one of such a rule and grade? */
bool selection_has_rule(const struct selection *selection, enum rule_id rule, enum severity severity);
bool selection_has_finding(const struct selection *selection, const struct finding *finding, int64_t start);

/* "1.5", "200ms", "3us", "7ns" in nanoseconds: decimal digits, without a sign or an exponent. */
bool selection_time(const char *text, int64_t *time);
/* The same for a time after the start: 1 and *has; -1: stderr was told. */
int selection_take_time(bool *has, int64_t *time, const char *text);
/* The same for a time until which something is: a whole microsecond, as the log prints them, is meant to its end. */
int selection_take_until(bool *has, int64_t *time, const char *text);

#endif
