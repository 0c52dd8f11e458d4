/*
 * Maps the whole last page of an object that ends within it.
 * expect: tail-overrun note 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 100);

	must(munmap(map(fd, PAGE), PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
