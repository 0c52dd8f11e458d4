#include "analyzer/output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int output_error;

bool output_failed(void)
{
	if (ferror(stdout) && !output_error)
		output_error = errno;
	return ferror(stdout);
}

/* Asked of the pipe, as the errno of a write long ago may be lost. */
static bool output_unread(void)
{
	struct pollfd poller = {.fd = STDOUT_FILENO};

	return poll(&poller, 1, 0) == 1 && (poller.revents & POLLERR);
}

/* Ends the process as the signal does. The first process of a container is not ended by it. */
static int output_die(int number)
{
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, number);
	signal(number, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
	raise(number);
	return 128 + number;
}

int output_end(int status, int failed)
{
	if (fflush(stdout) && !output_error)
		output_error = errno;
	if (!output_failed())
		return status;
	if (output_unread())
		return output_die(SIGPIPE);
	/* A second Ctrl-C, while nobody read what came of the first. */
	if (output_error == EINTR)
		return output_die(SIGINT);
	fprintf(stderr, "shmguard: the output could not be written: %s\n", strerror(output_error));
	return failed;
}
