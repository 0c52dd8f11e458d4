/* Zeroing of objects, as measured on tmpfs: punched where nobody maps them, overwritten where somebody does. */
#ifndef SHMGUARD_WIPE_H
#define SHMGUARD_WIPE_H

#include <stdbool.h>

#include "preload/identity.h"

enum wipe_how {
	WIPE_unused, /* fallocate(2) PUNCH_HOLE up to the page that holds the end: frees the pages, mappers survive */
	WIPE_in_use, /* zeros over the extents that have data, so that reserved pages stay and no hole is filled */
};

/* Of what lies at the path, no link: to wipe it or, where that is not permitted, to see what is not wiped; -1. */
int wipe_open(int dirfd, const char *path);

/* Does any byte of the object differ from zero? Holes are not read. */
bool wipe_has_data(int fd, const struct identity *identity);

/* True only when no byte of the old content is left: a sealed object, or one that may not be written, is not wiped. */
bool wipe_object(int fd, const struct identity *identity, enum wipe_how how);

/* Frees [from, to) of the object, bytes; -errno if the kernel refuses. */
long wipe_punch(int fd, uint64_t from, uint64_t to);

/* Allocates [0, length) in pieces, against signals; undone on failure. 0, or an errno. */
int wipe_reserve(int fd, uint64_t old_length, uint64_t length);

#endif
