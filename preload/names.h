/*
 * Names by which an inode is known below /dev/shm. The kernel tells the one by which a descriptor was opened; the others are
 * looked for in the directories.
 */
#ifndef SHMGUARD_NAMES_H
#define SHMGUARD_NAMES_H

#include <stdbool.h>

#include "preload/identity.h"

typedef void names_function(const char *name, void *context);

/* Hands out the object's names right in the directory, "/dev/shm/..." each. */
void names_each(const struct identity *identity, names_function *each, void *context);

/*
 * A name that it has, not `but` (NULL: any of them), also below the directories that are there. False: it has none, or it
 * would take long to find.
 */
bool names_find(const struct identity *identity, const char *but, char name[static 512]);

/* The same for a directory. */
bool names_find_directory(uint64_t dev, uint64_t ino, char name[static 512]);

#endif
