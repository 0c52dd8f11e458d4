/* Reserves without being interrupted. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);

	must(posix_fallocate(fd, 0, 16 * PAGE) == 0, "posix_fallocate");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
