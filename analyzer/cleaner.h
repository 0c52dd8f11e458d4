/*
 * Removes names of a /dev/shm that nobody uses, so that nothing live is lost whatever happens at the same time.
 *
 * Between a look at /proc and unlink(2) a program may attach. So nothing is removed on the strength of the look alone:
 *
 *  1. The object is opened; device and inode must be those that were looked at.
 *  2. A write lease (F_SETLEASE, fcntl(2)) is taken on it. The kernel grants one only while nobody else on the machine has
 *     the object open or mapped: processes of other namespaces, descriptors on their way through a socket, all count. From
 *     then on whoever opens it waits in open(2), and the lease says that somebody does.
 *  3. The name is moved aside, into a directory of our own beside it, or, where no inode is left for one, to a name beside it
 *     that nobody knows. From then on nobody can find it any more. What was moved must still be that inode; else it is moved
 *     back.
 *  4. Whoever found the name before that is already on his way to the lease. The kernel's readers are waited for
 *     (membarrier(2)), and 100 ms more.
 *  5. As soon as the lease is asked for, the name is moved back, the lease given up, and he who waits has the object as if
 *     nothing had happened. Else the object is wiped, if wanted, and unlinked.
 *
 * What remains: a thread that found the name, and then stood still inside the kernel for those 100 ms before it reached the
 * lease, gets an object whose name is gone. A program that finds the name just before it is moved, while another makes it
 * anew before we run again (the kernel's SIGIO wakes us), has the old object, which then stays aside: the two never met. And
 * a name that is replaced between the last check and its move (microseconds) leads nowhere until it is moved back. Programs
 * that open with O_NONBLOCK get EAGAIN instead of waiting.
 *
 * Cleaners take turns (flock(2) on the directory). What one that was killed left aside is moved back by the next.
 */
#ifndef SHMGUARD_CLEANER_H
#define SHMGUARD_CLEANER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cleaner_item {
	const char *name; /* below the directory */
	dev_t device;
	ino_t inode;
	int64_t touched; /* nanoseconds; touched later it is no ghost any more */
	/* What became of it. */
	bool removed, wiped;
	uint64_t freed; /* bytes; 0 as well when it has other names */
	uint64_t links; /* that it has beside this name */
	char *why;      /* why it was not removed, for free(3); NULL: it was */
	int fd;
	char *aside; /* the name that it has aside; for free(3); NULL: it is not there */
};

struct cleaner {
	int directory;
	char *aside;   /* the name of our directory in it, or what the names aside begin with */
	int aside_fd;  /* the directory that names are moved to */
	bool no_inode; /* which is the same then */
};

/* Waits for its turn. 0; -1 and *error, one line for free(3). */
int cleaner_open(struct cleaner *cleaner, const char *path, char **error);
/* Moves back what cleaners that were killed left aside; how many names, and *stuck of those that are taken meanwhile. */
size_t cleaner_recover(struct cleaner *cleaner, size_t *stuck);
void cleaner_remove(struct cleaner *cleaner, struct cleaner_item *items, size_t count, bool zero);
void cleaner_close(struct cleaner *cleaner);

#endif
