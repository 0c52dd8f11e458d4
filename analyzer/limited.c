#include "analyzer/limited.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t limited_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void limited_child(int (*work)(const void *, char *), const void *context, int out)
{
	char error[LIMITED_TEXT] = "";
	int result = work(context, error);

	if (write(out, error, strlen(error) + 1) < 0)
		result = 125;
	_exit(result);
}

/* Reads the error text up to its end, which comes when the child is done; false when the time is over. */
static int limited_read(int in, int64_t until, char *error)
{
	size_t have = 0;

	for (;;) {
		struct pollfd ready = {.fd = in, .events = POLLIN};
		int64_t left = until - limited_now();
		ssize_t got;

		if (left <= 0)
			return 0;
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		got = read(in, error + have, LIMITED_TEXT - 1 - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	error[have] = '\0';
	return 1;
}

int limited(int seconds, int (*work)(const void *context, char *error), const void *context, char *error)
{
	int64_t until = limited_now() + (int64_t)seconds * 1000;
	int ends[2], status, finished;
	pid_t child;

	error[0] = '\0';
	if (pipe(ends) < 0) {
		snprintf(error, LIMITED_TEXT, "pipe: %s", strerror(errno));
		return -2;
	}
	child = fork();
	if (child < 0) {
		snprintf(error, LIMITED_TEXT, "fork: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return -2;
	}
	if (!child) {
		close(ends[0]);
		limited_child(work, context, ends[1]);
	}
	close(ends[1]);
	finished = limited_read(ends[0], until, error);
	close(ends[0]);
	if (!finished)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!finished)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}
