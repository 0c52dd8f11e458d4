/* LTTng's threads in this process, which listen for its session daemon: the program has not made them. */
#ifndef SHMGUARD_OWN_THREADS_H
#define SHMGUARD_OWN_THREADS_H

#include <pthread.h>
#include <stdbool.h>

/* A library of ours starts one. */
int own_threads_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument);

/* Is every thread of the process one of those, but for the caller? */
bool own_threads_only(void);
bool own_threads_any(void);

/*
 * Ends them for good, and their connections: the session daemon takes the process for gone, whose events are still
 * recorded. Only while LTTng holds its locks for a fork, so that none of them is in the midst of something; gone they are
 * when it has given them back, which own_threads_await() waits for. False when one would not end.
 */
bool own_threads_end(void);
bool own_threads_await(void);

/* In a forked child they are not there. */
void own_threads_fork_reset(void);

/*
 * In a forked child that goes on with its parent's LTTng: without the sockets, by which the session daemon would take the
 * parent for alive as long as the child is. Their numbers stay taken. False: it still has them.
 */
bool own_threads_disown(void);

#endif
