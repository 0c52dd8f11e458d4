/*
 * The recording in this process: off; idle, until the first tracked call; loading LTTng; ready; or blind, when LTTng could
 * not be had (the program goes on, and `run` is told why). Also what fork and exit mean for it.
 */
#ifndef SHMGUARD_RECORDER_H
#define SHMGUARD_RECORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/own.h"
#include "tracepoints/emit.h"

enum recorder_state { RECORDER_OFF, RECORDER_IDLE, RECORDER_LOADING, RECORDER_READY, RECORDER_BLIND };

extern atomic_int recorder_state;
extern const struct emit *recorder_emit; /* valid when ready */

struct thread {
	int depth;             /* visits of this thread that are under way: more than one in a signal handler */
	uintptr_t outermost;   /* where the program's stack stood when it made the first of them */
	uintptr_t calling;     /* where it stood when a call began that is not calm; 0: none */
	uintptr_t small_stack; /* too little room for LTTng and libunwind, see small_stack.h; size 0: none */
	size_t small_stack_size;
	int32_t tid;
	bool calm;   /* see observe_calm_begin */
	bool blocks; /* that, or the outermost visit, blocks signals; mask: the program's own of before */
	bool narrow; /* its own stack has no room for a handler amid a visit: each blocks signals */
	uint64_t mask;
	bool prepared;
	uint32_t chance; /* a linear congruential generator */
	bool vforked;    /* by this thread, and it is not known yet that the child is gone */
	/* A fork is under way: LTTng is at work for it; our wrapper is around it; the ledger is locked; this is the child. */
	bool forking, around, locked, forked;
	bool walks_stopped;  /* by stack_fork_begin() */
	bool makers_stopped; /* by beginning_fork_begin() */
	bool among_forks;    /* by ending_fork() */
	bool closing;        /* the descriptors of our libraries stay as they are during the fork: see own_closing() */
	sigset_t fork_signals;
};

extern __thread struct thread recorder_thread;

/*
 * No signal interrupts a visit from now on: the program leaves functions by longjmp(3), perhaps from signal handlers, or a
 * handler of its has made a call that is recorded, amid a visit.
 */
extern atomic_bool recorder_blocks;

/* A child that is no thread is about to be made that shares our memory for good (clone(2)). */
void recorder_share_memory(void);

/*
 * The program is about to be killed for a system call that this process's recording makes: the recording ends here, and
 * that is told. A policy stays in force, at that price.
 */
void recorder_confine(const char *refused);
extern bool recorder_confined;

/*
 * It has, or may have, a filter of system calls: one that kills for none of what a recording does, but may refuse it, or one
 * that it has come to by an exec.
 */
extern atomic_bool recorder_filtered;

/* LTTng's threads are ended for good; events are recorded all the same. False: they are not, or not now. */
bool recorder_end_threads(void);

/*
 * Loads LTTng, unless another thread is at it, it is too early for that, or another thread is within dlopen(3) or dlclose(3)
 * for too long. Not in a nested visit.
 */
void recorder_load(void);
/*
 * Before a call that makes or maps an object: where nothing is recorded for want of descriptors it may be from here on, if they
 * suffice by now.
 */
void recorder_look_again(void);
static inline void recorder_may_begin(void)
{
	if (__builtin_expect(atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_BLIND, false))
		recorder_look_again();
}
/* With a later call, before an exec or at the end: it cannot be now. */
void recorder_put_off(void);
/* Has a call gone on without LTTng, as another thread had the loader? It is queued until LTTng is here. */
bool recorder_awaits_loader(void);
/* Libc's constructor has yet to take the environment, and the program has a preinit_array, if it has one, before it. */
void recorder_precedes_libc(char **environment);

/* Until another thread has loaded LTTng, which would be missing in a child, and whose end would lose what waits for it. */
void recorder_wait_for_loading(void);

/* Takes the next sequence number, and fills in the head of an event (its stack is 0). */
void recorder_head(struct event_head *head);

/* Makes the calling thread's events free of allocations from here on. */
void recorder_prepare_thread(void);

/* Tells of modules that came or went since the last time. */
void recorder_modules(void);

/* This thread was telling of modules, and a signal handler jumped out of it. */
void recorder_abandoned(void);

/* Notices that this process was made by a clone that no hook saw. */
void recorder_check_process(void);

/* Is this a child by vfork(2) or clone(2) that runs in its parent's memory? A getpid(2) where there may be one. */
bool recorder_is_vfork_child(void);
/*
 * The same, asked where a process ends or executes: such a child may have come by a clone that no hook saw, and is known from
 * then on. What it does to its end or its program is not to be taken for its parent's. A getpid(2).
 */
bool recorder_shares_memory(void);

/* Around a call of libc's that forks: the end is for parent and child, and for a fork that failed. */
void recorder_fork_begin(void);
void recorder_fork_end(void);

/* The process ends by exit(3) or _exit(2). */
void recorder_exit(int status);

/* `run` is told that, after all that there is to tell of the process. */
void recorder_tell_leaving(int status);

/* The first thread ends here, and the process does not. */
void recorder_last_left(void);

/*
 * A thread of LTTng's waits for what comes by the socket. daemon: nothing will, as it is stopped; end: all of the program's
 * threads have ended, and nobody has noticed; status: the one that the process is to end with.
 */
enum awaited { AWAITED_message, AWAITED_daemon, AWAITED_end };
enum awaited recorder_last_wait(int socket, int *status);

/* Is nothing recorded, so that events are of use to the ledger alone? */
bool recorder_silent(void);

void recorder_count_lost(void);

#endif
