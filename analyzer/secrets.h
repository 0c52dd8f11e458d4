/*
 * What a policy says of secrets, kept in a recording's description, so that the report can tell what was left by processes
 * that were killed before they could wipe it.
 */
#ifndef SHMGUARD_SECRETS_H
#define SHMGUARD_SECRETS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tracepoints/policy.h"

/* The sections that set `secret`, in their order, with where they apply; NULL: there is none. */
json_t *secrets_describe(const struct policy *policy);

/* In the content of shm.json: "data" is true for the objects that may be secret and hold a byte that is not zero. */
void secrets_look(const json_t *secrets, json_t *look);

/* Does the policy call the object of that name secret, for that program of that effective user? */
bool secrets_hold(const json_t *secrets, const char *name, const char *exe, uint32_t uid);

#endif
