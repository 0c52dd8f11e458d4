/*
 * Means by which processes take turns in memory that they share. Whether a process has any is all that matters, so the
 * first of each kind is recorded, and to know of the next costs the reading of a byte. A program that has no shared
 * memory is not made to load the recorder by them: they are told when it is loaded.
 */
#ifndef SHMGUARD_TURNS_H
#define SHMGUARD_TURNS_H

#include "tracepoints/calls.h"

/* Neither takes a lock nor keeps the program's call; errno is kept. addr: of what it is, or NULL. */
void turns_taken(enum symbol symbol, const void *addr, const void *caller);

/* Tells those that came before; once the recorder is ready. */
void turns_tell(void);

#endif
