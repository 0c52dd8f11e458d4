/* Directories below /dev/shm that are renamed: their own names are no object's, what lies below them follows. */
#ifndef SHMGUARD_ENFORCE_DIRECTORY_H
#define SHMGUARD_ENFORCE_DIRECTORY_H

#include <sys/stat.h>

#include "preload/enforce_open.h"

/* What lies there: 0, or the errno that the kernel answers. */
int enforce_look_at(const struct enforce_place *place, struct stat *st);

/*
 * Does something lie at the place that may have the name under that list: a directory, as names of the list may lie below it,
 * or as it holds nothing but directories; or what is no object, as a link?
 */
bool enforce_directory_allowed(const struct policy_list *names, const struct enforce_place *at, const char *name);

/* The errno of the kernel for what it would neither rename nor link, or not remove; 0: it would, or that cannot be known. */
int enforce_in_vain(const struct enforce_moving *m);
int enforce_removed_in_vain(const struct enforce_place *at);
/* The same of what is to be made where nothing is, and of what is there and was not to be. */
int enforce_made_in_vain(int dirfd, const char *path, enum enforce_maker maker);
int enforce_made_twice(const char *path, enum enforce_maker maker);
/* Does the place, or with an empty path what its descriptor is of, lie on a mount, or a file system, that is read-only? */
bool enforce_read_only(const struct enforce_place *place);

#endif
