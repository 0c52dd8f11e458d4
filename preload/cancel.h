/*
 * Keeps the thread from being cancelled in a stretch of ours (pthread_setcancelstate(3)). What the program had set is kept
 * until it is given back: at the stretch's end, or by who leaves it for good, a handler that jumps out of it.
 */
#ifndef SHMGUARD_CANCEL_H
#define SHMGUARD_CANCEL_H

#include <stdbool.h>

/* The state. */
void cancel_forbid(void);
void cancel_allow(void);
bool cancel_is_forbidden(void);

/* The type, so that no instruction is where it happens, other than the last of all: see cancel_undefer. */
void cancel_defer(void);
/* A cancellation that came meanwhile may happen in it, where cancel_allow came before. */
void cancel_undefer(void);
bool cancel_is_deferred(void);

/* Is there anything to be given back? Both. */
bool cancel_keeps(void);
void cancel_give_back(void);

/* The program's own calls, where they may come in such a stretch: what they set is what it will be given back. */
int cancel_set_state(int state, int *old);
int cancel_set_type(int type, int *old);

#endif
