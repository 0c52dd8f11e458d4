/* Opens to read and maps to read. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address;

	close(fd);
	fd = shm_open(name(), O_RDONLY, 0);
	must(fd >= 0, "shm_open");
	address = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	must(address != MAP_FAILED && munmap(address, PAGE) == 0, "mmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
