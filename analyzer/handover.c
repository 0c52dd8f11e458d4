#include "analyzer/handover.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool handover_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

static bool handover_is(int fd, const char *path)
{
	struct stat named, open;

	return path && !stat(path, &named) && !fstat(fd, &open) && named.st_dev == open.st_dev &&
	       named.st_ino == open.st_ino;
}

/* One that came over the exec: fcntl(2) ends it with the first descriptor of the file that its process closes. */
static bool handover_locks(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK && lock.l_pid == getpid();
}

void handover_descriptors(const char *report)
{
	DIR *list = opendir("/proc/self/fd");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		int fd = entry->d_name[0] == '.' ? -1 : atoi(entry->d_name);

		if (fd < 0 || fd == STDERR_FILENO || !handover_inherited(fd) || handover_is(fd, report) ||
		    handover_locks(fd))
			continue;
		if (fd > STDERR_FILENO)
			close(fd);
		else
			dup2(null, fd);
	}
	if (list)
		closedir(list);
	if (null >= 0)
		close(null);
}
