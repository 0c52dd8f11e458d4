/* What the recording's files share. */
#ifndef SHMGUARD_RECORDER_INNER_H
#define SHMGUARD_RECORDER_INNER_H

#include "preload/recorder.h"

extern int32_t recorder_pid; /* of this process, as it sees itself */

/* This process is a child that has its own copy of our memory: it has its own ids and numbers from here on. */
void recorder_renew(void);

/* The number of the latest event. */
uint32_t recorder_sequence(void);

void recorder_tell_process(enum began began, int32_t parent, uint32_t parent_seq);

/* LTTng waits for its daemon, but not for ever. */
void recorder_tell_if_late(void);

/* What keeps a recording from starting is told to `run`, in whose report the process is then named. */
void recorder_go_blind(const char *why); /* which stays as it is */
/* The same, as it could not be told then: in this process, which may be a child by now. */
void recorder_tell_untold(void);

/* From now on nothing is recorded here, which nobody is told; a policy stays in force. */
void recorder_fall_silent(void);

/*
 * Which limit of the process keeps LTTng out; NULL: none. `forked`: LTTng holds its locks for the fork still, and no thread can
 * be tried.
 */
const char *recorder_lacks_room(bool forked);

/* Where it is this, they may suffice later. Do they by now? No, where to look once more would cost too much. */
extern const char recorder_few_descriptors[];
bool recorder_finds_descriptors(void);
/* A child has a beginning of its own, if it was that alone. */
void recorder_expects_descriptors(void);

/* recorder_end_threads(), in a visit too. */
bool recorder_live_alone(void);

/* The process ends with its last thread, when its first has ended before: from the first thread; in a child; once loaded. */
void recorder_last_initialise(void);
void recorder_last_forked(void);
void recorder_last_loaded(void);

/* 0: the process has no filter of system calls; -1: /proc does not tell. */
int recorder_filter_mode(void);

void recorder_fork_initialise(void);
/* Children by clone(2) past us are noticed from here on; one that this process itself is, at once. */
void recorder_watch_clones(void);

#endif
