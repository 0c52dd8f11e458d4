/*
 * Maps from the middle of a page.
 * expect: access-mismatch warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 2 * PAGE);

	must(mmap(NULL, 100, PROT_READ, MAP_SHARED, fd, 100) == MAP_FAILED && errno == EINVAL, "mmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
