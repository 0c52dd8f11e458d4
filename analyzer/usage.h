/*
 * How recorded processes use the shared memory that they have mapped, by looking at /proc/PID/maps from outside, and at
 * smaps where a large mapping is, or any while something is in swap. A look at smaps holds up the program's own mmap for
 * as long as the kernel walks its page tables, so the looks at one process come ever more rarely, and all of them take
 * one percent of a processor at most. What was seen becomes lines of processes.jsonl (recording.h).
 */
#ifndef SHMGUARD_USAGE_H
#define SHMGUARD_USAGE_H

#include <jansson.h>
#include <sys/types.h>

struct usage_watch;

struct usage_watch *usage_new(void);
void usage_free(struct usage_watch *watch);
/* A process to be looked at, until it ends. */
void usage_process(struct usage_watch *watch, pid_t pid);
/* To be called often: looks when it is time to. */
void usage_look(struct usage_watch *watch);
/* Hands out a line for each mapping of note, to be owned by `take`. */
void usage_tell(struct usage_watch *watch, void (*take)(void *context, json_t *line), void *context);

#endif
