/*
 * Numbers for descriptors that no program can use: those from its soft limit of open files on (RLIMIT_NOFILE), where its
 * hard limit is higher. dup2(2) to such is refused anyway, and none of the program's own numbers is taken. What is open
 * there stays. To put it there the limit is raised for a microsecond: what another thread starts by vfork(2) just then has it
 * so. Async-signal-safe.
 */
#ifndef SHMGUARD_ABOVE_H
#define SHMGUARD_ABOVE_H

#include <stdint.h>

/* Before there are threads: makes the kernel's table so large that to put some there takes no time later. */
void above_prepare(void);

/* A duplicate there (FD_CLOEXEC), or a negative errno: -EMFILE where there is no room. The caller closes the original. */
long above_duplicate(int fd);

/* How many descriptors have room there, as far as the limits tell. */
uint64_t above_room(void);

/* A filter of system calls is to come, which may kill for it (recorder_filtered): waits for another thread that is about it. */
void above_filtered(void);

/* In a forked child: the thread that was about it is the parent's, and the limit may be raised. */
void above_fork_reset(void);

#endif
