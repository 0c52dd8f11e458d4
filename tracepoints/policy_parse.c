/*
 * The lines of a policy. libinih splits a line into key and value; all else is done here, because libinih cuts headings at
 * 49 characters and at their first bracket, splits long lines into two, takes an indented key for more of the value
 * before, and numbers only the first error. So it never sees headings, indentation, or a line too long for it.
 */
#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include "policy_inner.h"
#include "system.h"
#include "words.h"

#define BLANKS " \t\r\v\f"

bool parse_tell(struct parse *parse, const char *hint, ...)
{
	char what[512];
	size_t used = 0;
	const char *part;
	va_list parts;

	va_start(parts, hint);
	while ((part = va_arg(parts, const char *)))
		for (; *part && used < sizeof(what) - 1; part++)
			what[used++] = (unsigned char)*part < ' ' || *part == 0x7f ? '?' : *part;
	va_end(parts);
	what[used] = '\0';
	parse->failed = true;
	if (parse->error)
		parse->error(parse->context, parse->file, parse->line, what, hint);
	return false;
}

bool parse_expected(struct parse *parse, const char *key, const char *what, const char *value, const char *hint)
{
	return parse_tell(parse, hint, "'", key, "' takes ", what, ", not '", value, "'", NULL);
}

/* Once: after the first of what there is no room for, all that follows would be the same. */
static void tell_full(struct parse *parse, const char *what)
{
	if (!parse->policy->full)
		parse_tell(parse, NULL, what, NULL);
	parse->policy->full = parse->failed = true;
}

const char *parse_keep(struct parse *parse, const char *text, size_t length)
{
	struct policy *policy = parse->policy;
	char *copy = policy->text + policy->text_used;

	if (length >= sizeof(policy->text) - policy->text_used) {
		tell_full(parse, "the policy is too long");
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	policy->text_used += length + 1;
	return copy;
}

static int source_next(struct source *source)
{
	ssize_t got;

	if (source->at == source->end && source->fd >= 0) {
		got = system_call(SYS_read, source->fd, (long)source->buffer, sizeof(source->buffer), 0);
		source->failure = got < 0 ? (int)-got : 0;
		source->at = source->buffer;
		source->end = source->buffer + (got > 0 ? got : 0);
	}
	return source->at == source->end ? -1 : (unsigned char)*source->at++;
}

/* The next line into `line`, without indentation and line end; false at the end. What cannot be a line is told, and empty. */
static bool next_line(struct parse *parse, char *line, size_t room)
{
	size_t used = 0;
	bool nul = false, cut = false;
	int c = source_next(&parse->source);

	if (c < 0)
		return false;
	parse->line++;
	for (; c >= 0 && c != '\n'; c = source_next(&parse->source)) {
		nul = nul || !c;
		cut = cut || used == room - 1;
		if (used < room - 1 && (used || !strchr(BLANKS, c)))
			line[used++] = (char)c;
	}
	while (used && strchr(BLANKS, line[used - 1]))
		used--;
	line[used] = '\0';
	if (nul)
		parse_tell(parse, NULL, "there is a NUL byte in this line: not a text", NULL);
	else if (cut && line[0] != '#' && line[0] != ';')
		parse_tell(parse, NULL, "the line is longer than 190 bytes; a list is continued by repeating its key",
			   NULL);
	if (nul || cut)
		line[0] = '\0';
	return true;
}

static struct policy_section *begin_section(struct parse *parse, const char *label, size_t length)
{
	struct policy *policy = parse->policy;
	struct policy_section *section = &policy->section[policy->section_count];

	*section = (struct policy_section){.file = parse->file, .line = parse->line};
	section->label = parse_keep(parse, label, length);
	if (!section->label)
		return NULL;
	if (policy->section_count < POLICY_SECTIONS)
		policy->section_count++;
	else
		tell_full(parse, "the policy has too many sections: more than 256");
	return section;
}

/* A line that begins with a bracket. What follows the last bracket may only be a comment. */
static void take_heading(struct parse *parse, char *line)
{
	char *comment = strstr(line, " ;"), *end;
	size_t length;

	if (comment)
		*comment = '\0';
	length = strlen(line);
	while (length && strchr(BLANKS, line[length - 1]))
		length--;
	end = line + length - 1;
	if (*end != ']' || length < 3) {
		parse_tell(parse, NULL, "a heading is a label between [ and ], alone in its line", NULL);
		/* What stands below belongs to it all the same, and is not a fault as well. */
		parse->labelled = true;
		parse->section = begin_section(parse, line, length);
		return;
	}
	parse->labelled = length - 2 != strlen("default") || memcmp(line + 1, "default", length - 2) != 0;
	parse->section = begin_section(parse, line + 1, length - 2);
}

/* libinih's reader: gives it the lines that are keys. */
static char *give_line(char *line, int room, void *stream)
{
	struct parse *parse = stream;

	if (parse->owed)
		parse_tell(parse, NULL, "this is neither [a heading] nor key = value", NULL);
	parse->owed = false;
	/* Room for what libinih may want to append. */
	while (next_line(parse, line, (size_t)room - 9)) {
		/* libinih itself skips a byte order mark, but sees no headings. */
		bool marked = parse->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0;
		char *start = marked ? line + 3 : line;

		if (start[0] == '[')
			take_heading(parse, start);
		if (!strchr("[;#", start[0])) {
			parse->owed = true;
			return line;
		}
	}
	return NULL;
}

static int take_key(void *user, const char *section, const char *key, const char *value)
{
	struct parse *parse = user;
	char copy[256];

	(void)section;
	parse->owed = false;
	if (!*key)
		return parse_tell(parse, NULL, "there is no key in front of the =", NULL);
	if (!*value)
		return parse_tell(parse, NULL, "'", key, "' has no value", NULL);
	if (strstr(value, " #"))
		return parse_tell(parse, NULL, "a comment behind a value begins with ';', not '#'", NULL);
	if (strcmp(key, policy_keys[POLICY_KEY_include].key) == 0) {
		if (parse->labelled)
			return parse_tell(parse, NULL, "'include' belongs in [default]", NULL);
		/* What stands below it overrides what it reads. */
		parse->section = NULL;
		return policy_file_include(parse, value);
	}
	if (!parse->section)
		parse->section = begin_section(parse, "default", strlen("default"));
	if (!parse->section)
		return false;
	/* libinih's line is 199 bytes at most. */
	strncpy(copy, value, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	return policy_set(parse, parse->section, key, copy);
}

bool parse_source(struct parse *parse)
{
	int kept = errno;

	/* Errors are told by give_line and take_key: its own result names the first only. */
	ini_parse_stream(give_line, parse, take_key, parse);
	if (parse->source.failure)
		parse_tell(parse, NULL, "cannot be read: ", strerrordesc_np(parse->source.failure), NULL);
	errno = kept;
	return !parse->failed;
}

bool policy_add_text(struct policy *policy, const char *text, size_t length, const char *file, policy_error *error,
		     void *context)
{
	unsigned includes = 0;
	struct parse parse = {
		.policy = policy,
		.error = error,
		.context = context,
		.file = file,
		.includes = &includes,
		.source = {.at = text, .end = text + length, .fd = -1},
	};

	parse.file = parse_keep(&parse, file, strlen(file));
	return parse.file && parse_source(&parse);
}
