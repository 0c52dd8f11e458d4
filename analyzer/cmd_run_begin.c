/* What is asked, and made, before the command may start. */
#include "analyzer/cmd_run_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/environment.h"
#include "analyzer/limited.h"
#include "analyzer/limits.h"
#include "analyzer/memory.h"
#include "analyzer/oom.h"
#include "analyzer/policy_load.h"
#include "analyzer/program.h"
#include "analyzer/secrets.h"

static int run_check_limits(void)
{
	char error[LIMITED_TEXT];

	return limits_lack(LIMITS_OF_run, error) ? run_failed(RUN_FAILED, memory_text(error)) : 0;
}

static int run_check_proc(void)
{
	const char *why = environment_proc();

	return why ? run_failed(RUN_FAILED, memory_text(why)) : 0;
}

static int run_find_program(struct run *run)
{
	const char *name = run->options.command[0];
	int r = program_find(name, run->program);
	char *why = NULL;

	if (r || (r = program_broken(run->program, &why))) {
		char *error = memory_format("cannot execute '%s': %s", name, why ?: strerror(r));

		free(why);
		return run_failed(r == ENOENT ? RUN_NOT_FOUND : RUN_REFUSED, error);
	}
	why = program_unseen(run->program, "", getuid(), getgid(), run->options.command);
	if (!why)
		return 0;
	if (run->options.allow_unseen) {
		free(why);
		return 0;
	}
	r = run_failed(RUN_REFUSED, memory_format("'%s' cannot be recorded: %s (--allow-unseen runs it all the same)",
						  run->program, why));
	free(why);
	return r;
}

/* A policy that the program would refuse to start with is refused before it starts. */
static int run_check_policy(struct run *run)
{
	const char *file = run->options.policy;
	struct policy *policy;

	if (!file)
		return 0;
	policy = policy_load_to_run(run->options.profile, file);
	if (!policy)
		return RUN_FAILED;
	run->secrets = secrets_describe(policy);
	free(policy);
	if (!realpath(file, run->policy))
		return run_failed(RUN_FAILED, memory_format("%s: %s", file, strerror(errno)));
	return 0;
}

int run_check(struct run *run)
{
	int r = run_check_limits();

	if (!r)
		r = run_check_proc();
	if (!r)
		r = run_check_policy(run);
	return r ?: run_find_program(run);
}

static int run_make_directory(struct run *run, char **error)
{
	const char *name = run->options.directory, *exe = strrchr(run->program, '/');
	char *path =
		name ? memory_text(name) : memory_format("shmguard.%s.%d", exe ? exe + 1 : run->program, (int)getpid());
	int r = directory_make(&run->directory, path, error);

	free(path);
	return r;
}

/* Short, as a socket's path has 108 bytes; searchable by all, as programs change their user and still leave notes. */
static int run_make_private(struct run *run, char **error)
{
	snprintf(run->private, sizeof(run->private), "/tmp/shmguard-XXXXXX");
	if (mkdtemp(run->private) && !chmod(run->private, 0711))
		return 0;
	*error = memory_format("%s: %s", run->private, strerror(errno));
	run->private[0] = '\0';
	return -1;
}

static int run_choose_id(struct run *run, char **error)
{
	while (!run->id) {
		if (getrandom(&run->id, sizeof(run->id), 0) != sizeof(run->id)) {
			*error = memory_format("getrandom: %s", strerror(errno));
			return -1;
		}
	}
	return 0;
}

int run_set_up(struct run *run)
{
	struct keeper_plan plan;
	char *error = NULL;
	bool kept = false;

	if (environment_find_libraries(run->library, run->provider, &error) || run_choose_id(run, &error) ||
	    run_make_directory(run, &error))
		return run_failed(RUN_FAILED, error);
	run->started = run_clock(CLOCK_REALTIME);
	run->clock = run_offset();
	run->oom_kills = oom_kills();
	if (!run_make_private(run, &error) && !run_describe(run, &error)) {
		run->notes = notes_open(run->private, run->directory.path, run->id, &error);
		plan = (struct keeper_plan){.recording = run->id,
					    .trace = run->directory.trace,
					    .private = run->private,
					    .notes = run->notes ? notes_path(run->notes) : NULL,
					    .provider = run->provider,
					    .started = run->started,
					    .max_size = run->options.max_size,
					    .flight = run->options.snapshot};
		kept = run->notes;
		run->session = run->notes ? session_begin(&plan, &error) : NULL;
	}
	if (run->session) {
		if (!run->options.quiet)
			notes_tell(run->notes);
		return 0;
	}
	if (run->notes)
		notes_close(run->notes, &run->problems);
	if (!kept && run->private[0])
		rmdir(run->private);
	directory_discard(&run->directory);
	return run_failed(RUN_FAILED, error);
}
