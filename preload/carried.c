#include "preload/carried.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/keep.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/real.h"
#include "tracepoints/environment.h"

#define COUNT_ONE(name) +1
enum { VARIABLES = 0 ENVIRONMENT_CARRIED(COUNT_ONE), ENFORCED = 0 ENVIRONMENT_ENFORCED(COUNT_ONE) };

/* The enforced ones come first. */
static const char *const names[VARIABLES] = {
#define NAME(name) name,
	ENVIRONMENT_CARRIED(NAME)
#undef NAME
};

#define PRELOAD "LD_PRELOAD"

/* "NAME=value" as at start, or empty. A program that scribbles over its environment cannot change these. */
static const char *kept[VARIABLES] = {[0 ... VARIABLES - 1] = ""};
static bool enforced; /* one of the enforced ones was set at start */

static const char *value_in(const char *entry, const char *name)
{
	size_t length = strlen(name);
	return strncmp(entry, name, length) == 0 && entry[length] == '=' ? entry + length + 1 : NULL;
}

void carried_initialise(void)
{
	for (int i = 0; i < VARIABLES; i++) {
		const char *value = LIBC(secure_getenv)(names[i]);
		if (!value)
			continue;
		/* What is there no memory for is taken where it stands, not for unset. */
		const char *entry = value - strlen(names[i]) - 1, *copy = keep_text(entry);
		kept[i] = *copy ? copy : entry;
		enforced = enforced || i < ENFORCED;
	}
}

const char *carried_value(const char *name)
{
	for (int i = 0; i < VARIABLES; i++)
		if (kept[i][0] && strcmp(names[i], name) == 0)
			return kept[i] + strlen(name) + 1;
	return NULL;
}

/* Is our library one of the blank- or colon-separated paths? */
static bool preloads_us(const char *list)
{
	const char *own = own_path();
	size_t length = strlen(own);

	for (const char *at = list; (at = strstr(at, own)); at += length)
		if ((at == list || strchr(": ", at[-1])) && strchr(": ", at[length]))
			return true;
	return false;
}

/* Is what a child gets of it ours to say? Else what the program sets is passed on. */
static bool is_held(int variable)
{
	return kept[variable][0] || (enforced && variable < ENFORCED);
}

/* Index of the held variable that the entry sets, or -1. */
static int held_index(const char *entry)
{
	for (int i = 0; i < VARIABLES; i++)
		if (is_held(i) && value_in(entry, names[i]))
			return i;
	return -1;
}

struct survey {
	size_t entries;
	const char *preload; /* the last one: it is the one that ld.so honours */
	unsigned preloads;
	bool whole;
};

static struct survey survey(char *const environment[])
{
	struct survey s = {0};
	unsigned right[VARIABLES] = {0}, wrong = 0;

	for (size_t i = 0; environment && environment[i]; i++, s.entries++) {
		const char *value = value_in(environment[i], PRELOAD);
		int variable = held_index(environment[i]);
		if (value) {
			s.preload = value;
			s.preloads++;
		}
		if (variable >= 0 && strcmp(environment[i], kept[variable]) == 0)
			right[variable]++;
		else if (variable >= 0)
			wrong++;
	}
	s.whole = !wrong && s.preloads == 1 && preloads_us(s.preload);
	for (int i = 0; i < VARIABLES; i++)
		s.whole = s.whole && (!kept[i][0] || right[i] == 1);
	return s;
}

static bool dropped;

static bool is_any_held(char *const environment[])
{
	for (size_t i = 0; environment[i]; i++)
		if (held_index(environment[i]) >= 0)
			return true;
	return false;
}

/*
 * What libc starts by itself, as system(3) does, gets the environment as it stands. The list that stands there is left alone:
 * it may be the program's, and others may read it.
 */
void carried_drop(void)
{
	dropped = true;
	if (!__environ || !kernel_texts_readable(__environ) || !is_any_held(__environ))
		return;
	void *room = kernel_memory(carried_room(__environ));
	if (room)
		__environ = carried_merge(__environ, room);
}

size_t carried_room(char *const environment[])
{
	struct survey s = survey(environment);

	if (dropped)
		return (s.entries + 1) * sizeof(char *);
	if (s.whole)
		return 0;
	return (s.entries + VARIABLES + 2) * sizeof(char *) + sizeof PRELOAD + strlen(own_path()) + 2 +
	       (s.preload ? strlen(s.preload) : 0);
}

char **carried_merge(char *const environment[], void *room)
{
	struct survey s = survey(environment);
	char **merged = room, **next = merged;
	char *text = (char *)room + (s.entries + VARIABLES + 2) * sizeof(char *);

	for (size_t i = 0; i < s.entries; i++)
		if ((dropped || !value_in(environment[i], PRELOAD)) && held_index(environment[i]) < 0)
			*next++ = environment[i];
	if (dropped) {
		*next = NULL;
		return merged;
	}
	for (int i = 0; i < VARIABLES; i++)
		if (kept[i][0])
			*next++ = (char *)(uintptr_t)kept[i];
	*next++ = text;
	text = stpcpy(text, PRELOAD "=");
	if (!s.preload || !preloads_us(s.preload)) {
		text = stpcpy(text, own_path());
		if (s.preload && *s.preload)
			text = stpcpy(text, ":");
		else
			s.preload = NULL;
	}
	if (s.preload)
		strcpy(text, s.preload);
	*next = NULL;
	return merged;
}

static const char quote[] = "'\\''";

static size_t quoted_room(const char *text)
{
	size_t room = strlen(text) + 2;

	for (; *text; text++)
		room += *text == '\'' ? sizeof quote - 2 : 0;
	return room;
}

static char *append_quoted(char *to, const char *text)
{
	*to++ = '\'';
	for (; *text; text++)
		if (*text == '\'')
			to = stpcpy(to, quote);
		else
			*to++ = *text;
	*to++ = '\'';
	*to = 0;
	return to;
}

#define MARK ": the library of shmguard sets its variables;"
#define UNSET "unset "
#define EXPORTED "export"
#define SHELL "; exec /bin/sh -c "
#define SHELL_NAME " sh"

size_t carried_command_room(const char *command)
{
	struct survey s = survey(__environ);
	size_t room = sizeof MARK + sizeof EXPORTED + sizeof SHELL + sizeof SHELL_NAME + quoted_room(command);

	if (dropped || s.whole)
		return 0;
	for (int i = 0; i < VARIABLES; i++)
		room += sizeof UNSET + strlen(names[i]) + 1 + quoted_room(kept[i]);
	return room + sizeof " " PRELOAD "=" + quoted_room(own_path()) + (s.preload ? 1 + quoted_room(s.preload) : 0);
}

char *carried_command(const char *command, void *room)
{
	struct survey s = survey(__environ);
	char *to = stpcpy(room, MARK);

	for (int i = 0; i < ENFORCED; i++)
		if (is_held(i) && !kept[i][0])
			to = stpcpy(stpcpy(stpcpy(to, UNSET), names[i]), ";");
	to = stpcpy(to, EXPORTED);
	for (int i = 0; i < VARIABLES; i++) {
		if (!kept[i][0])
			continue;
		const char *value = strchr(kept[i], '=') + 1;
		*to++ = ' ';
		to = mempcpy(to, kept[i], (size_t)(value - kept[i]));
		to = append_quoted(to, value);
	}
	to = stpcpy(to, " " PRELOAD "=");
	if (!s.preload || !preloads_us(s.preload)) {
		to = append_quoted(to, own_path());
		if (s.preload && *s.preload)
			*to++ = ':';
	}
	if (s.preload)
		to = append_quoted(to, s.preload);
	to = append_quoted(stpcpy(to, SHELL), command);
	stpcpy(to, SHELL_NAME);
	return room;
}

bool carried_is_command(int argc, char *const argv[])
{
	return argc > 2 && strncmp(argv[argc - 1], MARK, sizeof MARK - 1) == 0;
}
