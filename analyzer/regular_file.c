#include "regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int regular_file_open(const char *path, uint64_t *size)
{
	struct stat st;
	int fd = -1;

	/* To open a device may do something; and what is a file now may be none when it is opened. */
	if (stat(path, &st) < 0)
		return -1;
	if (S_ISREG(st.st_mode))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (S_ISREG(st.st_mode) && fd < 0)
		return -1;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	errno = EINVAL;
	return -1;
}
