/* The entries of a directory, one after the other, without a stream or memory of the C library's: getdents64(2). */
#ifndef SHMGUARD_ENTRIES_H
#define SHMGUARD_ENTRIES_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

#include "preload/kernel.h"

struct entries {
	int fd;
	char *buffer; /* the caller's, aligned as a struct dirent64 */
	size_t size;  /* bytes */
	long at, got; /* got < 0 at the end: -errno */
};

/* Valid until the next; NULL: there is none, or it cannot be read. */
static inline const struct dirent64 *entries_next(struct entries *entries)
{
	if (entries->at >= entries->got) {
		entries->at = 0;
		entries->got =
			kernel_call(SYS_getdents64, entries->fd, (long)entries->buffer, (long)entries->size, 0, 0, 0);
	}
	if (entries->got <= 0)
		return NULL;
	const struct dirent64 *entry = (const void *)(entries->buffer + entries->at);
	entries->at += entry->d_reclen;
	return entry;
}

/* The directory itself, or the one above. */
static inline bool entries_is_dot(const struct dirent64 *entry)
{
	return entry->d_name[0] == '.' && (!entry->d_name[1] || (entry->d_name[1] == '.' && !entry->d_name[2]));
}

#endif
