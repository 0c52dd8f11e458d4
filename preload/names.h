/*
 * Names by which an inode is known below /dev/shm. The kernel tells the one by which a descriptor was opened; the others are
 * looked for in the directories.
 */
#ifndef SHMGUARD_NAMES_H
#define SHMGUARD_NAMES_H

#include <stdbool.h>

#include "preload/identity.h"

/*
 * The name of the object to which the path leads, whatever symbolic links are on the way: a link's name is none of it. Of
 * what has no name, a path that leads to it by /proc.
 */
const char *names_followed(const char *path, struct identity *identity, char text[static 512]);

/* identity_of_path() of a path that is followed as flags say, and the object called by its own name. */
bool names_of_path(int dirfd, const char *path, int flags, struct identity *identity, char text[static 512]);

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
