/* What a thread that the program makes is to begin with, from pthread_create(3) until it has begun: no malloc of ours. */
#ifndef SHMGUARD_BEGINNING_H
#define SHMGUARD_BEGINNING_H

#include <stdbool.h>
#include <stddef.h>

struct beginning {
	void *(*start)(void *);
	void *argument;
	size_t stack_size; /* bytes; 0: the usual */
};

/* Within a visit (observe.h); NULL: no memory, or a handler interrupted one of these. Any thread gives it back. */
struct beginning *beginning_take(void);
void beginning_give(struct beginning *beginning);

/*
 * Around the call that makes a thread: nobody forks meanwhile, unless that takes too long (false). Taking a stack over from a
 * thread that ended, the C library frees its thread-local storage, of which LTTng's libraries have some, and then forgets it:
 * a child forked in between would free it once more.
 */
bool beginning_enter(void);
void beginning_leave(void);

/* Around fork(2). beginning_fork_end() gets what beginning_fork_begin() answered. */
bool beginning_fork_begin(void);
void beginning_fork_end(bool begun);

/* In a forked child. */
void beginning_fork_reset(void);

#endif
