#include "analyzer/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/memory.h"

struct session {
	pid_t keeper;
	int socket; /* -1: the keeper has closed its end */
	char line[1024];
	size_t have;
};

/*
 * A child that sends no signal when it ends is passed over by wait(2) without __WALL: so ECHILD means that all
 * descendants of the command have ended, keeper or no keeper.
 */
static pid_t session_fork(void)
{
	return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
}

/* Reads more; false at the end. `line` keeps what is not yet a whole line. */
static bool session_read(struct session *session, int milliseconds)
{
	struct pollfd ready = {.fd = session->socket, .events = POLLIN};
	ssize_t got;

	if (session->socket < 0)
		return false;
	if (poll(&ready, 1, milliseconds) <= 0)
		return true;
	got = recv(session->socket, session->line + session->have, sizeof(session->line) - 1 - session->have, 0);
	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0) {
		close(session->socket);
		session->socket = -1;
		return false;
	}
	session->have += (size_t)got;
	session->line[session->have] = '\0';
	return true;
}

/* Takes the first whole line out; NULL if there is none. */
static char *session_line(struct session *session)
{
	char *end = memchr(session->line, '\n', session->have), *line;

	if (!end)
		return NULL;
	*end = '\0';
	line = memory_text(session->line);
	session->have -= (size_t)(end + 1 - session->line);
	memmove(session->line, end + 1, session->have);
	return line;
}

static void session_free(struct session *session)
{
	if (session->socket >= 0)
		close(session->socket);
	kill(session->keeper, session->socket >= 0 ? SIGKILL : 0);
	while (waitpid(session->keeper, NULL, __WALL) < 0 && errno == EINTR)
		;
	free(session);
}

static double session_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 0 when ready. */
static int session_wait_ready(struct session *session, char **error)
{
	double until = session_now() + KEEPER_START_SECONDS;
	char *line = NULL;
	int r = -1;

	while (!line && session_now() < until && session_read(session, 1000))
		line = session_line(session);
	if (!line)
		*error = memory_text("the recording could not be set up in time");
	else if (strcmp(line, KEEPER_READY) == 0)
		r = 0;
	else if (strncmp(line, KEEPER_FAILED, strlen(KEEPER_FAILED)) == 0)
		*error = memory_text(line + strlen(KEEPER_FAILED));
	else
		*error = memory_text(line);
	free(line);
	/* It closes its end when it has cleaned up. */
	while (r && session_now() < until && session_read(session, 1000))
		;
	return r;
}

struct session *session_begin(const struct keeper_plan *plan, char **error)
{
	struct session *session = memory_new(1, sizeof(*session));
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		*error = memory_format("socketpair: %s", strerror(errno));
		free(session);
		return NULL;
	}
	session->keeper = session_fork();
	if (session->keeper < 0) {
		*error = memory_format("fork: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		free(session);
		return NULL;
	}
	if (!session->keeper) {
		close(ends[0]);
		keeper_main(plan, ends[1]);
	}
	close(ends[1]);
	session->socket = ends[0];
	if (session_wait_ready(session, error)) {
		session_free(session);
		return NULL;
	}
	return session;
}

int session_descriptor(const struct session *session)
{
	return session->socket;
}

static void session_tell(struct session *session, struct problems *problems)
{
	char *line;

	while ((line = session_line(session))) {
		if (strncmp(line, KEEPER_TROUBLE, strlen(KEEPER_TROUBLE)) == 0)
			problems_add(problems, "%s", line + strlen(KEEPER_TROUBLE));
		else if (strncmp(line, KEEPER_GONE, strlen(KEEPER_GONE)) == 0 && !problems->gone)
			problems->gone = strtoll(line + strlen(KEEPER_GONE), NULL, 10);
		free(line);
	}
}

void session_look(struct session *session, struct problems *problems)
{
	if (!session_read(session, 0))
		problems_add(problems, "the process that keeps the recording was killed: nothing is recorded any more");
	session_tell(session, problems);
}

static bool session_send(const struct session *session, char byte)
{
	return session->socket >= 0 && send(session->socket, &byte, 1, MSG_NOSIGNAL) == 1;
}

void session_shoot(struct session *session)
{
	/* A keeper that is gone is told of by session_look. */
	(void)!session_send(session, KEEPER_SHOT);
}

void session_end(struct session *session, struct problems *problems)
{
	double until = session_now() + KEEPER_STOP_SECONDS;

	if (session_send(session, KEEPER_END)) {
		while (session_now() < until && session_read(session, 1000))
			session_tell(session, problems);
		session_tell(session, problems);
		if (session->socket >= 0)
			problems_add(problems, "the recording could not be ended in time");
	}
	session_free(session);
}
