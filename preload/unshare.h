/* Shared mappings of this process that become private memory, while its threads go on using them. */
#ifndef SHMGUARD_UNSHARE_H
#define SHMGUARD_UNSHARE_H

#include <stdbool.h>

#include "preload/identity.h"

/*
 * Of an object that is empty, as the process is about to end: zeros of its own take the place of every shared mapping, at
 * once for all of its threads, which neither read nor write the object by them any more. False: one is left that can be
 * written, or may be.
 */
bool unshare_mappings(const struct identity *identity);

#endif
