#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

void progress_begin(struct progress *progress, bool silent)
{
	const char *terminal = getenv("TERM");

	silent |= !isatty(STDERR_FILENO) || (terminal && strcmp(terminal, "dumb") == 0);
	progress->shown = false;
	progress->began = now();
	progress->next = silent ? INT64_MAX : progress->began + SECOND;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
	int64_t time;
	double part, left;

	if (progress->next == INT64_MAX || done == 0 || done > total)
		return;
	time = now();
	if (time < progress->next)
		return;
	part = (double)done / (double)total;
	left = (double)(time - progress->began) / (double)SECOND * (1 - part) / part;
	fprintf(stderr, "\r\033[Kshmguard: reading the trace: %d %%", (int)(part * 100));
	if (left < 60)
		fprintf(stderr, ", %d s left", (int)left + 1);
	else
		fprintf(stderr, ", %d min left", (int)(left / 60) + 1);
	fflush(stderr);
	progress->shown = true;
	progress->next = time + SECOND / 5;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
	progress->next = INT64_MAX;
}
