/* DIR, the directory that a recording goes to: trace/ for CTF alone, everything else beside it. */
#ifndef SHMGUARD_DIRECTORY_H
#define SHMGUARD_DIRECTORY_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

struct directory {
	char path[PATH_MAX], trace[PATH_MAX]; /* absolute */
	bool made;                            /* it did not exist before */
};

/* Makes `path`, or takes it if it is an empty directory that can be written. 0, or -1 and *error, a line for free(3). */
int directory_make(struct directory *directory, const char *path, char **error);

/* Takes away what was made, when there is to be no recording after all. */
void directory_discard(const struct directory *directory);

/* Takes away what is in trace/. */
void directory_empty_trace(const struct directory *directory);

/* Writes `name` so that it is there whole or not at all, and frees `json`. 0, or -1 and *error. */
int directory_write(const struct directory *directory, const char *name, json_t *json, char **error);

#endif
