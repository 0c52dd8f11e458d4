#include "analyzer/same_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/memory.h"
#include "analyzer/report.h"

/* As many as Linux follows. */
enum { LINKS_MAX = 40 };

/* What open(2) would make: the path behind the symbolic links at its end. To be freed. */
static char *same_file_target(const char *path)
{
	char *at = memory_text(path), link[PATH_MAX];
	ssize_t length;

	for (int i = 0; i < LINKS_MAX && (length = readlink(at, link, sizeof(link))) > 0; i++) {
		int directory = *link == '/' ? 0 : (int)(report_basename(at) - at);
		char *next = memory_format("%.*s%.*s", directory, at, (int)length, link);

		free(at);
		at = next;
	}
	return at;
}

static bool same_file_identity(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Of two that are not there: the same name in the same directory. */
static bool same_file_made(const char *one, const char *other)
{
	char *a = same_file_target(one), *b = same_file_target(other);
	const char *name = report_basename(a), *also = report_basename(b);
	char *in = memory_format("%.*s.", (int)(name - a), a), *too = memory_format("%.*s.", (int)(also - b), b);
	struct stat of_one, of_other;
	bool same = !strcmp(name, also) && !stat(in, &of_one) && !stat(too, &of_other) &&
		    same_file_identity(&of_one, &of_other);

	free(too);
	free(in);
	free(b);
	free(a);
	return same;
}

static bool same_file_stat(const char *path, struct stat *st)
{
	return path ? !stat(path, st) : !fstat(STDOUT_FILENO, st);
}

bool same_file(const char *one, const char *other)
{
	struct stat a, b, null;
	bool there = same_file_stat(one, &a), also = same_file_stat(other, &b);

	if (!there && !also)
		return one == other || (one && other && same_file_made(one, other));
	if (!there || !also || !same_file_identity(&a, &b))
		return false;
	return !S_ISCHR(a.st_mode) || stat("/dev/null", &null) || a.st_rdev != null.st_rdev;
}
