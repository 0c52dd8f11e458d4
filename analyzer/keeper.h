/*
 * The keeper: a process of run's own, in a session of its own, that makes the LTTng session and ends it. It outlives a
 * killed run just long enough to leave nothing behind, and whatever hangs, hangs there and not in run.
 */
#ifndef SHMGUARD_KEEPER_H
#define SHMGUARD_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct keeper_plan {
	uint32_t recording;
	const char *trace;    /* absolute directory that CTF goes to */
	const char *private;  /* the recording's private directory; removed at the end */
	const char *notes;    /* path of the file that notes go to */
	const char *provider; /* path of the library that emits the events */
	uint64_t max_size;    /* bytes of calls that are kept, the newest; 0: all */
	int64_t started;      /* nanoseconds since 1970: when the recording did */
	bool flight;          /* the calls stay in memory and are written when run wants them, and at the end */
};

/*
 * What it writes to run, a line each: KEEPER_READY once events are recorded, else KEEPER_FAILED; KEEPER_TROUBLE for what
 * goes wrong later, and KEEPER_GONE with the time, nanoseconds since 1970, from which on calls may be missing; then end of
 * file. What run writes: KEEPER_SHOT, to have the calls written that are in memory, or KEEPER_END; its closed end does the
 * latter too.
 */
#define KEEPER_SHOT 's'
#define KEEPER_END 'e'

#define KEEPER_READY "ready"
#define KEEPER_FAILED "failed "
#define KEEPER_TROUBLE "trouble "
#define KEEPER_GONE "gone "

/* The longest that it takes to become ready, and to end. */
#define KEEPER_START_SECONDS 40
#define KEEPER_STOP_SECONDS 40

_Noreturn void keeper_main(const struct keeper_plan *plan, int socket);

#endif
