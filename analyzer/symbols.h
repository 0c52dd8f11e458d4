/*
 * Names for addresses: (module, offset) to function, file, line and the functions inlined there.
 *
 * Answers are kept, can be written to a recording's directory and are taken from there first, so that a report made
 * elsewhere, without the binaries, reads the same. A file is believed only if its build-id is the recorded one; separate
 * debug files are found by build-id and by debuglink. Nothing is ever fetched from a network.
 */
#ifndef SHMGUARD_SYMBOLS_H
#define SHMGUARD_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names are bytes of the binary, not escaped. Innermost first: every frame but a symbol's last was inlined into the next. */
struct symbols_frame {
	const char *function; /* demangled; NULL: unknown */
	uint64_t into;        /* bytes from the function's beginning; 0 when file and line tell it */
	const char *file;     /* NULL: unknown */
	unsigned line;        /* 0: unknown */
	bool inlined;
	bool borrowed; /* another machine may not know it: it came from a separate debug file */
	/* The name that fingerprints have: if borrowed, by the file's own tables, or NULL; else NULL if it is `function`. */
	const char *own;
};

struct symbols_answer {
	size_t count; /* 0: nothing known */
	struct symbols_frame *frames;
	const char *why; /* why nothing is known; NULL otherwise */
};

/* What a recorded address is: the place a call returns to, or the very instruction that was interrupted. */
enum symbols_address { SYMBOLS_RETURN, SYMBOLS_EXACT };

struct symbols;

/*
 * Takes over what an earlier symbols_save() left in `dir` (NULL: nothing). *problem: NULL, or one line on why what lies
 * there could not be used, to be freed by the caller; the result is usable either way.
 */
struct symbols *symbols_open(const char *dir, char **problem);
/* Takes over what lies in another recording's directory as well. */
void symbols_add(struct symbols *symbols, const char *dir, char **problem);

/*
 * offset: the address less the module's load bias. build_id: hexadecimal or "". The answer belongs to `symbols` and
 * lives as long.
 */
const struct symbols_answer *symbols_resolve(struct symbols *symbols, const char *path, const char *build_id,
					     uint64_t offset, enum symbols_address what);

/* Writes every answer given so far to dir/symbols.json, whole or not at all. 0, or -1 with errno. */
int symbols_save(const struct symbols *symbols, const char *dir);

void symbols_close(struct symbols *symbols);

#endif
