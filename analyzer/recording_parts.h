/*
 * The recordings below a directory that is none itself: of several machines, or of several runs. Each is read with what
 * lies beside its own trace; pids of one mean nothing in another, and inodes and names only where one kernel made both, of one
 * /dev/shm. One that is a trace alone is read as such.
 */
#ifndef SHMGUARD_RECORDING_PARTS_H
#define SHMGUARD_RECORDING_PARTS_H

#include "recording.h"

/* Gives `whole` the parts found below `dir`, and what it can say for all of them; what is missing of one is a problem of it. */
void recording_parts_find(struct recording *whole, const char *dir);
void recording_parts_free(struct recording *whole);

#endif
