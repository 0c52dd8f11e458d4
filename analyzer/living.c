#include "analyzer/living.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static int directory_open(int at, const char *name)
{
	return openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Neither who has ended nor the kernel's own threads run a program. */
static bool runs(int directory)
{
	char first;

	return readlinkat(directory, "exe", &first, 1) >= 0 || errno != ENOENT;
}

static int thread_open(int process)
{
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), thread = -1;
	DIR *task = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (thread < 0 && task && (entry = readdir(task))) {
		thread = *entry->d_name == '.' ? -1 : directory_open(fd, entry->d_name);
		if (thread >= 0 && !runs(thread)) {
			close(thread);
			thread = -1;
		}
	}
	if (task)
		closedir(task);
	else if (fd >= 0)
		close(fd);
	return thread;
}

int living_open(int proc, const char *pid)
{
	int process = directory_open(proc, pid), thread;

	if (process < 0 || runs(process))
		return process;
	thread = thread_open(process);
	if (thread < 0)
		return process;
	close(process);
	return thread;
}
