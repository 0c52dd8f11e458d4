/* Processes whose first thread has ended while others go on: /proc/PID has no mappings, descriptors or program of them then. */
#ifndef SHMGUARD_LIVING_H
#define SHMGUARD_LIVING_H

/*
 * The directory in which those of process `pid` are read, below `proc`, which is open at /proc: its own or, as proc(5) has it
 * for each thread, that of one which lives. A descriptor for openat(2), -1 with errno; the caller closes it.
 */
int living_open(int proc, const char *pid);

#endif
