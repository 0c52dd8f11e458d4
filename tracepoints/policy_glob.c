#include "policy.h"

#include <string.h>

/* The end of the set that begins at `set` ("[a-z]"), NULL if it is not closed. *in: `c` is one of it. */
static const char *glob_set(const char *set, char c, bool *in)
{
	const char *at = set + 1;
	bool inverse = *at == '!';

	at += inverse;
	*in = false;
	/* A ] that comes first is one of the set. */
	for (const char *first = at; *at && (*at != ']' || at == first); at++) {
		char low = *at, high = low;

		if (at[1] == '-' && at[2] && at[2] != ']') {
			high = at[2];
			at += 2;
		}
		*in = *in || ((unsigned char)low <= (unsigned char)c && (unsigned char)c <= (unsigned char)high);
	}
	*in = *in != inverse;
	return *at ? at + 1 : NULL;
}

/* What follows in the glob when its first element, not *, takes `c`; NULL if it does not. */
static const char *glob_take(const char *glob, char c)
{
	const char *next;
	bool in;

	if (*glob == '?')
		return glob + 1;
	if (*glob != '[')
		return *glob == c && c ? glob + 1 : NULL;
	next = glob_set(glob, c, &in);
	return in ? next : NULL;
}

/* Of several * only the last has to be tried again, so the time is bounded by the product of the lengths. */
static bool glob_match(const char *glob, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		const char *next;

		if (*glob == '*') {
			star = ++glob;
			resume = text;
			continue;
		}
		next = glob_take(glob, *text);
		if (next) {
			glob = next;
			text++;
		} else if (star) {
			glob = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

static const char *skip_slashes(const char *text)
{
	while (*text == '/')
		text++;
	return text;
}

bool policy_glob(const char *glob, const char *text)
{
	return glob_match(skip_slashes(glob), skip_slashes(text));
}

bool policy_glob_below(const char *glob, const char *directory)
{
	size_t length;

	directory = skip_slashes(directory);
	for (length = strlen(directory); length && directory[length - 1] == '/'; length--)
		;
	glob = skip_slashes(glob);
	for (size_t i = 0; glob && i <= length && *glob != '*'; i++)
		glob = glob_take(glob, i < length ? directory[i] : '/');
	return glob && *glob;
}

bool policy_glob_valid(const char *glob)
{
	bool in;

	while (glob && *glob)
		glob = *glob == '[' ? glob_set(glob, '\0', &in) : glob + 1;
	return glob;
}

const char *policy_below_shm(const char *path)
{
	static const char shm[] = "dev/shm";

	path = skip_slashes(path);
	if (strncmp(path, shm, sizeof(shm) - 1) != 0)
		return NULL;
	path += sizeof(shm) - 1;
	return *path && *path != '/' ? NULL : path;
}
