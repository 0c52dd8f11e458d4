/* A profile and a policy file, read for a person: what is wrong with them is told on stderr. */
#ifndef SHMGUARD_POLICY_LOAD_H
#define SHMGUARD_POLICY_LOAD_H

#include "tracepoints/policy.h"

/*
 * NULL if there was an error; every one was told, a line each: "FILE:LINE: what; did you mean 'x'?". Either may be NULL.
 * To be freed by free(3).
 */
struct policy *policy_load(const char *profile, const char *file);

/* The same in one line, for what is not started then: the first error, and how many more there are. */
struct policy *policy_load_to_run(const char *profile, const char *file);

/* Is there such a profile? If not, it is told, with the nearest. */
bool policy_load_known(const char *profile);

#endif
