/*
 * Whether modules have come or gone, without the loader's lock: dl_iterate_phdr(3), which alone tells it, takes that at each
 * call, and in a child whose parent had other threads it may stay taken for ever (glibc resets it in no fork).
 *
 * The counters that dl_iterate_phdr hands out lie in the loader's data, _rtld_global. Where, it says nowhere: they are looked
 * for as what had their values before and after libraries of ours were loaded.
 */
#ifndef SHMGUARD_MODULE_WATCH_H
#define SHMGUARD_MODULE_WATCH_H

#include <stdbool.h>

/* Before and after libraries are loaded, by the same thread. */
void module_watch_begin(void);
void module_watch_end(void);

/* False: they were not found, and nothing below is to be called. */
bool module_watch_works(void);

/* A number that is another when modules have come or gone; of libraries in a namespace of their own only when they come. */
unsigned long long module_watch_state(void);

#endif
