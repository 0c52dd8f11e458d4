/*
 * The directory of a path, as a text of its own. Handlers on small stacks open files, too: a long one has its room elsewhere,
 * for which the kernel is asked.
 */
#ifndef SHMGUARD_PARENT_H
#define SHMGUARD_PARENT_H

#include <limits.h>
#include <string.h>

#include "preload/kernel.h"

enum { PARENT_USUAL = 128 };

struct parent {
	const char *
		path; /* up to the last component, the slash included, or "."; NULL: it is too long, or there is no memory */
	size_t length; /* 0: "." */
	char *room;
	char usual[PARENT_USUAL];
};

static inline const char *parent_begin(struct parent *parent, const char *path)
{
	const char *slash = strrchr(path, '/');

	parent->length = slash ? (size_t)(slash - path) + 1 : 0;
	parent->room = parent->length < PARENT_USUAL ? NULL
		       : parent->length < PATH_MAX   ? kernel_memory(PATH_MAX)
						     : NULL;
	char *text = parent->length < PARENT_USUAL ? parent->usual : parent->room;
	parent->path = text;
	if (!text)
		return NULL;
	memcpy(text, slash ? path : ".", slash ? parent->length : 1);
	text[slash ? parent->length : 1] = 0;
	return text;
}

static inline void parent_end(struct parent *parent)
{
	if (parent->room)
		kernel_memory_free(parent->room, PATH_MAX);
}

#endif
