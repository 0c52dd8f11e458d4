/*
 * What moves in shared memory: looks at the machine, one after the other, and what grew between the last two. Bytes, and
 * bytes a second. Names as of machine.h: escape.h before they are shown.
 */
#ifndef SHMGUARD_TOP_H
#define SHMGUARD_TOP_H

#include "analyzer/machine.h"

#define TOP_SORTS(X)                                                                                                   \
	X(resident, 'r', "RES")                                                                                        \
	X(size, 's', "SIZE")                                                                                           \
	X(growth, 'g', "GROWTH/s")                                                                                     \
	X(name, 'n', "NAME")                                                                                           \
	X(age, 'a', "AGE")                                                                                             \
	X(holders, 'h', "holders")

enum top_sort {
#define TOP_SORT_ENUMERATOR(name, key, heading) TOP_##name,
	TOP_SORTS(TOP_SORT_ENUMERATOR)
#undef TOP_SORT_ENUMERATOR
		TOP_SORT_COUNT
};

enum top_view { TOP_flat, TOP_by_object, TOP_by_process, TOP_VIEW_COUNT };

struct top_settings {
	enum top_sort sort;
	bool reversed;
	enum top_view view;
	char filter[64]; /* part of a name or of a program, or a glob of it; empty: all */
};

/* A file system of objects that has a limit, or is a /dev/shm. */
struct top_fs {
	const struct machine_fs *fs;
	double growth;
	double full_in; /* seconds until it is full if it goes on like this; negative: it does not grow, or has no limit */
};

/* A line of the table: an object or a process, on top or below the other. */
struct top_line {
	unsigned depth;
	const struct machine_object *object;   /* NULL: a process on top */
	const struct machine_process *process; /* NULL: an object on top */
	bool holder;                           /* below an object: one that holds it */
	uint64_t allocated, size;
	double growth;
	size_t holders; /* of an object; of a process: objects that it holds */
};

struct top {
	struct machine *machine; /* the latest look */
	struct top_fs *fs;
	size_t fs_count;
	double seconds;       /* between the last two looks; 0: there was only one, and all growth is 0 */
	struct map before;    /* the look before it: (device, inode) -> allocated + 1 */
	struct map fs_before; /* (device, 0) -> used + 1 */
};

/* Another look. False: *error is one line for free(3), and the last look stays. */
bool top_look(struct top *top, char **error);
void top_free(struct top *top);

/* Is it an object that a person looks for here? */
bool top_shows(const struct machine_object *object);

double top_growth(const struct top *top, const struct machine_object *object);

/* In the order of the settings; for free(3). */
struct top_line *top_lines(const struct top *top, const struct top_settings *settings, size_t *count);

#endif
