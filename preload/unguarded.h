/* Programs into which the loader brings no preloaded library: no policy is in force there. */
#ifndef SHMGUARD_UNGUARDED_H
#define SHMGUARD_UNGUARDED_H

#include <stdbool.h>
#include <stddef.h>

enum { UNGUARDED_PATH = 4096 };

/*
 * Why the program that an exec of `file` would start is one, in a word; NULL: it is none, or cannot be looked at. searches:
 * along PATH, as execvp(3) does. path: what it is.
 */
const char *unguarded_program(const char *file, bool searches, char path[static UNGUARDED_PATH]);

/* Why the loader cannot bring our library into any program that is started now; NULL: it can. */
const char *unguarded_library(void);

#endif
