/* Requests to an LTTng session daemon: the only include of <lttng/...>. Each may block as long as the daemon likes. */
#ifndef SHMGUARD_LTTNG_CONTROL_H
#define SHMGUARD_LTTNG_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the largest sub-buffer that is asked for. */
#define LTTNG_CONTROL_SUBBUFFER_MAX (UINT64_C(4) << 20)

/* How a session's name begins. */
#define LTTNG_CONTROL_SESSION "shmguard-"

/* All texts outlive the calls. */
struct lttng_control {
	const char *session; /* unique name */
	const char *trace;   /* absolute directory that CTF goes to */
	const char *buffers; /* absolute directory for the ring buffers; NULL: LTTng's choice, /dev/shm */
	struct lttng_rings {
		uint64_t subbuffer,
			subbuffers;   /* bytes of a sub-buffer of channel `calls`, and how many on a processor */
		uint64_t file, files; /* bytes of a trace file of it, and how many of a processor are kept; 0: all */
	} rings;
	const char
		*flight; /* unique name of a second session, which keeps the calls in memory; NULL: they go to disk */
	uint32_t recording; /* only its events are written, where others' programs use the same daemon; 0: all */
	const char *shot;   /* absolute directory, not there yet, that lttng_control_shot writes them to */
};

/*
 * Rings with sub-buffers of `subbuffer` bytes or less. `most` not 0: so that no more than that many bytes of calls are
 * kept, in files, or with `flight` in memory. -1: that is too little on this machine; *least is what would do.
 */
int lttng_control_plan(struct lttng_rings *rings, uint64_t subbuffer, uint64_t most, bool flight, uint64_t *least);

/* Bytes of ring buffers that a user's processes need. */
uint64_t lttng_control_need(const struct lttng_rings *rings);

/*
 * For limited(): `context` is a struct lttng_control. 0, or 1 with one line in `error`. _alive: 0 if a daemon listens.
 * _stop leaves up to `LTTNG_CONTROL_PENDING` seconds for the data to reach the disk, and returns 2 if it did not. _destroy does
 * not wait, as that takes half a second and all is on disk by then.
 * _shot writes what is in memory of the calls.
 * _idle: 0 if the daemon has no session but such as recordings make.
 */
#define LTTNG_CONTROL_PENDING 8
int lttng_control_alive(const void *context, char *error);
int lttng_control_start(const void *context, char *error);
int lttng_control_shot(const void *context, char *error);
int lttng_control_stop(const void *context, char *error);
int lttng_control_destroy(const void *context, char *error);
int lttng_control_idle(const void *context, char *error);

/* From now on a session daemon below `home` is meant, whatever groups the user is in. */
void lttng_control_private(const char *home);

#endif
