/* Whatever becomes of the child that reads a trace, what it told before is kept, and the rest is a sentence. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/memory.h"
#include "analyzer/trace_child.h"

#define TOLD 1000

static int number, failures;
static volatile sig_atomic_t interrupted;

struct taken {
	uint64_t events, skipped;
	int stop_after; /* 0: never */
	bool ended, right;
};

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static int take_event(void *context, const struct trace_event *event)
{
	struct taken *taken = context;
	const struct object_event *object = &event->event.object;

	taken->events++;
	taken->right = event->id == EVENT_object && strcmp(event->host, "here") == 0 &&
		       strcmp(object->name, "/name") == 0 && object->ino == taken->events;
	return taken->stop_after && taken->events >= (uint64_t)taken->stop_after ? -1 : 0;
}

static void take_text(void *context, enum wire_text type, const char *text)
{
	(void)context, (void)type, (void)text;
}

static void take_progress(void *context, uint64_t done, uint64_t total)
{
	(void)context, (void)done, (void)total;
}

static void take_end(void *context, int result, const struct trace_totals *totals)
{
	struct taken *taken = context;

	taken->ended = result == 0 && totals->events == TOLD;
}

static void take_share(void *context, const struct trace_share *share)
{
	struct taken *taken = context;

	if (strcmp(share->path, "/where") == 0 && share->bytes == 1 && share->missing == 2)
		taken->skipped += share->skipped;
}

static void tell(struct wire_out *out)
{
	struct trace_event event = {.id = EVENT_object, .host = "here", .event.object.name = "/name"};

	for (int i = 1; i <= TOLD; i++) {
		event.event.object.ino = (uint64_t)i;
		wire_event(out, &event);
	}
}

static void work_well(void *context, struct wire_out *out)
{
	(void)context;
	tell(out);
	wire_share(out, &(struct trace_share){.path = (char *)"/where", .bytes = 1, .missing = 2, .skipped = TOLD});
	wire_end(out, 0, &(struct trace_totals){.events = TOLD});
}

static void work_and_crash(void *context, struct wire_out *out)
{
	(void)context;
	tell(out);
	raise(SIGSEGV);
}

static void work_and_loop(void *context, struct wire_out *out)
{
	(void)context;
	tell(out);
	for (;;)
		__asm__ volatile("");
}

static void work_and_stop(void *context, struct wire_out *out)
{
	(void)context;
	tell(out);
	raise(SIGSTOP);
}

static void work_and_babble(void *context, struct wire_out *out)
{
	unsigned state = *(unsigned *)context;

	tell(out);
	for (;; state = state * 1103515245 + 12345)
		if (write(out->fd, &state, sizeof(state)) < 0)
			_exit(1);
}

static int64_t patience = 300000000;

static enum child_end run(void (*work)(void *, struct wire_out *), struct taken *taken, int *status, void *context)
{
	const struct wire_taker taker = {taken, take_event, take_text, take_progress, take_end, take_share};
	const struct child_work child = {work, context, patience, &interrupted};

	return trace_child(&child, &taker, status);
}

static bool says(enum child_end end, int status, const char *text)
{
	char *words = trace_child_words(end, status);
	bool found = strstr(words, text) != NULL;

	if (!found)
		printf("# %s\n", words);
	free(words);
	return found;
}

static void check_ends(void)
{
	struct taken taken = {0};
	int status = 0;
	enum child_end end = run(work_well, &taken, &status, NULL);

	check(end == CHILD_exited && status == 0 && taken.ended && taken.events == TOLD && taken.skipped == TOLD &&
		      taken.right,
	      "what the child tells arrives");
	taken = (struct taken){0};
	end = run(work_and_crash, &taken, &status, NULL);
	check(end == CHILD_exited && !taken.ended && says(end, status, "signal 11"), "a crash is told");
	check(taken.events == TOLD && taken.right, "what came before a crash is kept");
	taken = (struct taken){0};
	end = run(work_and_loop, &taken, &status, NULL);
	check(end == CHILD_stalled && says(end, status, "stood still"), "an endless loop is given up");
	check(taken.events == TOLD && taken.right, "what came before an endless loop is kept");
	taken = (struct taken){0};
	end = run(work_and_stop, &taken, &status, NULL);
	check(end == CHILD_stalled, "a child that does not even take a signal is given up");
	taken = (struct taken){.stop_after = 10};
	end = run(work_and_loop, &taken, &status, NULL);
	check(end == CHILD_stopped && taken.events == 10, "the callback can stop it");
	interrupted = 1;
	taken = (struct taken){0};
	end = run(work_and_loop, &taken, &status, NULL);
	interrupted = 0;
	check(end == CHILD_interrupted, "a signal can stop it");
}

/* It tells more than the pipe takes, for as long as it lives. */
static void work_until_killed(void *context, struct wire_out *out)
{
	struct trace_event event = {.id = EVENT_object, .host = "here", .event.object.name = "/name"};
	struct sigevent notice = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGSEGV};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &notice, &timer) ||
	    timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_nsec = *(long *)context}, NULL))
		_exit(1);
	for (;;) {
		event.event.object.ino++;
		wire_event(out, &event);
	}
}

/* Slower than the child. */
static int take_in_order(void *context, const struct trace_event *event)
{
	struct taken *taken = context;
	uint64_t before = taken->events;
	bool right = before == 0 || taken->right;

	take_event(context, event);
	taken->right &= right;
	if (taken->events % TOLD == 0)
		usleep(100);
	return 0;
}

static void check_killed(void)
{
	bool good = true;

	for (long after = 1000000; good && after < 40000000; after += 1300000) {
		struct taken taken = {0};
		const struct wire_taker taker = {&taken, take_in_order, take_text, take_progress, take_end, take_share};
		const struct child_work child = {work_until_killed, &after, patience * 10, &interrupted};
		int status = 0;
		enum child_end end = trace_child(&child, &taker, &status);

		good &= end == CHILD_exited && says(end, status, "signal 11") && (!taken.events || taken.right);
	}
	check(good, "a signal that comes at any moment is told, and what came before it is kept, once");
}

static void check_nonsense(void)
{
	bool good = true;

	for (unsigned seed = 1; seed <= 20; seed++) {
		struct taken taken = {0};
		int status = 0;
		enum child_end end = run(work_and_babble, &taken, &status, &seed);

		good &= end == CHILD_nonsense || end == CHILD_stalled;
	}
	check(good, "nonsense ends it");
}

#ifndef __SANITIZE_ADDRESS__
static void work_and_eat(void *context, struct wire_out *out)
{
	(void)context;
	(void)out;
	for (;;)
		memory_new(64, 1 << 20);
}

static void check_memory(void)
{
	struct taken taken = {0};
	int status = 0;
	enum child_end end;

	/* It takes a while. */
	patience *= 100;
	end = run(work_and_eat, &taken, &status, NULL);

	check(end == CHILD_exited && says(end, status, "more memory than it may have"), "its memory is bounded");
}
#else
static void check_memory(void)
{
}
#endif

int main(void)
{
	check_ends();
	check_killed();
	check_nonsense();
	check_memory();
	printf("1..%d\n", number);
	return failures != 0;
}
