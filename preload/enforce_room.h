/*
 * Room for what is decided of a call, and for the name of what it is about: too much for storage of every thread, which the
 * loader takes from what little it has over for libraries that come early (LD_AUDIT takes from the same).
 */
#ifndef SHMGUARD_ENFORCE_ROOM_H
#define SHMGUARD_ENFORCE_ROOM_H

#include <stdatomic.h>

#include "preload/check.h"

enum { ENFORCE_KEPT = 8, ENFORCE_TEXT = 512 };

struct enforce_decided {
	struct check_finding finding;
	uint8_t response;
	bool trail_only : 1; /* it is no finding */
	bool doubtful : 1;   /* it is one only if somebody uses the object, which is not known */
	int16_t denies;      /* RESPONSE_audit: the errno that would have been answered, 0: it would have been fixed */
	uint32_t object;     /* see enforce_concerns() */
	const char *why;     /* see enforce_not_done() */
	const char *name;    /* until the audit trail has it */
};

/* What was decided of a call whose event is settled later. */
struct enforce_told {
	unsigned count;
	struct enforce_decided decided[ENFORCE_KEPT];
};

struct enforce_room {
	struct enforce_decided decided[ENFORCE_KEPT];
	char text[ENFORCE_TEXT];
	atomic_int holder;     /* its thread; 0: nobody */
	atomic_bool ever_held; /* so were then all before it */
};

/* A room of nobody else's, at first `last`, the one that the thread had before (NULL: none). Never NULL. */
struct enforce_room *enforce_room_take(struct enforce_room *last, int tid);
void enforce_room_give(struct enforce_room *room);

/* In a forked child, where the threads are gone that had them. */
void enforce_room_give_all(void);

#endif
