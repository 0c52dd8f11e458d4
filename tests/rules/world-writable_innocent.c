/* Mode 0666 in a directory that nobody else can search, as JACK has it; and a memfd, whose mode is 0777 always. */
#include "rule.h"

int main(void)
{
	char directory[64], path[80];
	int fd, memory;

	umask(0);
	snprintf(directory, sizeof(directory), "/dev/shm/shmguard-rules.%d", getpid());
	snprintf(path, sizeof(path), "%s/ring", directory);
	must(mkdir(directory, 0700) == 0, "mkdir");
	fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0666);
	must(fd >= 0 && ftruncate(fd, (off_t)PAGE) == 0, "open");
	map(fd, PAGE);
	must(fchmod(fd, 0666) == 0, "fchmod");
	memory = memfd_create("buffer", MFD_CLOEXEC);
	must(memory >= 0 && fchmod(memory, 0777) == 0, "memfd_create");
	must(unlink(path) == 0 && rmdir(directory) == 0, "unlink");
	must(fchmod(fd, 0666) == 0, "fchmod of an object without a name");
	return 0;
}
