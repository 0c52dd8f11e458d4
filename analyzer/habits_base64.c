/*
 * Words as Python's secrets.token_urlsafe() makes them: base64url, whose - and _ stand anywhere, and part it into what would
 * be taken for several words.
 */
#include <ctype.h>
#include <string.h>

#include "analyzer/habits_inner.h"

enum { SHORTEST = 11, PARTING_MAX = 2, PLAIN_MIN = 4 };

/* Of 8, 16 and 32 bytes; of 12 and 24 where it begins as no word does, which may be one that stands before. */
static bool is_usual(size_t length, size_t word)
{
	if (length == SHORTEST)
		return word <= PARTING_MAX;
	return length == 22 || length == 43 || (!word && (length == 16 || length == 32));
}

static size_t part(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]))
		length++;
	return length;
}

static size_t count_of(const char *text, size_t length, int (*kind)(int))
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += kind((unsigned char)text[i]) != 0;
	return count;
}

/* A word of a language is put beside it. */
static bool is_plain(const char *text, size_t length)
{
	return habits_word(text, length) && count_of(text, length, isalpha) >= PLAIN_MIN;
}

/* Half of it at least is in an order as in no word, and in capitals and small letters. */
static bool is_random(const char *text, size_t length, size_t odd)
{
	return 2 * odd >= length && count_of(text, length, isupper) && count_of(text, length, islower);
}

/* Most names hold no capital letter, and are not looked at more closely. */
static bool may_begin(const char *text)
{
	size_t length = 0, capitals = 0, parting = 0;

	for (; isalnum((unsigned char)text[length]) || text[length] == '-' || text[length] == '_'; length++) {
		capitals += isupper((unsigned char)text[length]) != 0;
		parting += !isalnum((unsigned char)text[length]);
	}
	return length >= SHORTEST && capitals && parting && text[0] != '-';
}

size_t habits_base64(const char *text)
{
	if (!may_begin(text))
		return 0;

	size_t at = part(text), odd = 0, longest = 0, word = habits_word(text, at) ? at : 0;

	if (word && text[at] && habits_base64(text + at + 1))
		return 0;
	for (const char *from = text;; from = text + at + 1, at += 1 + part(from)) {
		size_t length = (size_t)(text + at - from);

		if (is_plain(from, length))
			break;
		if (!habits_word(from, length))
			odd += length;
		if (from > text && is_usual(at, word) && is_random(text, at, odd))
			longest = at;
		if (text[at] != '-' && text[at] != '_')
			break;
	}
	return longest;
}
