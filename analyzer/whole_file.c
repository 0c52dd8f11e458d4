#include "analyzer/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/memory.h"

/* The file that is to be replaced, NULL if it is to be written as it stands; errno is 0 then, unless it may not be. */
static char *replaced(const char *path, struct stat *st, bool *there)
{
	errno = 0;
	*there = stat(path, st) == 0;
	if (!*there)
		/* A link to what is not there yet is followed. */
		return errno == ENOENT && lstat(path, st) < 0 ? memory_text(path) : NULL;
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || st->st_uid != geteuid() || access(path, W_OK) < 0)
		return NULL;
	return realpath(path, NULL);
}

/* Without a name, if that can be had: then nothing of it is left behind by who is killed. */
static int open_part(const char *target, const char *part)
{
	const char *slash = strrchr(target, '/');
	char *directory = slash ? strndup(target, (size_t)(slash - target) + 1) : memory_text(".");
	int fd = access("/proc/self/fd", X_OK) ? -1 : open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	if (fd < 0)
		fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	free(directory);
	return fd;
}

int whole_file_open(struct whole_file *whole, const char *path)
{
	struct stat st;
	bool there;
	int fd = -1;

	*whole = (struct whole_file){.target = replaced(path, &st, &there)};
	if (whole->target) {
		whole->part = memory_format("%s.part-%d", whole->target, (int)getpid());
		fd = open_part(whole->target, whole->part);
	}
	if (fd >= 0 && there)
		fchmod(fd, st.st_mode & 07777);
	if (fd >= 0) {
		whole->file = fdopen(fd, "w");
		return 0;
	}
	free(whole->target);
	free(whole->part);
	*whole = (struct whole_file){.file = fopen(path, "we")};
	return whole->file ? 0 : -1;
}

/* Of a file that has none yet. */
static bool put_name(const struct whole_file *whole)
{
	struct stat st;
	char *place;
	bool good;

	if (fstat(fileno(whole->file), &st) < 0 || st.st_nlink > 0)
		return true;
	place = memory_format("/proc/self/fd/%d", fileno(whole->file));
	good = linkat(AT_FDCWD, place, AT_FDCWD, whole->part, AT_SYMLINK_FOLLOW) == 0;
	free(place);
	return good;
}

int whole_file_close(struct whole_file *whole)
{
	bool good = fflush(whole->file) == 0 && !ferror(whole->file);
	int why;

	if (good && whole->target)
		good = put_name(whole);
	why = errno;
	if (fclose(whole->file) && good) {
		why = errno;
		good = false;
	}
	if (good && whole->target && rename(whole->part, whole->target) < 0) {
		why = errno;
		good = false;
	}
	if (!good && whole->target)
		unlink(whole->part);
	free(whole->target);
	free(whole->part);
	errno = why;
	return good ? 0 : -1;
}
