/*
 * Where objects are mapped, of a process whose policy wipes, stands still while its end takes their mappings from its threads:
 * what one would unmap meanwhile another might have put something else there (see unshare.h).
 */
#ifndef SHMGUARD_STANDSTILL_H
#define SHMGUARD_STANDSTILL_H

#include <stdbool.h>

#include "preload/enforce.h"

/*
 * A call that may unmap, move or protect a mapping of an object, if it takes one: it waits while all stands still. Of any other
 * memory where it is and how it is protected is no matter.
 */
#define STANDING_STILL(takes, call)                                                                                    \
	({                                                                                                             \
		bool waits = enforce_wipes && (takes);                                                                 \
		if (waits)                                                                                             \
			standstill_enter();                                                                            \
		__typeof__(call) answer = (call);                                                                      \
		if (waits)                                                                                             \
			standstill_leave();                                                                            \
		answer;                                                                                                \
	})
void standstill_enter(void);
void standstill_leave(void);

/* From here on nobody but this thread makes such a call, until standstill_end. False: one is under way, and stays so. */
bool standstill_begin(void);
void standstill_end(void);

/* In a forked child, whose other threads are gone. */
void standstill_forked(void);

#endif
