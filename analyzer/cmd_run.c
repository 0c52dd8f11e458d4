#include "analyzer/cmd_run_inner.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "analyzer/environment.h"
#include "analyzer/escape.h"
#include "analyzer/handover.h"
#include "analyzer/leftovers.h"
#include "analyzer/memory.h"
#include "analyzer/secrets.h"
#include "analyzer/report.h"
#include "analyzer/trace_reader.h"

/* Milliseconds between two looks at the notes. */
#define LOOK_INTERVAL 100
/* Milliseconds after which the person is told that only descendants of the command are still there. */
#define PATIENCE 1000
/* Bytes on the disk, below which LTTng, which tells nobody what it could not write, may have found too few. */
#define ROOM_LITTLE (64 * UINT64_C(1024))
/* Of which the one that was not interrupted tells what two clocks are apart. */
#define OFFSET_TRIES 10

int64_t run_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t run_offset(void)
{
	int64_t best = INT64_MAX, offset = 0;

	for (int i = 0; i < OFFSET_TRIES; i++) {
		int64_t before = run_clock(CLOCK_MONOTONIC), time = run_clock(CLOCK_REALTIME),
			taken = run_clock(CLOCK_MONOTONIC) - before;

		if (taken >= best)
			continue;
		best = taken;
		offset = time - before - taken / 2;
	}
	return offset;
}

/* Names of programs and directories are in it. Frees it. */
static void run_say(char *text)
{
	char *safe = escape_terminal(text);

	fprintf(stderr, "shmguard: %s\n", safe);
	free(safe);
	free(text);
}

int run_failed(int status, char *error)
{
	run_say(error);
	return status;
}

static int run_start(struct run *run)
{
	struct environment environment = {
		.recording = run->id,
		.library = run->library,
		.notes = notes_path(run->notes),
		.notes_socket = notes_socket(run->notes),
		.on_sigbus = run->options.survive ? "survive" : NULL,
		.profile = run->options.profile,
		.policy = run->policy[0] ? run->policy : NULL,
		.lttng_home = geteuid() ? run->private : NULL,
	};
	char **made = environment_make(&environment);
	int r = child_start(&run->child, run->options.command, made);

	environment_free(made);
	if (!r) {
		handover_descriptors(run->options.report);
		notes_started(run->notes, run->child.pid, run->program);
		return 0;
	}
	return run_failed(r == ENOENT ? RUN_NOT_FOUND : RUN_REFUSED,
			  memory_format("cannot execute '%s': %s", run->options.command[0], strerror(r)));
}

static void run_reaped(void *context, pid_t pid, int status)
{
	struct run *run = context;

	notes_reaped(run->notes, pid, status);
}

/* Takes the signals that have come. A request to end that comes after the command's end is for us. */
static void run_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->child.signals, &info, sizeof(info)) == sizeof(info)) {
		child_signal(&run->child, &info);
		switch (info.ssi_signo) {
		case SIGINT:
		case SIGTERM:
		case SIGHUP:
		case SIGQUIT:
			if (run->child.ended)
				run->cut = true;
			break;
		}
	}
}

static void run_look(struct run *run)
{
	struct pollfd ready[] = {
		{.fd = run->child.signals, .events = POLLIN},
		{.fd = notes_descriptor(run->notes), .events = POLLIN},
		{.fd = session_descriptor(run->session), .events = POLLIN},
	};

	poll(ready, sizeof(ready) / sizeof(ready[0]), LOOK_INTERVAL);
	run_signals(run);
	notes_look(run->notes);
	if (run->options.snapshot)
		shots_look(&run->shots, run->notes, run->session);
	if (ready[2].revents)
		session_look(run->session, &run->problems);
}

/* Until the command, and unless told otherwise all that came of it, have ended. */
static void run_record(struct run *run)
{
	int64_t ended = 0;
	bool told = run->options.quiet;

	while (child_collect(&run->child, run_reaped, run) && !run->cut) {
		if (run->child.ended && run->options.until_command)
			break;
		if (run->child.ended && !ended)
			ended = run_clock(CLOCK_MONOTONIC);
		if (ended && !told && run_clock(CLOCK_MONOTONIC) - ended > PATIENCE * INT64_C(1000000)) {
			run_say(memory_format("'%s' has ended, but processes that it started have not; Ctrl-C ends the "
					      "recording",
					      run->options.command[0]));
			told = true;
		}
		run_look(run);
	}
	if (run->cut)
		problems_add(&run->problems, "the recording was ended while processes of the command still ran");
}

/* The look says whose it is, as files are mixed up. NULL: *error says why. */
static json_t *run_look_at_shm(const struct run *run, char **error)
{
	json_t *look = leftovers_look(error);

	json_object_set_new(look, "recording", json_sprintf("%08x", run->id));
	return look;
}

/* What was there before the program is not the program's. Without that look some findings cannot be made. */
static void run_look_before(struct run *run)
{
	char *error = NULL;
	json_t *found = run_look_at_shm(run, &error);

	if (found && !directory_write(&run->directory, "shm-before.json", found, &error))
		return;
	run->unlooked = true;
	problems_add(&run->problems, "%s", error);
	free(error);
}

static void run_look_at_room(struct run *run)
{
	struct statvfs disk;
	uint64_t left;

	if (statvfs(run->directory.path, &disk) || !disk.f_blocks)
		return;
	left = (uint64_t)(geteuid() ? disk.f_bavail : disk.f_bfree) * disk.f_frsize;
	if (left < ROOM_LITTLE)
		problems_add(&run->problems, "%s has %llu bytes left on its disk: the trace may be cut short (%s)",
			     run->directory.path, (unsigned long long)left, strerror(ENOSPC));
}

/* 0, or RUN_FAILED when the recording could not be completed. */
static int run_finish(struct run *run)
{
	char *error = NULL;
	json_t *left = run_look_at_shm(run, &error);
	int r = 0;

	secrets_look(run->secrets, left);
	notes_look(run->notes);
	session_end(run->session, &run->problems);
	run_look_at_room(run);
	run->ended = run_clock(CLOCK_REALTIME);
	notes_look(run->notes);
	shots_look(&run->shots, run->notes, NULL);
	notes_close(run->notes, &run->problems);
	if (!left || directory_write(&run->directory, "shm.json", left, &error)) {
		problems_add(&run->problems, "%s", error);
		free(error);
		r = left ? RUN_FAILED : 0;
	}
	if (run_describe(run, &error))
		r = run_failed(RUN_FAILED, error);
	return r;
}

/* 0, or RUN_FAILED; *verdict as report_recording has it. */
static int run_report(struct run *run, struct report_verdict *verdict)
{
	const struct report_options options = {.save_symbols = true};
	const char *name = run->options.report;
	bool silent = name ? strcmp(name, "none") == 0 : run->options.quiet;
	FILE *out = stderr;
	bool lost;
	int r;

	if (silent)
		out = fopen("/dev/null", "we");
	else if (name)
		out = fopen(name, "we");
	if (!out)
		return run_failed(RUN_FAILED, memory_format("cannot write the report to %s: %s",
							    silent ? "/dev/null" : name, strerror(errno)));
	r = report_recording(run->directory.path, &options, out, verdict) == REPORT_DONE ? 0 : RUN_FAILED;
	lost = fflush(out) || ferror(out);
	if (out != stderr && fclose(out))
		lost = true;
	if (lost && !r)
		r = run_failed(RUN_FAILED, memory_format("cannot write the report to %s: %s", name ?: "standard error",
							 strerror(errno)));
	return r;
}

/* --snapshot-on: some errors show only now. Without any, as far as all was read, there is nothing to keep. */
static int run_keep_errors(struct run *run, const struct report_verdict *verdict)
{
	char *error = NULL;

	if (!run->options.snapshot || run->shots.errors || !verdict->whole || verdict->worst == SEVERITY_ERROR)
		return 0;
	directory_empty_trace(&run->directory);
	run->emptied = true;
	if (!run->options.quiet)
		fputs("shmguard: there was no error, so no trace is kept\n", stderr);
	return run_describe(run, &error) ? run_failed(RUN_FAILED, error) : 0;
}

/* The signal that asked run to end while it was still setting up; 0 if none did. */
static int run_interrupted(const struct run *run)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigismember(&pending, ending[i]) && !sigismember(&run->child.mask, ending[i]))
			return ending[i];
	return 0;
}

/*
 * Signals are no longer the command's. Ctrl-C ends the reading, but one that came before that was for the recording. That
 * nobody reads stderr any more ends nothing: the report may go into a file, and the command's status is to be passed on.
 */
static void run_release(struct run *run)
{
	const struct timespec now = {0};
	sigset_t interrupt;

	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigtimedwait(&interrupt, NULL, &now);
	signal(SIGPIPE, SIG_IGN);
	trace_interruptible();
	child_release(&run->child);
}

static int run_recorded(struct run *run)
{
	struct report_verdict verdict = {SEVERITY_NOTE, false};
	int interrupted = run_interrupted(run), r, status;

	run_look_before(run);
	r = interrupted ? 128 + interrupted : run_start(run);
	if (r) {
		session_end(run->session, &run->problems);
		notes_close(run->notes, &run->problems);
		directory_discard(&run->directory);
		return r;
	}
	run_record(run);
	r = run_finish(run);
	run_release(run);
	if (!r && !run->options.quiet)
		run_say(memory_format("recorded in %s", run->directory.path));
	r = run_report(run, &verdict) ?: r;
	r = run_keep_errors(run, &verdict) ?: r;
	status = child_exit_status(&run->child);
	if (!status && r)
		return r;
	if (!status && verdict.worst == SEVERITY_ERROR)
		return run->options.error_exitcode;
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct run *run = memory_new(1, sizeof(*run));
	int r;

	if (run_options_parse(&run->options, argc, argv)) {
		free(run);
		return RUN_FAILED;
	}
	if (run->options.help) {
		free(run);
		return 0;
	}
	run->problems.quiet = run->options.quiet;
	r = run_check(run);
	if (!r && (r = child_prepare(&run->child)))
		r = run_failed(RUN_FAILED, memory_format("cannot take charge of signals: %s", strerror(r)));
	if (!r)
		r = run_set_up(run);
	if (!r)
		r = run_recorded(run);
	problems_free(&run->problems);
	json_decref(run->secrets);
	free(run);
	return r;
}
