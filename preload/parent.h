/*
 * The directory of a path, as a text of its own. Handlers on small stacks open files, too: a long one has its room elsewhere,
 * for which the kernel is asked.
 */
#ifndef SHMGUARD_PARENT_H
#define SHMGUARD_PARENT_H

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/kernel.h"

enum { PARENT_USUAL = 128 };

struct parent {
	char *room;
	char usual[PARENT_USUAL];
};

/* Of the path up to its last component, the slash included; 0: it is in the working directory. */
static inline size_t parent_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* So much of it, or "."; NULL: it is too long, or there is no memory. */
static inline const char *parent_begin(struct parent *parent, const char *path)
{
	size_t length = parent_length(path);
	bool usual = length < PARENT_USUAL;

	parent->room = usual || length >= PATH_MAX ? NULL : kernel_memory(PATH_MAX);
	char *text = usual ? parent->usual : parent->room;
	if (!text)
		return NULL;
	memcpy(text, length ? path : ".", length ? length : 1);
	text[length ? length : 1] = 0;
	return text;
}

static inline void parent_end(struct parent *parent)
{
	if (parent->room)
		kernel_memory_free(parent->room, PATH_MAX);
}

/* What that directory is; false: it cannot be known. */
static inline bool parent_stat(int dirfd, const char *path, struct stat *st)
{
	struct parent parent;
	const char *directory = parent_begin(&parent, path);
	bool known = directory && kernel_stat_at(dirfd, directory, 0, st) == 0;

	parent_end(&parent);
	return known;
}

#endif
