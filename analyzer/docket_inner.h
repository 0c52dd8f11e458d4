/* Shared by the parts of docket. */
#ifndef SHMGUARD_DOCKET_INNER_H
#define SHMGUARD_DOCKET_INNER_H

#include "docket.h"
#include "shelves.h"

enum ordered {
	ORDERED_past_end,  /* mapped past the end, by where that ends */
	ORDERED_inherited, /* the same, which only children by fork have yet */
	ORDERED_trimmed,   /* the same, given up so far as it has no pages; a child may have it and touch it */
	ORDERED_shrunk,    /* under its own mapping, not long ago, by its edge */
	ORDERED_COUNT
};

enum waiting {
	WAITING_full,    /* more than its file system has */
	WAITING_mapped,  /* shrunk under another's mapping, or longer ago: for a SIGBUS alone */
	WAITING_settled, /* what became of it is known, but its call may still prove not to have been made */
	WAITING_COUNT
};

/* One process's charges at one object; there is at least one. */
struct docket {
	LIST_ENTRY(docket) of_object, of_process;
	const struct object *object;
	const struct process *process;
	struct shelves ordered[ORDERED_COUNT];
	struct charges waiting[WAITING_COUNT];
	uint32_t latest; /* none is of a later call */
};

LIST_HEAD(docket_list, docket);

struct dockets {
	struct docket_list list;
	uint64_t lowest; /* of an object: none that is past the end ends below that */
	size_t full;
};

struct dockets *docket_list_of(struct map *map, const void *of);
void docket_leave_if_empty(struct court *court, struct docket *docket);
/* The docket may have some that end lower by now than the others of the object. */
void docket_lower(struct dockets *dockets, const struct docket *docket);
/* Of one that is in no list any more. */
void docket_dismiss(struct court *court, struct charge *charge, docket_close *close);
void docket_dismiss_list(struct court *court, struct charges *list, docket_close *close);
void docket_dismiss_ordered(struct court *court, struct docket *docket, enum ordered from, docket_close *close);
void docket_dismiss_but_full(struct court *court, struct docket *docket, docket_close *close);
void docket_take_all(struct shelves *shelves, struct charges *list);

#endif
