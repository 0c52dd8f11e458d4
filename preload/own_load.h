/*
 * The libraries of a recording come into the process, for good. A program may have a function that is named as one of
 * libc's and is another: they are not to call it.
 */
#ifndef SHMGUARD_OWN_LOAD_H
#define SHMGUARD_OWN_LOAD_H

#include <stdbool.h>

/* A library that lies beside us and needs us; NULL: it cannot be had. */
void *own_load(const char *name);

/* One of the system's, which does not know of us. */
void *own_load_foreign(const char *name);

/* Libc's function of that name, or a sanitizer's that stands for it. */
void *own_load_function(const char *name);

/* What the loader has to say of the last failure; whoever asks dlerror(3) then is told nothing of ours. */
const char *own_load_error(void);

/* Has the program a sanitizer, whose functions stand for libc's in our libraries, too? */
bool own_load_sanitized(void);
/* Is that ThreadSanitizer? */
bool own_load_thread_sanitized(void);

/*
 * Does somebody stand between us and libc's dlopen(3)? He may have a lock of his own, to be taken before the loader's. The
 * sanitizers have none that they hold there.
 */
bool own_load_passes_others(void);

#endif
