#include "analyzer/apparmor.h"

#include <dirent.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"

#define PROFILES "/sys/kernel/security/apparmor/policy/profiles"
#define ENABLED "/sys/module/apparmor/parameters/enabled"

/* The first line of a file, for free(3); NULL: it cannot be read. */
static char *apparmor_line(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (getline(&line, &room, file) < 0) {
		free(line);
		line = NULL;
	}
	fclose(file);
	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

static bool apparmor_active(void)
{
	char *enabled = apparmor_line(ENABLED);
	bool active = enabled && *enabled == 'Y';

	free(enabled);
	return active;
}

struct apparmor_profile apparmor_own(void)
{
	struct apparmor_profile own = {.active = apparmor_active()};
	char *current = apparmor_line("/proc/self/attr/apparmor/current"), *mode;

	if (!current && own.active)
		current = apparmor_line("/proc/self/attr/current");
	mode = current ? strrchr(current, '(') : NULL;
	/* "unconfined" has no mode. */
	if (mode && mode > current + 1) {
		own.mode = memory_format("%.*s", (int)strcspn(mode + 1, ")"), mode + 1);
		mode[-1] = '\0';
		own.name = memory_text(current);
	}
	free(current);
	return own;
}

/* As an extended regular expression; `to` has room for four times the glob. */
static void apparmor_regex(const char *glob, char *to)
{
	int depth = 0;

	*to++ = '^';
	for (; *glob; glob++) {
		if (glob[0] == '*' && glob[1] == '*') {
			to = stpcpy(to, ".*");
			glob++;
		} else if (*glob == '*') {
			to = stpcpy(to, "[^/]*");
		} else if (*glob == '?') {
			to = stpcpy(to, "[^/]");
		} else if (*glob == '{' || (*glob == '}' && depth)) {
			depth += *glob == '{' ? 1 : -1;
			*to++ = *glob == '{' ? '(' : ')';
		} else if (*glob == ',' && depth) {
			*to++ = '|';
		} else {
			if (strchr(".+()|^$\\}", *glob))
				*to++ = '\\';
			*to++ = *glob;
		}
	}
	stpcpy(to, "$");
}

bool apparmor_matches(const char *glob, const char *path)
{
	char *expression = memory_new(6 * strlen(glob) + 3, 1);
	regex_t compiled;
	bool matches = false;

	apparmor_regex(glob, expression);
	if (!regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB)) {
		matches = !regexec(&compiled, path, 0, NULL, 0);
		regfree(&compiled);
	}
	free(expression);
	return matches;
}

static void apparmor_consider(struct apparmor_profile *best, size_t *longest, const char *entry, const char *path)
{
	char *file = memory_format(PROFILES "/%s/attach", entry), *attach = apparmor_line(file);

	free(file);
	if (attach && strlen(attach) > *longest && apparmor_matches(attach, path)) {
		*longest = strlen(attach);
		apparmor_free(best);
		file = memory_format(PROFILES "/%s/name", entry);
		best->name = apparmor_line(file);
		free(file);
		file = memory_format(PROFILES "/%s/mode", entry);
		best->mode = apparmor_line(file);
		free(file);
		if (!best->name)
			best->name = memory_text(attach);
		if (!best->mode)
			best->mode = memory_text("enforce");
	}
	free(attach);
}

struct apparmor_profile apparmor_attached(const char *path)
{
	struct apparmor_profile best = {.active = apparmor_active()};
	DIR *list = opendir(PROFILES);
	struct dirent *entry;
	size_t longest = 0;
	char *real = realpath(path, NULL);

	if (!list)
		best.error = errno;
	while (list && (entry = readdir(list)))
		if (*entry->d_name != '.')
			apparmor_consider(&best, &longest, entry->d_name, real ? real : path);
	if (list)
		closedir(list);
	free(real);
	return best;
}

void apparmor_free(struct apparmor_profile *profile)
{
	free(profile->name);
	free(profile->mode);
	profile->name = profile->mode = NULL;
}
