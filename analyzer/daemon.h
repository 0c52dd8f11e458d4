/*
 * The session daemon of a recording. An ordinary user gets one of his own that lives in the recording's private directory
 * and dies with the keeper. There can be only one for root on a machine, so root uses the one that runs, or starts one
 * that the last recording stops.
 */
#ifndef SHMGUARD_DAEMON_H
#define SHMGUARD_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define DAEMON_PATH (PATH_MAX + 64)

struct daemon {
	bool shared;         /* the machine's */
	const char *private; /* the recording's private directory */
	pid_t pid;           /* 0: unknown */
	bool ours;           /* this recording has started it */
	int use_lock;        /* shared: held while this recording uses the daemon */
	pid_t consumer;      /* its child that writes the trace; 0: unknown */
	unsigned long long consumer_started;
};

/*
 * 0, or -1 with one line in `error` (LIMITED_TEXT bytes). Takes up to ten seconds. This process has the limit of descriptors
 * that the daemon is to have from then on, as far as it may.
 */
int daemon_acquire(struct daemon *daemon, const char *private, char *error);

/*
 * Stops the daemon, with all sessions in it, when it is this recording's to stop; true if so. `written`: all data is on
 * disk, so that it need not be asked to end well.
 */
bool daemon_release(struct daemon *daemon, bool written);

/* Kills it if it is ours, as programs wait for one that does not answer; false if it is not. */
bool daemon_give_up(struct daemon *daemon);

/* There is a session: finds the consumer, whose end daemon_trouble tells of too. */
void daemon_find_consumer(struct daemon *daemon);

/*
 * The path by which the daemon comes to our directory `path`, in `found` (DAEMON_PATH bytes): itself or, where it has other
 * mounts or another root (a container's, chroot's), by our root in /proc. False where it comes there by neither.
 */
bool daemon_path(const struct daemon *daemon, const char *path, char *found);

/* NULL while it is well; else, in words, what is wrong with it. `ended`: that is that it, or its consumer, is no more. */
const char *daemon_trouble(const struct daemon *daemon, bool *ended);

/*
 * Gives this process a /dev/shm of its own, where that is allowed. LTTng keeps the metadata's ring buffer and the page by
 * which it wakes programs there, and the program's may be full, and shall be as it would be without us.
 */
void daemon_hide_shm(void);

#endif
