/*
 * Does not look at what ftruncate answers, and maps what it asked for.
 * expect: resize-failed-ignored error 1
 */
#include "rule.h"

int main(void)
{
	int fd = memfd_create("buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *address;

	must(fd >= 0 && ftruncate(fd, PAGE) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0, "memfd");
	must(ftruncate(fd, 4 * PAGE) == -1, "ftruncate");
	address = map(fd, 4 * PAGE);
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	close(fd);
	return 0;
}
