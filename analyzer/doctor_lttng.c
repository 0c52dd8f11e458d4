/* Whether a recording can be made here. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/doctor.h"
#include "analyzer/environment.h"
#include "analyzer/limited.h"
#include "analyzer/lttng_control.h"
#include "analyzer/memory.h"
#include "analyzer/problems.h"
#include "analyzer/program.h"
#include "analyzer/session.h"

#define DAEMON_PROGRAM "lttng-sessiond"
#define DAEMON_PIDFILE "/run/lttng/lttng-sessiond.pid"

enum { LOAD_SECONDS = 10, ALIVE_SECONDS = 2 };

/* In a child: LTTng starts threads in whoever loads it. */
static int lttng_load(const void *context, char *error)
{
	static const char *const libraries[] = {"liblttng-ust.so.1", "libunwind.so.8"};

	(void)context;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (!dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL)) {
			snprintf(error, LIMITED_TEXT, "%s", dlerror());
			return 1;
		}
	return 0;
}

/* False: it is not installed. */
static bool lttng_daemon(char path[PATH_MAX])
{
	return !program_find(DAEMON_PROGRAM, path) || !program_find("/usr/bin/" DAEMON_PROGRAM, path);
}

enum fitness doctor_lttng(const struct surroundings *at, struct answer *answer)
{
	char path[PATH_MAX], preload[PATH_MAX], provider[PATH_MAX], error[LIMITED_TEXT], *problem = NULL;
	int r;

	(void)at;
	if (!lttng_daemon(path))
		return doctor_found(answer, FITNESS_bad, DAEMON_PROGRAM " is not installed");
	doctor_words(answer, "daemon", path);
	r = limited(LOAD_SECONDS, lttng_load, NULL, error);
	if (r)
		return doctor_found(answer, FITNESS_bad, "%s", r > 0 ? error : "liblttng-ust cannot be loaded");
	if (environment_find_libraries(preload, provider, &problem)) {
		answer->change = memory_text("make install");
		doctor_found(answer, FITNESS_bad, "%s", problem);
		free(problem);
		return FITNESS_bad;
	}
	return doctor_found(answer, FITNESS_ok, "%s, liblttng-ust, libunwind, and our libraries", path);
}

/* 'T': it is stopped. */
static char process_state(uint64_t pid)
{
	char path[64], line[512];
	const char *end;

	snprintf(path, sizeof(path), "/proc/%ju/stat", (uintmax_t)pid);
	if (doctor_line(path, line, sizeof(line)))
		return '?';
	end = strrchr(line, ')');
	return end && end[1] ? end[2] : '?';
}

int doctor_daemon_answer(void)
{
	char error[LIMITED_TEXT];
	int r = geteuid() ? 1 : limited(ALIVE_SECONDS, lttng_control_alive, NULL, error);

	/* The kernel takes the connection for a daemon that is stopped; only to a question the daemon itself answers. */
	if (!r && limited(ALIVE_SECONDS, lttng_control_idle, NULL, error) < 0)
		r = -1;
	return r;
}

enum fitness doctor_daemon(const struct surroundings *at, struct answer *answer)
{
	uint64_t pid = 0;

	if (geteuid())
		return FITNESS_aside;
	if (doctor_number(DAEMON_PIDFILE, &pid))
		pid = 0;
	doctor_value(answer, "pid", pid && at->daemon <= 0 ? pid : UINT64_MAX);
	doctor_truth(answer, "answers", !at->daemon);
	if (at->daemon > 0)
		return doctor_found(answer, FITNESS_ok, "none runs, a recording starts one");
	if (!at->daemon)
		return doctor_found(answer, FITNESS_ok, "pid %ju answers", (uintmax_t)pid);
	if (pid && process_state(pid) == 'T') {
		answer->change = memory_format("kill -CONT %ju", (uintmax_t)pid);
		return doctor_found(answer, FITNESS_bad, "pid %ju is stopped (SIGSTOP)", (uintmax_t)pid);
	}
	answer->change = memory_text("systemctl restart lttng-sessiond");
	return doctor_found(answer, FITNESS_bad, "pid %ju does not answer within %d seconds", (uintmax_t)pid,
			    ALIVE_SECONDS);
}

/* A recording without a program. NULL: it could be set up; else why not, for free(3). */
static char *recording_try(const char *provider)
{
	char private[] = "/tmp/shmguard-XXXXXX", *trace, *error = NULL;
	struct keeper_plan plan = {.private = private, .provider = provider};
	struct problems problems = {.quiet = true};
	struct session *session;
	sigset_t all, before;

	if (getrandom(&plan.recording, sizeof(plan.recording), 0) != sizeof(plan.recording) || !mkdtemp(private))
		return memory_format("/tmp: %s", strerror(errno));
	/* The keeper removes it with the private directory. */
	trace = memory_format("%s/trace", private);
	plan.trace = trace;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	session = mkdir(trace, 0700) ? NULL : session_begin(&plan, &error);
	if (session)
		session_end(session, &problems);
	else if (!error)
		error = memory_format("%s: %s", trace, strerror(errno));
	sigprocmask(SIG_SETMASK, &before, NULL);
	problems_free(&problems);
	free(trace);
	return error;
}

/* Where the buffers do not fit anywhere a larger /run takes them. */
static char *recording_change(const char *problem)
{
	struct statfs run;

	if (geteuid() || strncmp(problem, "no room", 7) != 0 || statfs("/run", &run) || run.f_type != TMPFS_MAGIC)
		return NULL;
	return memory_text("mount -o remount,size=50% /run");
}

enum fitness doctor_recording(const struct surroundings *at, struct answer *answer)
{
	char daemon[PATH_MAX], preload[PATH_MAX], provider[PATH_MAX], *problem = NULL;
	const char *proc = environment_proc();

	/* That the daemon is missing or hangs is told above, and the latter would take a long time. */
	if (!lttng_daemon(daemon) || at->daemon < 0)
		return FITNESS_aside;
	/* Of a daemon that was started nobody could tell that it is ours. */
	if (proc)
		problem = memory_text(proc);
	else if (!environment_find_libraries(preload, provider, &problem))
		problem = recording_try(provider);
	doctor_truth(answer, "recorded", !problem);
	if (!problem)
		return doctor_found(answer, FITNESS_ok, "a session with its buffers was set up");
	answer->change = recording_change(problem);
	doctor_found(answer, FITNESS_bad, "%s", problem);
	free(problem);
	return FITNESS_bad;
}
