/* `shmguard run`. */
#ifndef SHMGUARD_CMD_RUN_H
#define SHMGUARD_CMD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/options.h"

/* Exit statuses of run's own, as timeout(1) has them. */
#define RUN_FAILED 125
#define RUN_REFUSED 126
#define RUN_NOT_FOUND 127

struct run_options {
	const char *directory; /* NULL: ./shmguard.EXE.PID */
	bool until_command;    /* not until all its descendants have ended as well */
	int error_exitcode;    /* 0: none */
	const char *report;    /* file; "none"; NULL: stderr */
	bool survive;          /* --on-sigbus=survive */
	const char *profile;   /* NULL: observe */
	const char *policy;    /* file that is applied after it, NULL: none */
	uint64_t max_size;     /* bytes of calls to keep, 0: all */
	bool snapshot;         /* --snapshot-on=error */
	bool quiet;
	bool allow_unseen;
	bool help;
	char **command;
};

extern const struct option_table run_option_table;

/* argv[0] is "run". Returns the exit status: the command's, or one of the above. */
int cmd_run(int argc, char **argv);

/* 0, or -1 when it was told on stderr what is wrong. Prints the help itself. */
int run_options_parse(struct run_options *options, int argc, char **argv);

#endif
