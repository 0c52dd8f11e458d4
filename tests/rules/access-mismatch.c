/*
 * Opens to read and maps to write.
 * expect: access-mismatch warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);

	close(fd);
	fd = shm_open(name(), O_RDONLY, 0);
	must(fd >= 0, "shm_open");
	must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES, "mmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
