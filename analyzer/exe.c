#include "analyzer/exe.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/memory.h"

/* A path that ends like one of a file that is gone may be the file's own name, and then leads to it. */
static bool exe_leads(const char *path, int directory, const char *link)
{
	struct stat named, run;

	return !stat(path, &named) && !fstatat(directory, link, &run, 0) && named.st_dev == run.st_dev &&
	       named.st_ino == run.st_ino;
}

char *exe_path(int directory, const char *link)
{
	static const char gone[] = " (deleted)";
	char path[PATH_MAX];
	ssize_t length = readlinkat(directory, link, path, sizeof(path) - 1);
	char *end = path + length - (ssize_t)strlen(gone);

	if (length <= 0)
		return NULL;
	path[length] = '\0';
	if (end > path && !strcmp(end, gone) && !exe_leads(path, directory, link))
		*end = '\0';
	return memory_text(path);
}
