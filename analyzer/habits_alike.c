/*
 * Random words among names. One that holds letters alone looks like a word, and one of digits like a number: several names
 * that are otherwise alike show where such a word stands.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"

enum {
	RANDOM_MIN = 6,
	MIXED_MIN = 4,
	UNIT_MAX = 2,
	COUNT_MAX = 3,
	WORD_MIN = 3,
	SCRAMBLE_MIN = 8,
	SAMPLE_MAX = 128,
	OTHERS_MAX = 8
};

/* What often follows each letter in words, English or abbreviated. */
static const char *const followers[26] = {
	"bcdgilmnprstuvy",
	"aeilorsuy",
	"aehiklorstuy",
	"adeiorsu",
	"acdeflmnprstvxy",
	"aefilortu",
	"aeghilnorsu",
	"aeiortuy",
	"acdefglmnoprstvz",
	"aeou",
	"aeilnsy",
	"adefiklmostuvy",
	"abeimopsuy",
	"acdefgiknostuvy",
	"bcdfgklmnoprstuvwx",
	"aehiloprstuy",
	"u",
	"acdegiklmnorstuvy",
	"acehiklmnopqstuwy",
	"acehilorstuwy",
	"abcdefgilmnprst",
	"aeio",
	"aehinors",
	"aceiptu",
	"aelmnopst",
	"aeioz",
};

/* How many of that kind it begins with. */
static size_t begins_with(const char *text, size_t length, int (*is)(int))
{
	size_t count = 0;

	while (count < length && is((unsigned char)text[count]))
		count++;
	return count;
}

static size_t letters_in(const char *text, size_t length)
{
	return begins_with(text, length, isalpha);
}

static size_t digits_in(const char *text, size_t length)
{
	return begins_with(text, length, isdigit);
}

static bool begins_word(const char *letters, size_t at)
{
	return at && isupper((unsigned char)letters[at]) && islower((unsigned char)letters[at - 1]);
}

/* Pairs of letters that are seldom in words. */
static size_t odd_pairs(const char *letters, size_t length)
{
	size_t odd = 0;

	for (size_t i = 1; i < length; i++)
		odd += !begins_word(letters, i) && !strchr(followers[tolower((unsigned char)letters[i - 1]) - 'a'],
							   tolower((unsigned char)letters[i]));
	return odd;
}

/* Of several that are put together, as in PostgreSQL, each is short: no pair of them may be odd. */
static bool are_words(const char *letters, size_t length)
{
	size_t from = 0;

	for (size_t i = 1; i < length; i++) {
		bool begins = begins_word(letters, i);

		if (islower((unsigned char)letters[i]) && isupper((unsigned char)letters[i - 1]) && i - 1 > from)
			return false;
		if (begins && i - from < WORD_MIN)
			return false;
		from = begins ? i : from;
	}
	return from ? length - from >= WORD_MIN && !odd_pairs(letters, length)
		    : odd_pairs(letters, length) <= length / 5;
}

bool habits_word(const char *text, size_t length)
{
	const char *end = text + length;

	for (;; text++) {
		size_t part = 0;
		while (text + part < end && text[part] != '_')
			part++;
		size_t letters = letters_in(text, part), digits = part - letters;

		if (!part || digits > COUNT_MAX || strspn(text + letters, "0123456789") < digits ||
		    !are_words(text, letters))
			return false;
		text += part;
		if (text == end)
			return true;
	}
}

static bool is_hexadecimal(const char *text, size_t length)
{
	return begins_with(text, length, isxdigit) == length;
}

/* As 720p, 64MB and 8bit. */
static bool has_unit(const char *word, size_t length)
{
	size_t digits = digits_in(word, length), letters = length - digits;

	return letters_in(word + digits, letters) == letters &&
	       (letters <= UNIT_MAX || are_words(word + digits, letters));
}

bool habits_mixed(const char *word, size_t length)
{
	size_t letters = letters_in(word, length), digits = digits_in(word + letters, length - letters);

	if (length < MIXED_MIN || length >= RANDOM_MIN || !digits || letters + digits == length ||
	    memchr(word, '_', length))
		return false;
	return is_hexadecimal(word, length) || !has_unit(word, length);
}

/* Where each capital would begin a word: how many are none. */
static size_t short_words(const char *letters, size_t length)
{
	size_t count = 0, from = 0;

	for (size_t i = 1; i <= length; i++) {
		if (i < length && !begins_word(letters, i))
			continue;
		count += i - from < WORD_MIN;
		from = i;
	}
	return count;
}

bool habits_scrambled(const char *word, size_t length)
{
	size_t letters = letters_in(word, length), odd = odd_pairs(word, letters);

	if (letters < SCRAMBLE_MIN)
		return false;
	return (odd > 1 && short_words(word, letters) > 1) ||
	       (3 * odd >= 2 * (letters - 1) && letters + digits_in(word + letters, length - letters) == length);
}

/* As of Python's tempfile: small letters, digits and _ in any order. */
bool habits_tempfile(const char *token, size_t length)
{
	return length == strlen("????????") && strspn(token, "abcdefghijklmnopqrstuvwxyz0123456789_") >= length &&
	       !habits_word(token, length) && letters_in(token, length) < length &&
	       strcspn(token, "0123456789_") < length &&
	       letters_in(token, length) + strspn(token + letters_in(token, length), "0123456789") < length;
}

/* How long random words are made: where two begin or end alike by chance, they were longer than they look. */
static bool is_usual(size_t length)
{
	return length % 4 == 0 || length == 6 || length == 10 || length == 22;
}

struct stretch {
	size_t from, to;
};

/* Where two tokens of a length differ, as far as it may have been random. */
static struct stretch differing(const char *a, const char *b, size_t length)
{
	struct stretch at = {0, length};
	size_t left, right;

	while (at.from < at.to && a[at.from] == b[at.from])
		at.from++;
	while (at.to > at.from && a[at.to - 1] == b[at.to - 1])
		at.to--;
	for (left = at.from; left && a[left - 1] != '_'; left--)
		;
	for (right = at.to; right < length && a[right] != '_'; right++)
		;
	if (is_usual(right - left))
		return (struct stretch){left, right};
	for (; at.to < length && !is_usual(at.to - at.from); at.to++)
		;
	for (; at.from && !is_usual(at.to - at.from); at.from--)
		;
	return at;
}

/* Could it be one of those that are mixed? Few of them look like a word, and fewer like one of letters alone. */
static bool may_be_mixed(const char *word, size_t length)
{
	return !habits_word(word, length) || (is_hexadecimal(word, length) && letters_in(word, length) < length);
}

/* Short ones: what is counted, or is a word, stays beside a mixed one, but for numbers that have letters in other places. */
static bool are_short_random(const char *a, const char *b, size_t length)
{
	if (habits_mixed(a, length) || habits_mixed(b, length))
		return may_be_mixed(a, length) && may_be_mixed(b, length);
	return is_hexadecimal(a, length) && is_hexadecimal(b, length) && may_be_mixed(a, length) &&
	       may_be_mixed(b, length) && letters_in(a, length) != letters_in(b, length);
}

/* Words that differ in nearly all of their characters, and of which one is no word of a language. */
static bool are_random(const char *a, const char *b, struct stretch at)
{
	size_t length = at.to - at.from, differ = 0;

	for (size_t i = at.from; i < at.to; i++)
		differ += a[i] != b[i];
	a += at.from;
	b += at.from;
	if (2 * differ < length)
		return false;
	return length >= RANDOM_MIN ? !habits_word(a, length) || !habits_word(b, length)
				    : length >= MIXED_MIN && are_short_random(a, b, length);
}

/* What is random of a token as another shows; from its end on: nothing. */
static struct stretch random_in(const char *token, size_t length, const char *other, size_t other_length)
{
	struct stretch at = {length, length};

	if (length < MIXED_MIN || length != other_length || memcmp(token, other, length) == 0)
		return at;
	at = differing(token, other, length);
	return are_random(token, other, at) ? at : (struct stretch){length, length};
}

/* Have they the same characters between as many tokens, of which one at least is random? */
static bool are_alike(const char *x, const char *y)
{
	bool random = false;

	while (*x && *y) {
		size_t length = habits_token(x), other = habits_token(y);

		if (!length != !other || (!length && *x != *y))
			return false;
		random = random || random_in(x, length, y, other).from < length;
		x += length ? length : 1;
		y += other ? other : 1;
	}
	return random && !*x && !*y;
}

/* The glob for `a`, where a name that is alike shows what of it is random. */
static char *shown_by(const struct habits_name *a, const struct habits_name *b)
{
	const char *x = a->sample, *y = b->sample;
	struct habits_place place = {.first = true};
	char *text = NULL;
	size_t room;
	FILE *glob = open_memstream(&text, &room);

	while (glob && *x) {
		size_t length = habits_token(x), other = habits_token(y);
		struct stretch at = random_in(x, length, y, other);

		habits_put(glob, &place, x, length ? at.from : 1, &a->pids);
		habits_put_random(glob, at.to - at.from);
		habits_put(glob, &place, x + at.to, length - at.to, &a->pids);
		x += length ? length : 1;
		y += other ? other : 1;
	}
	if (glob)
		fclose(glob);
	return text;
}

static bool is_candidate(const struct habits_name *name)
{
	return name->sample && !name->lasts && strlen(name->sample) <= SAMPLE_MAX;
}

static size_t width(const char *glob)
{
	size_t marks = 0;

	for (; *glob; glob++)
		marks += *glob == '?';
	return marks;
}

/*
 * By several others: two may have ended alike by chance, and a name by itself may have shown more. What comes in more than
 * one recording is the same from run to run.
 */
void habits_compare(struct habits_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *widest = NULL;

		for (size_t j = 0, others = 0; j < count && others < OTHERS_MAX && is_candidate(&names[i]); j++) {
			if (j == i || !is_candidate(&names[j]) || !are_alike(names[i].sample, names[j].sample))
				continue;
			char *glob = shown_by(&names[i], &names[j]);
			bool wider = glob && width(glob) > width(widest ? widest : names[i].glob);

			others++;
			free(wider ? widest : glob);
			widest = wider ? glob : widest;
		}
		if (!widest)
			continue;
		free(names[i].glob);
		names[i].glob = widest;
	}
}
