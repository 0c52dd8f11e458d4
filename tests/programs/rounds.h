/* Rounds in which processes come at one moment to an object that an earlier one has left. */
#ifndef SHMGUARD_TESTS_ROUNDS_H
#define SHMGUARD_TESTS_ROUNDS_H

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits, so many microseconds at a time, until all have come there. */
static inline void rounds_meet(atomic_int *there, int all, useconds_t rest)
{
	for (atomic_fetch_add(there, 1); atomic_load(there) < all;)
		usleep(rest);
}

/* What is made in the first lives for `older` microseconds before the `count` others come, and loses its name after them. */
static inline void rounds_once(const char *name, void (*leave)(void), useconds_t older, void (*come)(int number),
			       int count)
{
	if (fork() == 0)
		leave();
	wait(NULL);
	usleep(older);
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			come(i);
	while (wait(NULL) > 0)
		;
	shm_unlink(name);
}

#endif
