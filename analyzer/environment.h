/* The environment that the command is started with: run's own, and what brings the preload into it. */
#ifndef SHMGUARD_ENVIRONMENT_MAKER_H
#define SHMGUARD_ENVIRONMENT_MAKER_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

struct environment {
	uint32_t recording;
	const char *library; /* the preload's path */
	const char *notes;   /* file, and socket's name */
	const char *notes_socket;
	const char *on_sigbus;  /* for ENVIRONMENT_ON_SIGBUS, or NULL */
	const char *profile;    /* NULL: none */
	const char *policy;     /* absolute path; NULL: none */
	const char *lttng_home; /* NULL: as it is */
};

/*
 * Finds the preload and the library that it emits events through, beside the executable or in ../lib/shmguard. 0, or -1
 * and *error, a line for free(3).
 */
int environment_find_libraries(char preload[PATH_MAX], char tracepoints[PATH_MAX], char **error);

/* An array for execve(2), to be freed by environment_free. */
char **environment_make(const struct environment *environment);
void environment_free(char **environment);

/* In the command's process: what a service manager meant for the process that it started, which is run, is the command's. */
void environment_address(char **environment, pid_t run);

/* Why /proc is of no use to a recording: LTTng's daemons are watched there, and processes named by it. NULL: it is. */
const char *environment_proc(void);

#endif
