/*
 * Resizes what it opened to read.
 * expect: access-mismatch warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);

	close(fd);
	fd = shm_open(name(), O_RDONLY, 0);
	must(fd >= 0 && ftruncate(fd, 2 * PAGE) == -1, "ftruncate");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
