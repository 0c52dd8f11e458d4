/* A recording, read and judged. */
#ifndef SHMGUARD_ANALYSIS_H
#define SHMGUARD_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "findings.h"
#include "recording.h"
#include "world.h"

struct unseen {
	pid_t pid;
	const char *exe, *reason;
};

struct analysis {
	struct recording *recording; /* never NULL; fields may be empty for a bare trace */
	struct world *world;
	struct findings findings;
	uint64_t events;             /* of this recording */
	uint64_t lost;               /* events that are missing */
	bool holes;                  /* parts of the trace are missing */
	bool tail;                   /* more may be, behind the last ones of processes whose end was not seen */
	bool cut_off;                /* LTTng's daemons ended, and processes went on */
	bool unended;                /* it did not end properly, or is still being made: some may not be written yet */
	uint64_t let_go;             /* events older than what the recording keeps */
	uint64_t foreign;            /* events of other recordings that lay in the same trace */
	struct trace_share *skipped; /* the same of each of several recordings that has any */
	size_t skipped_count;
	int64_t from, to; /* the start of the recording, or the first event; its end */
	double seconds;   /* from the start of the recording, or the first event, to the last */
	const char *none; /* the problem which says that the trace has events, and none to look at; NULL: it has some */
	bool others;      /* that, and nothing is missing of it */
	char *cut;        /* why the trace was not read to its end, in words; NULL: it was */
	bool doubtful;    /* events may be missing that no process's numbers account for */
	bool complete;    /* nothing is known to be missing of what was recorded: `unseen` is apart */
	struct unseen *unseen;
	size_t unseen_count;
	/* What came into /dev/shm meanwhile, of which no call tells; none where calls are known to be missing. */
	const struct leftover **appeared;
	size_t appeared_count;
	char **problems; /* one sentence each, for people */
	size_t problem_count;
	size_t remarks; /* so many of them, the last ones, tell of nothing that was recorded and is missing */
};

/*
 * Reads the recording in `dir`, or a bare CTF trace there, and judges it. On failure NULL, and *error is one line for
 * people, to be freed by the caller; it names `dir`. The sieve is asked of findings; NULL: none,
 * and their verdicts are kept for verdicts_of().
 */
struct analysis *analysis_of(const char *dir, const struct sieve *sieve, char **error);
void analysis_free(struct analysis *analysis);
/* Takes the text, one more remark. */
void analysis_remark(struct analysis *analysis, char *text);

/*
 * The result of trace_read() that ended by itself, but 0 where there is nothing to be read and the recording says why, and
 * negative, with *error as above, where nothing is left of what was recorded, or no call.
 */
int analysis_refuse(const struct recording *recording, int result, struct trace_totals *totals, char **error);
/* analysis_gap.c: what of the recording's streams is gone, a new text; NULL if they are whole. */
char *analysis_gap(const struct recording *recording, const struct trace_totals *totals);
/* The same of packets that the tracer had no room for, or whose file is gone. */
char *analysis_packets(const struct recording *recording, const struct trace_totals *totals);
/* Of several recordings, in which events of processes were lost: " (in DIR)" or the like, a new text; "" of one. */
char *analysis_losers(const struct analysis *analysis);

/* That a trace alone has no event of shmguard, or a recording's none of its own, but others: a new text; or NULL. */
char *analysis_others(const struct recording *recording, const struct trace_totals *totals);

/* Where the trace of the recording in `dir` lies, to be freed; NULL and *error as above. */
char *analysis_trace(const char *dir, char **error);

#endif
