#include "analyzer/logind.h"

#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "analyzer/memory.h"

/* The first of them with a file of a name is the one whose file counts. */
static const char *const directories[] = {"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"};

#define DIRECTORIES (sizeof(directories) / sizeof(directories[0]))

static bool logind_word(const char *text, const char *const words[])
{
	for (; *words; words++)
		if (!strcasecmp(text, *words))
			return true;
	return false;
}

static void logind_value(struct logind *logind, const char *value, const char *path)
{
	static const char *const yes[] = {"1", "yes", "y", "true", "t", "on", NULL}, *const no[] = {
											     "0", "no",  "n", "false",
											     "f", "off", NULL};

	/* What it cannot read it ignores. */
	if (!logind_word(value, yes) && !logind_word(value, no))
		return;
	logind->remove = logind_word(value, yes);
	free(logind->file);
	logind->file = memory_text(path);
}

static char *logind_trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	for (length = strlen(text); length && strchr(" \t\r\n", text[length - 1]); length--)
		text[length - 1] = '\0';
	return text;
}

static bool logind_file(struct logind *logind, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	bool login = false;
	size_t room = 0;

	if (!file)
		return false;
	while (getline(&line, &room, file) > 0) {
		char *text = logind_trim(line), *value = strchr(text, '=');

		if (*text == '[')
			login = !strcmp(text, "[Login]");
		if (!login || *text == '#' || *text == ';' || !value)
			continue;
		*value++ = '\0';
		if (!strcmp(logind_trim(text), "RemoveIPC"))
			logind_value(logind, logind_trim(value), path);
	}
	free(line);
	fclose(file);
	return true;
}

/* Names of all drop-in directories, each once. */
static void logind_names(char ***names, size_t *count, const char *directory)
{
	char *path = memory_format("%s/logind.conf.d", directory);
	DIR *list = opendir(path);
	struct dirent *entry;

	free(path);
	while (list && (entry = readdir(list))) {
		size_t length = strlen(entry->d_name), i = 0;

		if (length < 6 || strcmp(entry->d_name + length - 5, ".conf") != 0 || *entry->d_name == '.')
			continue;
		while (i < *count && strcmp((*names)[i], entry->d_name) != 0)
			i++;
		if (i < *count)
			continue;
		*names = memory_grow(*names, *count, sizeof(char *));
		(*names)[(*count)++] = memory_text(entry->d_name);
	}
	if (list)
		closedir(list);
}

static int logind_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The file of that name that counts. A link to /dev/null masks the others, and reads as empty. */
static void logind_first(struct logind *logind, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < DIRECTORIES && !found; i++) {
		char *path = memory_format("%s/%s", directories[i], name);

		found = logind_file(logind, path);
		free(path);
	}
}

struct logind logind_read(void)
{
	struct logind logind = {.runs = !access("/run/systemd/system", F_OK), .remove = true};
	char **names = NULL;
	size_t count = 0;

	logind_first(&logind, "logind.conf");
	for (size_t i = 0; i < DIRECTORIES; i++)
		logind_names(&names, &count, directories[i]);
	if (count)
		qsort(names, count, sizeof(char *), logind_by_name);
	for (size_t i = 0; i < count; i++) {
		char *name = memory_format("logind.conf.d/%s", names[i]);

		logind_first(&logind, name);
		free(name);
		free(names[i]);
	}
	free(names);
	return logind;
}

void logind_free(struct logind *logind)
{
	free(logind->file);
	logind->file = NULL;
}

bool logind_lingers(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);
	char *path = user ? memory_format("/var/lib/systemd/linger/%s", user->pw_name) : NULL;
	bool lingers = path && !access(path, F_OK);

	free(path);
	return lingers;
}
