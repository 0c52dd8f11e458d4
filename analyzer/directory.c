#include "analyzer/directory.h"

#include <ftw.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/memory.h"

/* Files that run itself may have made before the recording began. */
static const char *const early[] = {"recording.json", "processes.jsonl", "shm-before.json", "trace"};

static int directory_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	errno = 0;
	while (!r && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = -ENOTEMPTY;
	closedir(dir);
	return r;
}

int directory_make(struct directory *directory, const char *path, char **error)
{
	int r;

	directory->made = !mkdir(path, 0777);
	if (!directory->made && errno != EEXIST) {
		*error = memory_format("cannot make %s: %s", path, strerror(errno));
		return -1;
	}
	r = directory->made ? 0 : directory_empty(path);
	if (r) {
		*error = r == -ENOTEMPTY
				 ? memory_format("%s exists and is not empty: a recording needs a new directory", path)
				 : memory_format("%s: %s", path, strerror(-r));
		return -1;
	}
	if (!realpath(path, directory->path)) {
		*error = memory_format("%s: %s", path, strerror(errno));
		return -1;
	}
	if ((size_t)snprintf(directory->trace, PATH_MAX, "%s/trace", directory->path) >= PATH_MAX)
		errno = ENAMETOOLONG;
	else if (!mkdir(directory->trace, 0777))
		return 0;
	*error = memory_format("cannot write in %s: %s", path, strerror(errno));
	directory_discard(directory);
	return -1;
}

void directory_discard(const struct directory *directory)
{
	char path[PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory->path, early[i]);
		remove(path);
	}
	if (directory->made)
		rmdir(directory->path);
}

static int directory_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	if (walk->level)
		remove(path);
	return 0;
}

void directory_empty_trace(const struct directory *directory)
{
	nftw(directory->trace, directory_remove, 16, FTW_DEPTH | FTW_PHYS);
}

int directory_write(const struct directory *directory, const char *name, json_t *json, char **error)
{
	char path[PATH_MAX + 32], fresh[PATH_MAX + 40];
	FILE *file;
	int r = -1;

	snprintf(path, sizeof(path), "%s/%s", directory->path, name);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "we");
	if (file) {
		r = json_dumpf(json, file, JSON_INDENT(1));
		if (!r && putc('\n', file) == EOF)
			r = -1;
		if (fclose(file))
			r = -1;
		if (!r)
			r = rename(fresh, path);
	}
	json_decref(json);
	if (!r)
		return 0;
	*error = memory_format("cannot write %s: %s", path, strerror(errno));
	unlink(fresh);
	return -1;
}
