/* The command: its start, its end and its stops, and the signals that are sent to run but meant for it. */
#ifndef SHMGUARD_CHILD_H
#define SHMGUARD_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "analyzer/kept.h"

struct child {
	pid_t pid; /* 0: not started */
	bool ended;
	int status;  /* of wait(2), once it has ended */
	int signals; /* signalfd(2) of all signals */
	/* As run was started with, and as the command shall be. */
	sigset_t mask;
	struct sigaction on_child;
	struct kept kept;
	/* Children that run had before it began, as a shell that execs it may have: no descendants of the command. */
	pid_t *elders;
	size_t elder_count;
	bool others; /* seen in a look at the children */
};

/* Blocks all signals and makes run the one that orphaned descendants come to. 0 or an errno. */
int child_prepare(struct child *child);

/* Undoes the blocking. */
void child_release(struct child *child);

/* Starts the command with that environment; 0 or the errno of fork or exec. */
int child_start(struct child *child, char *const *arguments, char **environment);

/* A signal that came to run: handed on if the command has not got it as well. */
void child_signal(const struct child *child, const struct signalfd_siginfo *info);

/*
 * Collects what has ended and calls ended() for each. Stops run when the command has been stopped, and returns when both
 * are continued. False when no descendant is left.
 */
bool child_collect(struct child *child, void (*ended)(void *context, pid_t pid, int status), void *context);

/* As a shell has it: the command's exit status, or 128 and the signal that killed it. */
int child_exit_status(const struct child *child);

#endif
