/*
 * Empties an object that nobody maps.
 * expect: truncate-on-open warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 4 * PAGE);

	close(fd);
	fd = shm_open(name(), O_TRUNC | O_RDWR, 0600);
	must(fd >= 0, "shm_open");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
