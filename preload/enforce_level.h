/* What the policy decides of the call that a thread is about to make: shared by who decides and who records it. */
#ifndef SHMGUARD_ENFORCE_LEVEL_H
#define SHMGUARD_ENFORCE_LEVEL_H

#include "preload/enforce_room.h"

struct enforce_level {
	unsigned count, audited, collected;
	bool collecting, roomy;  /* roomy: the room is taken */
	struct enforce_room *at; /* it, or the one that was given back last */
	uintptr_t stack;         /* where it stood at the beginning */
	const void *caller;      /* of the call that it was about; NULL: it is not over */
	const char *name;
	const struct identity *about; /* whose name is asked for only if it is told */
};

/* Of the call that is not interrupted: what is decided next, or was last, and is not recorded yet. Never NULL. */
struct enforce_level *enforce_level(void);
/* After the decision only what is still to be recorded needs the room. */
void enforce_give_room(struct enforce_level *level);
/* Nothing more is. */
void enforce_recorded(struct enforce_level *level);

#endif
