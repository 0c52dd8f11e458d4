/* The creator itself lets the object grow. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);

	must(ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
