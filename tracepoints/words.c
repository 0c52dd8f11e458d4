#include "words.h"

#include <stdbool.h>
#include <string.h>

enum { LONGEST = 64 };

/* Of ASCII, whatever the locale. */
static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edits (insert, delete, replace) that make one word of the other, in whatever case, or `limit`; both shorter than LONGEST. */
static size_t distance(const char *from, const char *to, size_t limit)
{
	size_t row[LONGEST];
	size_t width = strlen(to);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; from[i - 1] != '\0'; i++) {
		size_t diagonal = row[0], least = i;

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t above = row[j];
			size_t best = diagonal + (small(from[i - 1]) != small(to[j - 1]));

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
			if (best < least)
				least = best;
		}
		if (least >= limit)
			return limit;
	}
	return row[width] < limit ? row[width] : limit;
}

struct nearest nearest_to(const char *word)
{
	bool fit = word && strlen(word) < LONGEST;

	/* More edits than half of the word are not worth counting. */
	return (struct nearest){fit ? word : NULL, NULL, fit ? strlen(word) / 2 + 1 : 0};
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t length = nearest->word ? strlen(nearest->word) : 0, other = strlen(candidate), edits;

	if (!length || other >= LONGEST)
		return;
	/* A part of a long name was meant for the whole of it. */
	if (length > 3 && strstr(candidate, nearest->word))
		edits = 1;
	else if ((length > other ? length - other : other - length) >= nearest->least)
		return;
	else
		edits = distance(nearest->word, candidate, nearest->least);
	if (edits < nearest->least) {
		nearest->best = candidate;
		nearest->least = edits;
	}
}

const char *nearest_found(const struct nearest *nearest)
{
	return nearest->best;
}
