/*
 * Looks at the program's objects, and work on them, that cost it no record lock. These (fcntl(2), lockf(3)) belong to a table
 * of descriptors, and the close of any descriptor in it ends all that lie on that file, whoever opened it.
 */
#ifndef SHMGUARD_APART_H
#define SHMGUARD_APART_H

#include <stdbool.h>

/*
 * Calls the function, which is to close what it opens, and answers what it does. Unless the object certainly has no lock it
 * runs with a copy of this thread's descriptors, of the same numbers, while the thread waits: it is to take no lock of ours,
 * and to leave nothing open. Where the kernel has no thread left for that (a limit, a pid namespace entered, seccomp(2)) it
 * runs here. fd: of the object; one of O_PATH does not tell of locks.
 */
long apart_run(int fd, long (*function)(void *), void *context);

/* Has nobody a record lock on it at this moment? To look for a moment, too, is then safe. */
bool apart_is_unlocked(int fd);

#endif
