/* Programs into which the loader brings no preloaded library: no policy is in force there. */
#ifndef SHMGUARD_UNGUARDED_H
#define SHMGUARD_UNGUARDED_H

#include <stdbool.h>
#include <stddef.h>

enum { UNGUARDED_PATH = 4096 };

/* The program that an exec of `file` would start; searches: along PATH, as execvp(3) does. False: there is none. */
bool unguarded_find(const char *file, bool searches, char path[static UNGUARDED_PATH]);

/* Why that program is one, in a word; NULL: it is none, or cannot be looked at. path: what it is. */
const char *unguarded_program(const char *file, bool searches, char path[static UNGUARDED_PATH]);

/* Why the loader cannot bring our library into any program that is started now; NULL: it can. */
const char *unguarded_library(void);

struct unguarded_program {
	int dirfd; /* as of execveat(2), whose empty path is the descriptor itself; AT_FDCWD: none */
	const char *file;
	bool searches;
	bool elsewhere; /* it is perhaps started from another working directory */
};

/*
 * Would the loader bring our library into that program if only it could? False: never, or there is no such program. One that
 * cannot be looked at is taken to be such a one. path: what it is, but of a descriptor.
 */
bool unguarded_for_want(const struct unguarded_program *program, char path[static UNGUARDED_PATH]);

#endif
