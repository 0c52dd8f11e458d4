/* A session daemon's start, state and end, for the files of daemon.h. */
#ifndef SHMGUARD_DAEMON_INNER_H
#define SHMGUARD_DAEMON_INNER_H

#include "analyzer/daemon.h"

#define DAEMON_PROGRAM "lttng-sessiond"

/* State letter and start time of a process out of /proc/PID/stat; 0 and 0 if there is none. */
char daemon_stat(pid_t pid, unsigned long long *started);

/* Waits until it says that it listens, which it does by SIGUSR1; blocked in the keeper. 0, or -1 as daemon_acquire(). */
int daemon_start(struct daemon *daemon, char *error);

/* The daemon and its consumers are one process group. `written`: all data is on disk. */
void daemon_stop(pid_t pid, bool written);

/* 5 ms. */
void daemon_pause(void);

/* As daemon_acquire() and daemon_release() of the machine's. */
int daemon_shared_acquire(struct daemon *daemon, char *error);
/* Nobody else's session may be in it. */
bool daemon_shared_release(struct daemon *daemon, bool written);

#endif
