/* The nearest valid word to one that was mistyped. Neither stdio nor malloc. */
#ifndef SHMGUARD_WORDS_H
#define SHMGUARD_WORDS_H

#include <stddef.h>

struct nearest {
	const char *word; /* what was written */
	const char *best;
	size_t least; /* edits from the word to the best */
};

/* NULL for `word` is fine: then nothing is near. */
struct nearest nearest_to(const char *word);
void nearest_try(struct nearest *nearest, const char *candidate);

/* The nearest of all that were tried, the first of several, or NULL when more than half of the word would have to change. */
const char *nearest_found(const struct nearest *nearest);

#endif
