/* What a thread that the program makes is to begin with, from pthread_create(3) until it has begun: no malloc of ours. */
#ifndef SHMGUARD_BEGINNING_H
#define SHMGUARD_BEGINNING_H

#include <stddef.h>

struct beginning {
	void *(*start)(void *);
	void *argument;
	size_t stack_size; /* bytes; 0: the usual */
};

/* Within a visit (observe.h); NULL: no memory, or a handler interrupted one of these. Any thread gives it back. */
struct beginning *beginning_take(void);
void beginning_give(struct beginning *beginning);

/* In a forked child. */
void beginning_fork_reset(void);

#endif
