/* A recording under way, for the files of `shmguard run`. */
#ifndef SHMGUARD_CMD_RUN_INNER_H
#define SHMGUARD_CMD_RUN_INNER_H

#include <jansson.h>
#include <limits.h>
#include <time.h>

#include "analyzer/child.h"
#include "analyzer/cmd_run.h"
#include "analyzer/directory.h"
#include "analyzer/notes.h"
#include "analyzer/problems.h"
#include "analyzer/session.h"
#include "analyzer/shots.h"

struct run {
	struct run_options options;
	uint32_t id;
	char program[PATH_MAX], library[PATH_MAX], provider[PATH_MAX];
	char policy[PATH_MAX]; /* absolute; empty: none */
	json_t *secrets;       /* of the policy, or NULL */
	struct directory directory;
	char private[64]; /* the recording's own directory: daemon, notes, ring buffers */
	struct notes *notes;
	struct session *session;
	struct child child;
	struct problems problems;
	int64_t oom_kills;      /* before the command; -1: unknown */
	int64_t started, ended; /* nanoseconds since 1970 */
	int64_t clock;          /* nanoseconds since 1970 when CLOCK_MONOTONIC was 0, as they were at the start */
	struct shots shots;     /* --snapshot-on */
	bool emptied;           /* there was no error, so the trace was taken away */
	bool unlooked;          /* there is no look from before the command, and the problems say why */
	bool cut;               /* the person wants it to end before all descendants have ended */
};

/* Nanoseconds. */
int64_t run_clock(clockid_t clock);
/* What has to be added to CLOCK_MONOTONIC for the time of day. */
int64_t run_offset(void);
/* Says what is wrong, and frees it. */
int run_failed(int status, char *error);

/* Can it be recorded at all? 0, or the exit status of what was said. */
int run_check(struct run *run);
/* All that must be there before the command may start. What was made is taken away again when something fails. */
int run_set_up(struct run *run);

/* Writes recording.json as it stands now; 0, or -1 and a text for free(3). */
int run_describe(const struct run *run, char **error);

#endif
