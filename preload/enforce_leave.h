/* The policy when an object's last user goes: what is marked secret, or to be zeroed then, must not outlive it. */
#ifndef SHMGUARD_ENFORCE_LEAVE_H
#define SHMGUARD_ENFORCE_LEAVE_H

#include "preload/enforce.h"
#include "preload/ledger.h"

/* Wipes the object, if it has data and nobody uses it, where `zero` or the action of secret-left say so; tells it. */
void enforce_leave(const struct policy_decision *decision, int fd, const struct identity *identity, bool unused,
		   bool zero);

/* A mapping of the object is gone: was it the last one of all? False: nothing was done that is to be recorded. */
bool enforce_last_unmap(const struct object *object, const void *caller);

/* The process ends, and all its mappings with it. record: what was done to that object. */
void enforce_exit(void (*record)(const struct object *object));

#endif
