/* The descriptors that the process's image began with. */
#ifndef SHMGUARD_INHERITED_H
#define SHMGUARD_INHERITED_H

#include <stdbool.h>

/* Hands out each descriptor that is open now. */
void inherited_each(void (*look)(int fd, void *context), void *context);

/*
 * Tells `run`, by notes, which of them lead to an object. To ask the kernel for FD_CLOEXEC before the exec would not do: that
 * is not to be seen in a child by vfork(2) or posix_spawn(3), nor where libc executes by itself.
 */
void inherited_tell(void);

/* Is it one that was told of, and that the program has not closed since? Lock-free. */
bool inherited_is(int fd);
/* The lowest such descriptor in [first, last], or -1. */
int inherited_next(unsigned first, unsigned last);
/* The program closes it; recorded: the trace has that, and needs no note. */
void inherited_closes(int fd, bool recorded);

#endif
