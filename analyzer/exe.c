#include "analyzer/exe.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/deleted_mark.h"
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
	char path[PATH_MAX];
	ssize_t length = readlinkat(directory, link, path, sizeof(path) - 1);
	size_t end;

	if (length <= 0)
		return NULL;
	path[length] = '\0';
	end = deleted_mark(path);
	if (path[end] && !exe_leads(path, directory, link))
		path[end] = '\0';
	return memory_text(path);
}
