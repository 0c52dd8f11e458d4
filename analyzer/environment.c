#include "analyzer/environment.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "analyzer/aside.h"
#include "analyzer/memory.h"
#include "tracepoints/environment.h"

/*
 * Milliseconds that a program's first event waits for the session daemon, which is known to run. The daemon registers one
 * process after the other: of 200 that began at once on 2 processors the last waited for 3.5 s, and with 2 s 76 of them
 * recorded nothing; of 100 that forked at once on a machine with eight times its load, 24 s. LTTng's default is 3 s; 0 loses
 * all of a short program. A daemon that is stopped holds up a program as long, until the keeper sees it (NOTES_CLOSED), and
 * gives up one of ours; -1 would hang them with the machine's.
 */
#define REGISTER_TIMEOUT "30000"

extern char **environ;

static const char *const carried[] = {
#define CARRIED_NAME(name) name,
	ENVIRONMENT_CARRIED(CARRIED_NAME)
#undef CARRIED_NAME
};

int environment_find_libraries(char preload[PATH_MAX], char tracepoints[PATH_MAX], char **error)
{
	static const char *const places[] = {"", "../lib/shmguard/"};
	char exe[PATH_MAX], at[PATH_MAX + 64];
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	/* Without /proc: as the kernel was told, which is right as long as nobody has changed directory. */
	if (length < 0 && !realpath((const char *)getauxval(AT_EXECFN), exe)) {
		*error = memory_format("/proc/self/exe: %s", strerror(errno));
		return -1;
	}
	if (length >= 0)
		exe[length] = '\0';
	strrchr(exe, '/')[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(at, sizeof(at), "%s%s%s", exe, places[i], LIBRARY_TRACEPOINTS);
		if (access(at, R_OK) || !realpath(at, tracepoints))
			continue;
		snprintf(at, sizeof(at), "%s%s%s", exe, places[i], LIBRARY_PRELOAD);
		if (access(at, R_OK) || !realpath(at, preload))
			continue;
		if (!strpbrk(preload, " :"))
			return 0;
		*error = memory_format("%s: LD_PRELOAD cannot hold a path with a blank or a colon", preload);
		return -1;
	}
	*error = memory_format("%s and %s are neither in %s nor in %s../lib/shmguard", LIBRARY_PRELOAD,
			       LIBRARY_TRACEPOINTS, exe, exe);
	return -1;
}

static bool environment_is(const char *entry, const char *name)
{
	size_t length = strlen(name);

	return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static bool environment_replaced(const struct environment *environment, const char *entry)
{
	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++)
		if (environment_is(entry, carried[i]))
			return environment->lttng_home || strcmp(carried[i], "LTTNG_HOME");
	return environment_is(entry, "LD_PRELOAD");
}

char **environment_make(const struct environment *environment)
{
	const char *preload = aside_preload();
	size_t count = 0, made = 0;
	char **result;

	while (environ[count])
		count++;
	result = memory_new(count + 12, sizeof(*result));
	for (size_t i = 0; i < count; i++)
		if (!environment_replaced(environment, aside_entry(environ[i])))
			result[made++] = memory_text(aside_entry(environ[i]));
	result[made++] = memory_format("LD_PRELOAD=%s%s%s", environment->library, preload && *preload ? ":" : "",
				       preload ? preload : "");
	result[made++] = memory_format("%s=%08x", ENVIRONMENT_RECORDING, environment->recording);
	result[made++] = memory_format("%s=%s", ENVIRONMENT_NOTES, environment->notes);
	result[made++] = memory_format("%s=%s", ENVIRONMENT_NOTES_SOCKET, environment->notes_socket);
	result[made++] = memory_text("LTTNG_UST_REGISTER_TIMEOUT=" REGISTER_TIMEOUT);
	/* Else LTTng reads the headers of all modules when it is loaded and after each fork, which we tell by ourselves. */
	result[made++] = memory_text("LTTNG_UST_WITHOUT_BADDR_STATEDUMP=1");
	if (environment->on_sigbus)
		result[made++] = memory_format("%s=%s", ENVIRONMENT_ON_SIGBUS, environment->on_sigbus);
	if (environment->profile)
		result[made++] = memory_format("%s=%s", ENVIRONMENT_PROFILE, environment->profile);
	if (environment->policy)
		result[made++] = memory_format("%s=%s", ENVIRONMENT_POLICY, environment->policy);
	if (environment->lttng_home)
		result[made++] = memory_format("LTTNG_HOME=%s", environment->lttng_home);
	return result;
}

void environment_address(char **environment, pid_t run)
{
	/* Of each the program heeds none but that with its own process id: see sd_listen_fds(3), systemd.exec(5). */
	static const char *const addressed[] = {"LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"};

	for (size_t i = 0; i < sizeof(addressed) / sizeof(addressed[0]); i++) {
		char *to_run = memory_format("%s=%d", addressed[i], (int)run);

		for (char **entry = environment; *entry; entry++)
			if (strcmp(*entry, to_run) == 0) {
				free(*entry);
				*entry = memory_format("%s=%d", addressed[i], (int)getpid());
			}
		free(to_run);
	}
}

void environment_free(char **environment)
{
	for (size_t i = 0; environment[i]; i++)
		free(environment[i]);
	free(environment);
}

const char *environment_proc(void)
{
	char self[24];
	ssize_t length = readlink("/proc/self", self, sizeof(self) - 1);

	self[length > 0 ? length : 0] = '\0';
	if (length <= 0)
		return "/proc is not mounted: LTTng and the recording need it";
	return strtol(self, NULL, 10) == getpid() ? NULL
						  : "/proc shows the processes of another pid namespace: mount this "
						    "one's (mount -t proc proc /proc)";
}
