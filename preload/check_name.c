/* What an object's name gives away: whether others can guess it, and whether it means the same everywhere. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "preload/check.h"
#include "preload/facts_files.h"

enum { ENOUGH_BITS = 32, DIGITS_MAX = 19, TEMPFILE_LENGTH = 8, TEMPFILE_BITS = 41 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_word(char c)
{
	return is_digit(c) || is_upper(c) || is_lower(c);
}

static uint64_t number_of(const char *digits, size_t length)
{
	uint64_t number = 0;

	for (size_t i = 0; i < length; i++)
		number = number * 10 + (uint64_t)(digits[i] - '0');
	return number;
}

static unsigned digit_bits(const char *digits, size_t length)
{
	if (length == 0 || (length <= DIGITS_MAX && facts_known_number(number_of(digits, length))))
		return 0;
	/* Hexadecimal digits may all turn out decimal. */
	return (unsigned)length * (length >= 8 ? 4 : 3);
}

/* Hexadecimal of one case: letters alone are a word unless they are many. */
static bool is_hexadecimal(const char *word, size_t length)
{
	size_t digits = 0, upper = 0, lower = 0;

	for (size_t i = 0; i < length; i++) {
		digits += is_digit(word[i]);
		upper += word[i] >= 'A' && word[i] <= 'F';
		lower += word[i] >= 'a' && word[i] <= 'f';
	}
	return digits + upper + lower == length && !(upper && lower) && length >= (digits ? 4 : 8);
}

/* Do classes of characters follow each other as in no word, number or CamelCase? */
static bool is_jumble(const char *word, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		bool capital = is_upper(word[i]) && i + 1 < length && is_lower(word[i + 1]);
		if (is_digit(word[i - 1]) && !is_digit(word[i]))
			return true;
		if (is_lower(word[i - 1]) && is_upper(word[i]) && !capital)
			return true;
	}
	return false;
}

static unsigned word_bits(const char *word, size_t length)
{
	size_t letters = length;

	while (letters && is_digit(word[letters - 1]))
		letters--;
	if (letters == 0)
		return digit_bits(word, length);
	if (is_hexadecimal(word, length))
		return (unsigned)length * 4;
	if (length >= 6 && is_jumble(word, letters))
		return (unsigned)length * 6;
	return digit_bits(word + letters, length - letters);
}

/*
 * CPython's tempfile draws from letters, digits and "_", which may look like words. Its default prefix, after which people
 * put one themselves, and the one of multiprocessing.
 */
static bool is_tempfile(const char *name)
{
	size_t before = 0, length = 0;

	if (strncmp(name, "tmp", 3) == 0 && name[3] != '_')
		before = 3;
	else if (strncmp(name, "pym-", 4) == 0)
		before = 4 + strspn(name + 4, "0123456789");
	if (before > 4)
		before += name[before] == '-';
	while (before &&
	       (is_lower(name[before + length]) || is_digit(name[before + length]) || name[before + length] == '_'))
		length++;
	return length == TEMPFILE_LENGTH && !name[before + length];
}

unsigned check_name_bits(const char *name)
{
	unsigned bits = 0;

	name += *name == '/';
	if (is_tempfile(name))
		return TEMPFILE_BITS;
	while (*name) {
		size_t length = 0;
		while (is_word(name[length]))
			length++;
		bits += word_bits(name, length);
		name += length ? length : 1;
	}
	return bits;
}

bool check_name_holds(const char *name, uint64_t number)
{
	while (*name) {
		size_t length = 0;
		while (is_digit(name[length]))
			length++;
		if (length && length <= DIGITS_MAX && number_of(name, length) == number)
			return true;
		name += length ? length : 1;
	}
	return false;
}

/* length: the bits that it has. mkstemp(3) and its kin choose well. */
static void guess(const struct check_opening *o, const struct identity *identity)
{
	const char *last = strrchr(o->name, '/');
	bool chosen = o->symbol >= SYMBOL_mkstemp && o->symbol <= SYMBOL_mkostemps64;

	if (!o->created || chosen || o->by == EVENT_sem_open)
		return;
	unsigned bits = check_name_bits(last ? last + 1 : o->name);
	/* A directory of one's own keeps others from taking any name in it. */
	if (bits < ENOUGH_BITS && (o->by == EVENT_shm_open || !identity || facts_reachable(identity)))
		check_found(&(struct check_finding){
			.rule = RULE_predictable_name, .severity = SEVERITY_NOTE, .length = bits});
}

/* length: of the name. */
static bool is_portable(const char *name, size_t *length)
{
	const char *rest = name + (*name == '/');

	*length = strnlen(name, PATH_MAX);
	return *name == '/' && !strchr(rest, '/') && rest[strspn(rest, ".")] && *length - 1 <= NAME_MAX;
}

void check_name_opened(const struct check_opening *o, const struct identity *identity)
{
	size_t length;

	if (identity && identity->kind == KIND_memfd)
		return;
	if (o->by == EVENT_shm_open && o->error != EFAULT && !is_portable(o->name, &length) &&
	    check_found(&(struct check_finding){
		    .rule = RULE_name_nonportable, .severity = SEVERITY_NOTE, .length = length, .error = o->error}))
		return;
	guess(o, identity);
}
