#include "trace_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "memory.h"
#include "progress.h"
#include "trace_child.h"
#include "trace_files.h"
#include "trace_reader_child.h"
#include "trace_settings.h"

/* The reading under way is to end; somebody asked for the end, of this one or of one before. */
static volatile sig_atomic_t interrupted, asked, under_way;
static struct sigaction on_interrupt;
static struct progress *drawn; /* of the reading under way, or NULL */
/* Events that the latest reading had which nobody had asked to be short, and nanoseconds that it took. */
static uint64_t had;
static int64_t took;
/* By which the reading, and then the process, is to end; 0: none. */
static volatile sig_atomic_t fatal;
static const int deadly[] = {SIGINT, SIGTERM, SIGHUP};

enum { DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

/* One reading, as both processes see it. */
struct reading {
	const char *dir;
	const struct trace_scope *scope;
	trace_callback callback;
	void *context;
	struct trace_totals *totals;
	struct progress progress;
	char *error, *copies;
	bool ended; /* the child came to its end, with `result` */
	int result;
	bool satisfied; /* the callback wants no more */
	bool limited;   /* an earlier one was interrupted: this one is to give the same, as soon, and no more */
	bool enough;    /* and did */
	int64_t began;  /* monotonic nanoseconds */
};

void trace_problem(struct trace_totals *totals, char *text)
{
	totals->problems = memory_grow(totals->problems, totals->problem_count, sizeof(*totals->problems));
	totals->problems[totals->problem_count++] = text;
}

void trace_totals_clear(struct trace_totals *totals)
{
	for (size_t i = 0; i < totals->problem_count; i++)
		free(totals->problems[i]);
	for (size_t i = 0; i < totals->share_count; i++)
		free(totals->shares[i].path);
	free(totals->problems);
	free(totals->shares);
	free(totals->refused);
	free(totals->cut);
	totals->problems = NULL;
	totals->shares = NULL;
	totals->refused = totals->cut = NULL;
	totals->problem_count = totals->share_count = 0;
}

static void read_in_child(void *context, struct wire_out *out)
{
	const struct reading *reading = context;

	trace_reader_child(reading->dir, reading->scope, out);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int take_event(void *context, const struct trace_event *event)
{
	struct reading *reading = context;
	struct trace_totals *totals = reading->totals;
	int result;

	reading->enough = reading->limited && (totals->events == had || now() - reading->began > took);
	if (reading->enough)
		return -1;
	if (totals->events++ == 0)
		totals->first = event->time;
	totals->last = event->time;
	totals->called |= trace_event_is_call(event->id);
	result = reading->callback(reading->context, event);
	reading->satisfied = result < 0;
	return result < 0 ? -1 : 0;
}

static void take_text(void *context, enum wire_text type, const char *text)
{
	struct reading *reading = context;

	if (type == WIRE_problem) {
		trace_problem(reading->totals, memory_text(text));
	} else {
		char **to = type == WIRE_error     ? &reading->error
			    : type == WIRE_refused ? &reading->totals->refused
						   : &reading->copies;

		free(*to);
		*to = memory_text(text);
	}
}

static void take_progress(void *context, uint64_t done, uint64_t total)
{
	struct reading *reading = context;

	if (reading->limited)
		progress_show(&reading->progress, reading->totals->events, had);
	else
		progress_show(&reading->progress, done, total);
}

static void take_end(void *context, int result, const struct trace_totals *totals)
{
	struct reading *reading = context;

	reading->ended = true;
	reading->result = result;
	reading->totals->foreign = totals->foreign;
	reading->totals->unknown = totals->unknown;
	reading->totals->discarded_events = totals->discarded_events;
	reading->totals->discarded_packets = totals->discarded_packets;
	reading->totals->bytes = totals->bytes;
	reading->totals->bytes_lost = totals->bytes_lost;
	reading->totals->strays = totals->strays;
}

static void take_share(void *context, const struct trace_share *share)
{
	struct trace_totals *totals = ((struct reading *)context)->totals;

	totals->shares = memory_grow(totals->shares, totals->share_count, sizeof(*totals->shares));
	totals->shares[totals->share_count] = *share;
	totals->shares[totals->share_count++].path = memory_text(share->path);
}

static void note_interrupt(int number)
{
	const struct sigaction action = {.sa_handler = note_interrupt};

	/* What is being written is written to its end, or the rest would be lost; one more ends a wait for who reads it. */
	sigaction(SIGINT, &action, NULL);
	if (asked && !under_way) {
		sigaction(SIGINT, &on_interrupt, NULL);
		raise(number);
	}
	/* One that is typed twice while a reading comes to its end was meant once. */
	if (asked && !interrupted)
		fatal = number;
	asked = interrupted = 1;
}

void trace_interruptible(void)
{
	const struct sigaction action = {.sa_handler = note_interrupt, .sa_flags = SA_RESTART};

	sigaction(SIGINT, NULL, &on_interrupt);
	/* Who starts us in the background may not want us to hear it. */
	if (on_interrupt.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
}

bool trace_interrupted(void)
{
	return asked;
}

void trace_silence(void)
{
	trace_settings.silent = true;
	if (drawn)
		progress_end(drawn);
}

static void note_death(int number)
{
	fatal = number;
	interrupted = 1;
}

/* Signals that end the process do so when the copies that a reading may have made are gone; see let_die(). */
static void put_off_death(struct sigaction before[static DEADLY])
{
	const struct sigaction action = {.sa_handler = note_death};

	for (size_t i = 0; i < DEADLY; i++) {
		sigaction(deadly[i], NULL, &before[i]);
		if (before[i].sa_handler == SIG_DFL)
			sigaction(deadly[i], &action, NULL);
	}
}

/* Puts back what put_off_death() found; the process ends here if it was to. */
static void let_die(const struct sigaction before[static DEADLY])
{
	for (size_t i = 0; i < DEADLY; i++)
		if (before[i].sa_handler == SIG_DFL)
			sigaction(deadly[i], &before[i], NULL);
	if (!fatal)
		return;
	/* What was printed of it ends with a whole line; who typed Ctrl-C is told why there is no more, or nothing. */
	fflush(stdout);
	if (fatal == SIGINT)
		fputs("shmguard: interrupted before the trace was read to its end\n", stderr);
	raise(fatal);
}

/* What is to be said of a reading that did not come to its end, or ended with an error. */
static int conclude(struct reading *reading, enum child_end end, int status, char **error)
{
	char *words;

	if (reading->satisfied) {
		*error = memory_text("the reading was stopped");
		return -1;
	}
	if (reading->ended && reading->result == 0)
		return 0;
	if (reading->ended) {
		words = reading->error ? memory_text(reading->error) : memory_text("the trace is damaged");
	} else {
		reading->totals->cut = trace_child_words(end, status);
		words = memory_format("the reading of the trace ended early: %s", reading->totals->cut);
	}
	if (reading->totals->events == 0 && end != CHILD_interrupted) {
		*error = words;
		return reading->ended ? reading->result : -1;
	}
	if (reading->ended)
		reading->totals->cut = memory_text(words);
	trace_problem(reading->totals, memory_format("%s; what follows its first %" PRIu64 " events is missing", words,
						     reading->totals->events));
	free(words);
	return 0;
}

int trace_read(const char *dir, const struct trace_scope *scope, trace_callback callback, void *context,
	       struct trace_totals *totals, char **error)
{
	struct reading reading = {
		.dir = dir, .scope = scope, .callback = callback, .context = context, .totals = totals};
	const struct child_work work = {read_in_child, &reading, trace_settings.patience, &interrupted};
	const struct wire_taker taker = {&reading, take_event, take_text, take_progress, take_end, take_share};
	struct sigaction before[DEADLY];
	enum child_end end;
	int status = 0, result;

	*totals = (struct trace_totals){0};
	*error = NULL;
	interrupted = 0;
	put_off_death(before);
	under_way = 1;
	reading.limited = asked;
	reading.began = now();
	progress_begin(&reading.progress, trace_settings.silent);
	drawn = &reading.progress;
	end = reading.limited && had == 0 ? CHILD_interrupted : trace_child(&work, &taker, &status);
	if (reading.enough)
		end = CHILD_interrupted;
	progress_end(&reading.progress);
	drawn = NULL;
	under_way = 0;
	if (!reading.limited) {
		had = totals->events;
		took = now() - reading.began;
	}
	if (reading.copies)
		trace_stand_in_remove(reading.copies);
	let_die(before);
	result = conclude(&reading, end, status, error);
	free(reading.copies);
	free(reading.error);
	return result;
}
