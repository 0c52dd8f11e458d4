/*
 * The keeper: a process of run's own, in a session of its own, that makes the LTTng session and ends it. It outlives a
 * killed run just long enough to leave nothing behind, and whatever hangs, hangs there and not in run.
 */
#ifndef SHMGUARD_KEEPER_H
#define SHMGUARD_KEEPER_H

#include <stdint.h>

struct keeper_plan {
	uint32_t recording;
	const char *trace;    /* absolute directory that CTF goes to */
	const char *private;  /* the recording's private directory; removed at the end */
	const char *provider; /* path of the library that emits the events */
};

/*
 * What it writes to run, a line each: KEEPER_READY once events are recorded, else KEEPER_FAILED; KEEPER_TROUBLE for what
 * goes wrong later; then end of file. What run writes: one byte, to end it. Its closed end does the same.
 */
#define KEEPER_READY "ready"
#define KEEPER_FAILED "failed "
#define KEEPER_TROUBLE "trouble "

/* The longest that it takes to become ready, and to end. */
#define KEEPER_START_SECONDS 40
#define KEEPER_STOP_SECONDS 40

_Noreturn void keeper_main(const struct keeper_plan *plan, int socket);

#endif
