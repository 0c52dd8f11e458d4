/* Where paths lead, as the kernel names it. */
#ifndef SHMGUARD_PLACE_H
#define SHMGUARD_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* The name of what lies at the path, whatever links lead there; false: nothing does, or there is no room for it. */
bool place_real(int dirfd, const char *path, char *text, size_t size);

/*
 * The same of the directory it lies in, "" where /proc is missing, and its own last component behind that, cut where there is
 * no room. False: the directory cannot be looked at.
 */
bool place_of(int dirfd, const char *path, char text[static 512]);

#endif
