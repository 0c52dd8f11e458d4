/* A stack as the reports show it: a line for every function, those that were inlined included. */
#ifndef SHMGUARD_SPOTS_H
#define SHMGUARD_SPOTS_H

#include "analyzer/report.h"

struct spot {
	const struct frame *frame;
	const char *function, *file; /* NULL: unknown; valid as long as the report's symbols */
	unsigned line;               /* 0: unknown */
	bool inlined;
	bool borrowed;   /* as in struct symbols_frame */
	const char *own; /* as there */
	const char *why; /* why nothing is known; NULL otherwise */
};

/* What stands for the outermost frames of a stack that is cut. */
#define SPOTS_CUT "those further out, which are not recorded"
#define SPOTS_CUT_FRAME "[cut]"

struct spots {
	struct spot *all; /* innermost first */
	size_t count;
	bool cut;
};

/* stack may be NULL. To be released by spots_free(). */
struct spots spots_of(const struct report *report, const struct stack *stack);
void spots_free(struct spots *spots);

/* The innermost that is the program's own, not libc's or ours; NULL when there is none. */
const struct spot *spots_own(const struct spots *spots);
/* The next one of the program's own further out; NULL when there is none. */
const struct spot *spots_own_caller(const struct spots *spots, const struct spot *spot);

/* "function", or "module+0x1f0"; valid UTF-8, to be freed. */
char *spot_label(const struct spot *spot);
/* "file.c:12", "module+0x1f0"; valid UTF-8, to be freed. */
char *spot_place(const struct spot *spot);

/* What is called to get to main() or to the kernel, and never is where the mistake lies. */
bool spots_is_plumbing(const struct module *module);

/* Whether the frame of that number is shown: our own, through which every thread starts, only where there is no other. */
bool spots_shows(const struct stack *stack, size_t nth);

/* The path without "." and "dir/..", relative to where the program was started if it lies there; to be freed. */
char *spots_file(const struct report *report, const char *file);

#endif
