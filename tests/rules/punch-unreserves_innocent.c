/* Gives back pages that it had not reserved. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 16 * PAGE);

	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * PAGE, 4 * PAGE) == 0, "fallocate");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
