/*
 * Looks at the program's objects, and at /proc, and work on them, that cost it neither a record lock nor a number. Such locks
 * (fcntl(2), lockf(3)) belong to a table of descriptors, and the close of any descriptor in it ends all that lie on that file,
 * whoever opened it. A number that is taken for a moment is none that another thread's open gets, and a child that a thread
 * forks just then has what is open there for good.
 */
#ifndef SHMGUARD_APART_H
#define SHMGUARD_APART_H

#include <fcntl.h>
#include <stdbool.h>

enum { APART_ALL = -1, APART_NONE = AT_FDCWD };

/*
 * Calls the function, which is to close what it opens, and answers what it does; errno is as it leaves it. Unless the object
 * certainly has no lock it runs with a copy of that one of this thread's descriptors, of the same number, or of all, while the
 * thread waits: it is to wait for nobody who may wait for this thread, to tell LTTng nothing, and to leave nothing open. Where
 * the kernel has no thread left for that (a limit, a pid namespace entered, seccomp(2)) it runs here. fd: of the object, or
 * APART_ALL; one of O_PATH does not tell of locks.
 */
long apart_run(int fd, long (*function)(void *), void *context);

/*
 * The same for what has no locks to lose: apart unless this is the program's only thread. fd: the only descriptor that is
 * needed, if any; APART_ALL as well for what opens a path of the program's, which may lead through any of them, and for what
 * the policy may tell, in a log that is one.
 */
long apart_hidden(int fd, long (*function)(void *), void *context);

/*
 * The same always in a thread that has no descriptor, for what is to open one where none is left, whose negative error it
 * answers: a limit of open files counts those of a table.
 */
long apart_spare(long (*function)(void *), void *context);

/*
 * In such a function the number of the thread that waits for it, which is the one that the caller is to be known by; else 0.
 * What is opened there is soon closed, and no number there is the process's.
 */
int apart_for(void);

/*
 * Does no other thread close a number here, or open another file by it? Else what a descriptor leads to may be another by the
 * time that it is written to.
 */
bool apart_has_own(void);

/* Has nobody a record lock on it at this moment? To look for a moment, too, is then safe. */
bool apart_is_unlocked(int fd);

#endif
