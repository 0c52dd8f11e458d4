/* Between a visit's beginning and end, and what is told in it. */
#ifndef SHMGUARD_OBSERVE_INNER_H
#define SHMGUARD_OBSERVE_INNER_H

#include "preload/observe.h"

/* Handlers are kept out for the rest of the visit, whose first stretch may have been interrupted. */
void observe_hold(struct visit *visit);
/* False: LTTng may not be called here, as a handler has interrupted what it would call. Asked once a visit. */
bool observe_is_safe(struct visit *visit);

/* Emits what is queued, unless another thread is at it. */
void observe_settle_queue(void);
/* This thread, if it was at it, never goes on. */
void observe_settling_abandoned(void);

#endif
