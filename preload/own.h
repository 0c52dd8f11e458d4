/*
 * What in this process is ours and not the program's: LTTng-UST's and libunwind's code, whose calls pass through our
 * wrappers, and their descriptors, which the program must neither see, close nor collide with.
 */
#ifndef SHMGUARD_OWN_H
#define SHMGUARD_OWN_H

#include <stdbool.h>
#include <stdint.h>

/* Reads where our own text lies; the rest is found as it is loaded. */
void own_initialise(void);

/* Directory of libshmguard.so and its path, as the loader opened it. */
const char *own_path(void);

/* Is this address in libshmguard.so? */
bool own_text(uint64_t address);

/*
 * Does this return address lie in a library that we brought in, or is this thread doing its work? Another's wrapper of the
 * same call may stand between it and ours. Exact from the moment own_loading(true) was called.
 */
bool own_caller(const void *address);
void own_loading(bool now);
/* Has the program brought LTTng-UST itself? Its calls are known as such from then on. */
bool own_find_tracer(void);

/* Has the program functions that run before all constructors of libraries (DT_PREINIT_ARRAY)? */
bool own_program_prepares(void);

/* Has the program LTTng's own wrapper of fork(2), which holds the tracer's locks around it? */
bool own_tracer_forks(void);

/* This thread does our libraries' work from now on, or no more. Answers what was so before. */
bool own_at_work(bool now);
extern __thread bool own_thread;

/*
 * Moves a descriptor that a library of ours just made to the top of the range and hides it; answers its new number (the
 * old one when there is no room above). errno is kept.
 */
int own_fd_hide(int fd);
bool own_fd(int fd);
/* Our library closes it. */
void own_fd_forget(int fd);

/*
 * Around a call that gives a library of ours a descriptor, or takes one from it: for a moment the number is not hidden,
 * and a program that closes numbers it was never given (all of them, before an exec) would close it. False when the
 * caller is the program, or has waited too long for it: then nothing is to be ended. Signals are blocked meanwhile.
 */
bool own_changing(const void *caller);
void own_changed(bool changing);

/* Around a call by which the program closes descriptors; one that a cancellation ends costs the others this protection. */
bool own_closing(void);
void own_closed(bool closing);

/* In a forked child, or where our threads were ended: who was at it is not here. */
void own_fork_reset(void);
/* Lowest hidden descriptor in [first, last], or -1. */
int own_fd_next(unsigned first, unsigned last);

#endif
