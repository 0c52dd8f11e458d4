/* Zeroing of objects, as measured on tmpfs: a hole is punched, or what is reserved is overwritten. */
#ifndef SHMGUARD_WIPE_H
#define SHMGUARD_WIPE_H

#include <stdbool.h>

#include "preload/identity.h"

/*
 * Does the kernel say that the program may not (EACCES)? It says nothing before Linux 5.8, nor where a filter of system calls
 * answers: what is not permitted fails then when it is tried.
 */
bool wipe_refused(int fd, int access);

/*
 * A descriptor (O_PATH) of what lies at the path, to wipe it by or, where that is not permitted, to see what is not wiped;
 * -errno: that has pages, and can neither be read nor written, nor has the program it open or mapped to be written.
 */
int wipe_open(int dirfd, const char *path);

/* Does any byte of the object differ from zero? Holes are not read; what cannot be read but for its holes may. */
bool wipe_has_data(int fd, const struct identity *identity);

/*
 * 0 only when no byte of the old content is left, else an errno: a sealed object is not wiped, nor is one that may not be
 * written, by its mode or by what the program has of it. Its pages are freed, except that one which goes on to be used and
 * had memory for all of it keeps that: it is overwritten, unless it may not be read, as only pages that are gone are seen then
 * to be empty. A large one takes long: `unused` is asked now and then whether that is still so (EBUSY if not).
 */
int wipe_object(int fd, const struct identity *identity, bool goes_on, bool (*unused)(const struct identity *identity));

/* Frees [from, to) of the object, bytes; -errno if the kernel refuses. */
long wipe_punch(int fd, uint64_t from, uint64_t to);

/*
 * Allocates [from, to) in pieces, against signals, of whatever size the object is: how many bytes are new, or -errno. Then what
 * is new of it has been freed.
 */
long wipe_reserve(int fd, uint64_t from, uint64_t to);

/* How much of [from, to) has data, by whole pages: what is reserved and untouched has none. -errno: that cannot be seen. */
long wipe_held(int fd, const struct identity *identity, uint64_t from, uint64_t to);

#endif
