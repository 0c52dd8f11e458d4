/*
 * The one junction between the wrappers and everything else of ours.
 *
 * Charter for code that runs in another's process, here and in all that is called from here:
 *  - errno is on leaving what it was on entering; nothing is written to the program's descriptors;
 *  - no stdio, no malloc, no lock across a real call, an emission or a cancellation point;
 *  - a visit that interrupts another one on the same thread (a signal handler) takes no lock and unwinds nothing: its
 *    event is queued, and settled when the interrupted visit leaves;
 *  - what fails, fails open: the program's call goes through, and the loss is counted.
 *
 * A wrapper visits before the real call (releases) or after it (acquisitions), never around it:
 *
 *	struct visit visit;
 *	if (observe_enter(&visit, CALLER)) {
 *		...
 *		observe_leave(&visit);
 *	}
 */
#ifndef SHMGUARD_OBSERVE_H
#define SHMGUARD_OBSERVE_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/identity.h"
#include "tracepoints/events.h"

#define EXPORT __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

struct account_pieces;
struct object;

struct visit {
	int saved_errno;
	bool outermost; /* none of this thread's is under way */
	bool nested;
	bool blocks;      /* signals are blocked meanwhile: see recorder_blocks */
	bool asked, safe; /* whether LTTng may be called at all: see interrupted.h */
	uint64_t mask;
	const void *caller;
	struct account_pieces *pieces; /* where a release keeps what it released, if the wrapper wants it */
};

/* False when nothing is recorded, or the caller is a library that we brought in. */
bool observe_enter(struct visit *visit, const void *caller);
void observe_leave(struct visit *visit);

/*
 * From before a release is told of, through the real call, until what came of it is told: who jumped out in between from a
 * handler, or was cancelled, would leave the kernel with something else than was told. Where the program does either
 * (recorder_blocks) signals and cancellation wait for the end, which a cancellation that came meanwhile may happen in. The
 * first jump of all, of which nobody knew, counts as an event that is lost. For calls that neither wait nor are cancellation
 * points (pthreads(7)).
 */
struct calm {
	bool holds;
	uintptr_t interrupted; /* the `calling` of before */
	uint64_t mask;
};
void observe_calm_begin(struct calm *calm, const void *caller);
void observe_calm_end(const struct calm *calm);

/*
 * The call that follows is to be recorded: LTTng comes up before it, if it has not yet. An event is told at the time of its
 * emission, and what others do of an object that was made meanwhile would come before it. In a visit; without one.
 * True: it came up just now, and what was found before is to be looked for again.
 */
bool observe_expect(struct visit *visit);
void observe_awaken(const void *caller);

/* The visits that are under way on this thread never go on: a signal handler jumped out of them, or ends the process. */
void observe_forget(void);
/*
 * Is one of this thread's visits under way, interrupted by a signal handler that has called the wrapper which asks? Forgets
 * what a handler has jumped out of.
 */
bool observe_is_interrupted(void);
/*
 * The thread, which is at the stack_t (or none: its size is 0), jumps to where the stack stands at that address: out of its
 * visits, unless that is further down, or on the alternate stack of a handler that has interrupted them on another.
 */
void observe_left(uintptr_t stack, const stack_t *alternate);

/*
 * Settles an event: updates the ledger, fills in head and object, emits it. identity: the object, or NULL. Answers the
 * event's sequence number, 0 if there was nothing to record (a release of what is not tracked).
 */
uint32_t observe_record(struct visit *visit, enum event_id id, union any_event *event, const struct identity *identity);

#define RECORD(visit, name, identity, ...)                                                                             \
	observe_record(visit, EVENT_##name, &(union any_event){.name = {__VA_ARGS__}}, identity)

/* The release `seq` did not happen: the real call failed with errno. */
void observe_failed(uint32_t seq, const void *caller);

/* Id of an object that is named beside the one of an event; 0 in a nested visit. */
uint32_t observe_object(struct visit *visit, const struct identity *identity);

/* Until what was queued before is in the trace; not in a nested visit. */
void observe_settle(void);

/* Of what the program only found open nothing was recorded yet: it is defined now. */
void observe_found(struct visit *visit, const struct object *object);
/* Records what the policy did to that object after a call that was recorded already. */
void observe_kept(const struct object *object, const void *caller);

/* An event that came before its call: its number, 0 if there is none, and the object. */
struct released {
	uint32_t seq, object;
};
/*
 * Records that `call`, without a name as the path spells it, is about to remove what the path leads to; kind: of that. Answers
 * what is there.
 */
enum identity_look observe_unlink(struct visit *visit, struct unlink_event call, const char *path, uint8_t kind,
				  struct released *released);
/* Records what the policy decided of the call, which has succeeded, since its event. */
void observe_judged(const struct released *released, const void *caller);

/*
 * Id of the stack of this visit, defined in the trace when it is new; context: of the signal handler whose interrupted
 * stack is meant, or NULL. 0 where nothing is recorded. Not in a nested visit.
 */
uint32_t observe_stack(void *context);
/* The stack of a visit from the handler of a fault at `ip`, of which where there is no room that instruction alone; 0 for 0. */
uint32_t observe_handler(const struct visit *visit, uint64_t ip);

/* errno as an event carries it, for a call whose failure is `failed`; the errno of before the visit. */
static inline int16_t observe_error(const struct visit *visit, bool failed)
{
	return failed ? (int16_t)visit->saved_errno : 0;
}

#endif
