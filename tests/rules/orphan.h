/* A process that maps more than its object has, and ends or gives it up; its child by fork is left with that. */
#ifndef SHMGUARD_TESTS_ORPHAN_H
#define SHMGUARD_TESTS_ORPHAN_H

#include "rule.h"

/* The child does `work` once its parent has ended, and removes the object; waits for its end. */
UNUSED static void leave_to_orphan(void (*work)(int fd, char *address))
{
	int ends[2];
	char byte;

	must(pipe(ends) == 0, "pipe");
	pid_t parent = fork();
	must(parent >= 0, "fork");
	if (parent == 0) {
		char object[64];
		strcpy(object, name());
		int fd = create(object, PAGE);
		char *address = map(fd, 4 * PAGE);
		pid_t self = getpid(), child = fork();

		must(child >= 0, "fork");
		if (child)
			_exit(0);
		while (getppid() == self)
			nap(1);
		nap(20);
		work(fd, address);
		must(shm_unlink(object) == 0, "shm_unlink");
		exit(0);
	}
	close(ends[1]);
	must(read(ends[0], &byte, 1) == 0, "read");
	must(waitpid(parent, NULL, 0) == parent, "waitpid");
}

/* A child that has what is mapped, and does `work` once *go is closed. */
UNUSED static pid_t leave_to_child(void (*work)(int fd, char *address), int fd, char *address, int *go)
{
	int ready[2];
	char byte;

	must(pipe(ready) == 0, "pipe");
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		close(ready[1]);
		must(read(ready[0], &byte, 1) == 0, "read");
		work(fd, address);
		_exit(0);
	}
	close(ready[0]);
	*go = ready[1];
	return child;
}

#endif
