/* Names that change from run to run: their numbers and random words become globs as narrow as the names were. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"
#include "tracepoints/policy.h"

/* A number of fewer digits counts something, unless it is the pid; longer ones are pids and random. */
enum { NUMBER_MIN = 4, PID_MIN = 2, HEXADECIMAL_MIN = 3, PID_MAX = 9, JUMBLE_MIN = 6, GLOB_MAX = 160 };

/* Is what begins here a capital before small letters, or the last of the word and all capitals, as in PostgreSQL? */
static bool is_capital(const char *word, size_t length)
{
	size_t capitals = 0;

	while (capitals < length && isupper((unsigned char)word[capitals]))
		capitals++;
	return capitals == length || (capitals == 1 && islower((unsigned char)word[1]));
}

/* Do letters and digits, or cases, follow each other as in no word? */
static bool is_jumble(const char *word, size_t length)
{
	for (size_t i = 1; i < length && length >= JUMBLE_MIN; i++) {
		bool capital = is_capital(word + i, length - i);

		if (isdigit((unsigned char)word[i - 1]) && !isdigit((unsigned char)word[i]))
			return true;
		if (islower((unsigned char)word[i - 1]) && isupper((unsigned char)word[i]) && !capital)
			return true;
	}
	return false;
}

/* With a digit at least: letters alone are a word. */
static bool is_hexadecimal(const char *word, size_t length)
{
	size_t digits = 0;

	for (size_t i = 0; i < length; i++) {
		if (!isxdigit((unsigned char)word[i]))
			return false;
		digits += isdigit((unsigned char)word[i]) != 0;
	}
	return length >= JUMBLE_MIN && digits && digits < length;
}

static size_t digits_behind(const char *word, size_t length)
{
	size_t digits = 0;

	while (digits < length && isdigit((unsigned char)word[length - 1 - digits]))
		digits++;
	return digits;
}

/* A character as itself; what a policy's list could not hold as one that any character takes. */
static void put_literal(FILE *glob, char c)
{
	if (strchr("*?[", c))
		fprintf(glob, "[%c]", c);
	else
		fputc(strchr(",;#", c) || !isgraph((unsigned char)c) ? '?' : c, glob);
}

/* In a container a pid is short. */
static bool is_pid(const char *digits, size_t length, int base, const struct habits_pids *pids)
{
	char text[PID_MAX + 1] = "", *end;

	if (!pids || length < (base == 16 ? HEXADECIMAL_MIN : PID_MIN) || length > PID_MAX ||
	    strspn(digits, "0123456789ABCDEFabcdef") < length)
		return false;
	memcpy(text, digits, length);
	long number = strtol(text, &end, base);
	bool one_of_them = false;

	for (size_t i = 0; i < HABITS_PIDS; i++)
		one_of_them |= number == pids->all[i];
	return !*end && number > 1 && one_of_them;
}

/* Beside a pid in such digits; letters alone are a word, unless they are many. */
static bool is_like_pid(const char *word, size_t length)
{
	return length >= HEXADECIMAL_MIN && strspn(word, "0123456789ABCDEFabcdef") >= length &&
	       (length >= NUMBER_MIN || strcspn(word, "0123456789") < length);
}

void habits_put_random(FILE *glob, size_t length)
{
	for (size_t i = 0; i < length; i++)
		fputc('?', glob);
}

/* Letters and digits. True: its number is a pid. */
static bool put_word(FILE *glob, struct habits_place *place, const char *word, size_t length,
		     const struct habits_pids *pids)
{
	size_t digits = digits_behind(word, length), plain = length;
	bool pid = is_pid(word + length - digits, digits, 10, pids),
	     other = !(pid && digits == length) && is_pid(word, length, 16, pids);

	if (other || (place->hexadecimal && is_like_pid(word, length))) {
		fputs("[0-9A-Fa-f]*", glob);
		place->hexadecimal = true;
		return other;
	}
	if (is_jumble(word, length) || is_hexadecimal(word, length) || habits_scrambled(word, length) ||
	    habits_mixed(word, length)) {
		habits_put_random(glob, length);
		return false;
	}
	if (digits >= NUMBER_MIN || pid)
		plain -= digits;
	for (size_t i = 0; i < plain; i++)
		put_literal(glob, word[i]);
	if (plain < length)
		fputs("[0-9]*", glob);
	return pid;
}

/* A UUID: groups of hexadecimal digits, which one by one may look like words and small numbers. */
static size_t uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t at = 0;

	while (form[at] && (form[at] == 'x' ? isxdigit((unsigned char)text[at]) : text[at] == '-'))
		at++;
	return form[at] || text[at] == '_' || isalnum((unsigned char)text[at]) ? 0 : at;
}

/* Of what has more than letters, digits and _, or may have them in any order. */
static size_t random_word(const char *text)
{
	size_t length = uuid(text);

	return length ? length : habits_base64(text);
}

size_t habits_token(const char *text)
{
	size_t length = random_word(text);

	if (length)
		return length;
	while (text[length] == '_' || isalnum((unsigned char)text[length]))
		if (text[length++] == '_' && habits_base64(text + length))
			break;
	return length;
}

/* As Python's tempfile and mkdtemp(3) name by default what they make. */
static bool is_default(const char *token, size_t length)
{
	return length == strlen("tmp????????") && strncmp(token, "tmp", strlen("tmp")) == 0 &&
	       strspn(token, "abcdefghijklmnopqrstuvwxyz0123456789_") >= length;
}

/* Of the one that begins a token. */
static size_t word_length(const char *token, size_t length)
{
	const char *end = memchr(token, '_', length);

	return end ? (size_t)(end - token) : length;
}

/* True: the last of them is a pid. */
static bool put_words(FILE *glob, struct habits_place *place, const char *token, size_t length,
		      const struct habits_pids *pids)
{
	bool pid = false;

	for (size_t word; length; token += word, length -= word) {
		word = word_length(token, length);
		if (word) {
			pid = put_word(glob, place, token, word, pids);
			continue;
		}
		put_literal(glob, token[word++]);
		const char *next = token + word;
		bool alike = place->hexadecimal && is_like_pid(next, word_length(next, length - word));
		if (pid && !alike && length - word >= JUMBLE_MIN) {
			habits_put_random(glob, length - word);
			return false;
		}
	}
	return pid;
}

void habits_put(FILE *glob, struct habits_place *place, const char *token, size_t length,
		const struct habits_pids *pids)
{
	struct habits_place here = *place;

	if (!length)
		return;
	if (*token != '_' && !isalnum((unsigned char)*token)) {
		put_literal(glob, *token);
		place->first = *token == '/';
		return;
	}
	*place = (struct habits_place){.hexadecimal = here.hexadecimal};
	if (here.first && is_default(token, length)) {
		fputs("tmp", glob);
		habits_put_random(glob, length - strlen("tmp"));
	} else if (here.hexadecimal && is_like_pid(token, length)) {
		put_words(glob, place, token, length, pids);
	} else if ((here.random && length >= JUMBLE_MIN) || (!here.first && habits_tempfile(token, length)) ||
		   random_word(token) == length) {
		habits_put_random(glob, length);
	} else {
		place->random = put_words(glob, place, token, length, pids);
	}
}

/* Random words that hold more than letters and digits, or may hold letters alone: CPython's multiprocessing. */
static const char *const schemes[] = {"/mp-????????", "/sem.mp-????????", "/psm_????????", "/pym-[0-9]*-????????"};

char *habits_glob(const char *name, const struct habits_pids *pids)
{
	struct habits_place place = {.first = true};
	size_t room, length;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (policy_glob(schemes[i], name))
			return memory_text(schemes[i]);
	char *text = NULL;
	FILE *glob = open_memstream(&text, &room);

	if (!glob)
		return memory_text("*");
	for (; *name && ftell(glob) < GLOB_MAX; name += length) {
		size_t most = GLOB_MAX - (size_t)ftell(glob);

		length = habits_token(name);
		if (length > most)
			length = most;
		if (!length)
			length = 1;
		habits_put(glob, &place, name, length, pids);
	}
	if (*name)
		fputc('*', glob);
	fclose(glob);
	return text;
}

char *habits_temporary(const char *name, const struct habits_pids *pids)
{
	static const char random[] = "??????";
	size_t length = strlen(name);
	char *lasting = memory_format("%.*s", (int)(length - strnlen(name, sizeof(random) - 1)), name);
	char *glob = habits_glob(lasting, pids), *whole = memory_format("%s%s", glob, random);

	free(lasting);
	free(glob);
	return whole;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of a glob's first element: a set, or one character. */
static size_t element(const char *glob)
{
	const char *end = *glob == '[' && glob[1] ? strchr(glob + 2, ']') : NULL;

	return end ? (size_t)(end - glob) + 1 : 1;
}

/* Does the first element of one, not *, take all that the other's does? */
static bool takes(const char *wide, const char *narrow)
{
	size_t length = element(wide);
	char set[GLOB_MAX], taken[] = {*narrow, 0};

	if (*wide == '?')
		return *narrow != '*';
	if (length == element(narrow) && memcmp(wide, narrow, length) == 0)
		return true;
	if (*wide != '[' || strchr("*?[", *narrow) || length >= sizeof(set))
		return false;
	memcpy(set, wide, length);
	set[length] = 0;
	return policy_glob(set, taken);
}

/* Of several * only the last has to be tried again. */
bool habits_covers(const char *wide, const char *narrow)
{
	const char *star = NULL, *resume = NULL;

	while (*narrow) {
		if (*wide == '*') {
			star = ++wide;
			resume = narrow;
		} else if (*wide && takes(wide, narrow)) {
			wide += element(wide);
			narrow += element(narrow);
		} else if (star) {
			wide = star;
			resume += element(resume);
			narrow = resume;
		} else {
			return false;
		}
	}
	return wide[strspn(wide, "*")] == 0;
}

/* Keeps what no other one covers. */
static size_t drop_covered(char **globs, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		bool covered = false;

		for (size_t j = 0; j < count && !covered; j++)
			covered = j != i && globs[i] && globs[j] && habits_covers(globs[j], globs[i]);
		if (!covered)
			continue;
		free(globs[i]);
		globs[i] = NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (globs[i])
			globs[kept++] = globs[i];
	return kept;
}

static size_t drop_equal(char **globs, size_t count)
{
	size_t kept = 0;

	qsort(globs, count, sizeof(*globs), by_text);
	for (size_t i = 0; i < count; i++) {
		if (kept && strcmp(globs[kept - 1], globs[i]) == 0)
			free(globs[i]);
		else
			globs[kept++] = globs[i];
	}
	return kept;
}

size_t habits_reduce(char **globs, size_t count, size_t most)
{
	size_t prefix = GLOB_MAX;

	if (!globs)
		return 0;
	count = drop_covered(globs, drop_equal(globs, count));
	/* Shorter and shorter beginnings stand for all that have them; in the end "*" for everything. */
	while (count > most && prefix--) {
		for (size_t i = 0; i < count; i++) {
			size_t end = strcspn(globs[i], "[*?");

			if (end > prefix)
				end = prefix;
			if (strlen(globs[i]) > prefix) {
				char *shorter = memory_format("%.*s*", (int)end, globs[i]);

				free(globs[i]);
				globs[i] = shorter;
			}
		}
		count = drop_covered(globs, drop_equal(globs, count));
	}
	return count;
}
