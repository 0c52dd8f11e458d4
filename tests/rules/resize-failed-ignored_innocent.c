/* Learns that the object cannot grow, and maps what there is. */
#include "rule.h"

int main(void)
{
	int fd = memfd_create("buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t length = 4 * PAGE;
	char *address;

	must(fd >= 0 && ftruncate(fd, PAGE) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0, "memfd");
	if (ftruncate(fd, (off_t)length) < 0)
		length = PAGE;
	address = map(fd, length);
	must(munmap(address, length) == 0, "munmap");
	close(fd);
	return 0;
}
