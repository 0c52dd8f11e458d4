#include "analyzer/escape.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"

/* The longest that a byte becomes is \xNN. A character of n bytes becomes \u{NNNN} at most: 6, 8 and 9 for 2, 3 and 4. */
#define GROWTH 4
/* &quot; */
#define XML_GROWTH 6

/* Bytes of the UTF-8 character at `bytes`, 0 if there is none: shortest form only, no surrogates (RFC 3629). */
static size_t escape_decode(const unsigned char *bytes, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length, i;

	if (bytes[0] < 0x80) {
		*character = bytes[0];
		return 1;
	}
	length = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
		return 0;
	*character = bytes[0] & (0x7fu >> length);
	for (i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (bytes[i] & 0x3f);
	}
	if (*character < least[length] || *character > 0x10ffff || (*character >= 0xd800 && *character < 0xe000))
		return 0;
	return length;
}

/* Characters without a picture of their own that change how their neighbours look, and codes that are no character. */
static bool escape_is_unseen(uint32_t character)
{
	return (character >= 0x80 && character < 0xa0) || character == 0xad || character == 0x61c ||
	       (character >= 0x200b && character <= 0x200f) || (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x206f) || character == 0xfeff ||
	       (character >= 0xfff9 && character <= 0xfffb) || (character >= 0xfdd0 && character <= 0xfdef) ||
	       (character & 0xfffe) == 0xfffe || (character >= 0xe0000 && character <= 0xe0fff);
}

static int escape_control(char *to, uint32_t character)
{
	if (character == '\n')
		return sprintf(to, "\\n");
	if (character == '\t')
		return sprintf(to, "\\t");
	return sprintf(to, "\\x%02x", character);
}

/* Of valid UTF-8 a backslash stands for itself, but where it would make what follows another text: before a byte. */
static bool escape_is_byte(const char *bytes)
{
	uint32_t character;

	return !escape_decode((const unsigned char *)bytes, &character) ||
	       (bytes[0] == 'x' && bytes[1] && strchr("89abcdef", bytes[1]) && bytes[2] &&
		strchr("0123456789abcdef", bytes[2]));
}

enum escape_for { ESCAPE_utf8, ESCAPE_command, ESCAPE_terminal };

static char *escape(const char *bytes, enum escape_for what)
{
	char *text = memory_new(strlen(bytes) + 1, GROWTH), *to = text;

	while (*bytes) {
		uint32_t character;
		size_t length = escape_decode((const unsigned char *)bytes, &character);

		if (!length) {
			to += sprintf(to, "\\x%02x", (unsigned char)*bytes);
			length = 1;
		} else if (character == '\\' &&
			   (what == ESCAPE_terminal ||
			    (what == ESCAPE_utf8 && escape_is_byte(bytes + strspn(bytes, "\\"))))) {
			to = stpcpy(to, "\\\\");
		} else if (what != ESCAPE_utf8 && (character < 0x20 || character == 0x7f)) {
			to += escape_control(to, character);
		} else if (what != ESCAPE_utf8 && escape_is_unseen(character)) {
			to += sprintf(to, "\\u{%x}", character);
		} else {
			memcpy(to, bytes, length);
			to += length;
		}
		bytes += length;
	}
	*to = '\0';
	return text;
}

char *escape_utf8(const char *bytes)
{
	return escape(bytes, ESCAPE_utf8);
}

/* Of a run of backslashes before xNN every two are one, and the last one of an odd number makes that a byte. */
char *escape_undo(const char *text)
{
	char *bytes = memory_new(strlen(text) + 1, 1), *to = bytes;

	while (*text) {
		size_t run = strspn(text, "\\");

		if (!run) {
			*to++ = *text++;
		} else if (text[run] != 'x' || !escape_is_byte(text + run)) {
			to = stpncpy(to, text, run);
			text += run;
		} else {
			to = stpncpy(to, text, run / 2);
			text += run;
			if (run % 2) {
				const char digits[] = {text[1], text[2], '\0'};

				*to++ = (char)strtoul(digits, NULL, 16);
				text += 3;
			}
		}
	}
	*to = '\0';
	return bytes;
}

/* Bytes in UTF-8; `to` has room for 4. */
static size_t escape_encode(char *to, unsigned long character)
{
	if (character < 0x800)
		return (size_t)sprintf(to, "%c%c", (int)(0xc0 | character >> 6), (int)(0x80 | (character & 0x3f)));
	if (character < 0x10000)
		return (size_t)sprintf(to, "%c%c%c", (int)(0xe0 | character >> 12),
				       (int)(0x80 | (character >> 6 & 0x3f)), (int)(0x80 | (character & 0x3f)));
	return (size_t)sprintf(to, "%c%c%c%c", (int)(0xf0 | character >> 18), (int)(0x80 | (character >> 12 & 0x3f)),
			       (int)(0x80 | (character >> 6 & 0x3f)), (int)(0x80 | (character & 0x3f)));
}

/* Takes one escape, from behind its backslash; what was taken of it, 0: it is none. No character of a pattern is escaped. */
static size_t escape_take(const char *from, char **to)
{
	unsigned long character = strtoul(*from ? from + 1 + (from[1] == '{') : from, NULL, 16);
	size_t length = strspn(*from ? from + 1 : from, "0123456789abcdef");

	if (*from == 'n' || *from == 't') {
		*(*to)++ = *from == 'n' ? '\n' : '\t';
		return 1;
	}
	if (*from == 'x' && length >= 2) {
		const char digits[] = {from[1], from[2], '\0'};

		character = strtoul(digits, NULL, 16);
		if (character && (character < 0x20 || character >= 0x7f)) {
			*(*to)++ = (char)character;
			return 3;
		}
	}
	if (*from == 'u' && from[1] == '{' && character >= 0x80 && character <= 0x10ffff) {
		length = strspn(from + 2, "0123456789abcdef");
		if (from[2 + length] == '}') {
			*to += escape_encode(*to, character);
			return 3 + length;
		}
	}
	return 0;
}

bool escape_matches(const char *pattern, const char *bytes)
{
	char *text, *to;
	bool matches = !fnmatch(pattern, bytes, 0);

	if (matches || !strchr(pattern, '\\'))
		return matches;
	to = text = memory_new(strlen(pattern) + 1, 1);
	while (*pattern) {
		size_t taken = *pattern == '\\' ? escape_take(pattern + 1, &to) : 0;

		if (taken) {
			pattern += 1 + taken;
			continue;
		}
		/* What it escapes, a backslash among that, begins nothing. */
		if (*pattern == '\\' && pattern[1])
			*to++ = *pattern++;
		*to++ = *pattern++;
	}
	*to = '\0';
	matches = !fnmatch(text, bytes, 0);
	free(text);
	return matches;
}

char *escape_terminal(const char *bytes)
{
	return escape(bytes, ESCAPE_terminal);
}

char *escape_command(const char *argv)
{
	return escape(argv, ESCAPE_command);
}

/* Control characters, which XML cannot hold even as references, are made visible first. */
char *escape_xml(const char *bytes)
{
	char *safe = escape_terminal(bytes), *text = memory_new(strlen(safe) + 1, XML_GROWTH), *to = text;
	const char *from;

	for (from = safe; *from; from++) {
		if (*from == '&')
			to = stpcpy(to, "&amp;");
		else if (*from == '<')
			to = stpcpy(to, "&lt;");
		else if (*from == '>')
			to = stpcpy(to, "&gt;");
		else if (*from == '"')
			to = stpcpy(to, "&quot;");
		else
			*to++ = *from;
	}
	free(safe);
	return text;
}

/* Spreadsheets run what begins with one of these as a formula. */
static bool escape_is_formula(const char *text)
{
	return *text && strchr("=+-@", *text) != NULL;
}

char *escape_csv(const char *bytes)
{
	char *safe = escape_terminal(bytes), *text = memory_new(strlen(safe) + 2, 2), *to = text;
	const char *from;

	*to++ = '"';
	if (escape_is_formula(safe))
		*to++ = '\'';
	for (from = safe; *from; from++) {
		if (*from == '"')
			*to++ = '"';
		*to++ = *from;
	}
	*to++ = '"';
	free(safe);
	return text;
}
