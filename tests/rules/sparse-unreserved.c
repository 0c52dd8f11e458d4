/*
 * Maps pages that nobody reserved.
 * expect: sparse-unreserved note 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 16 * PAGE);

	must(munmap(map(fd, 16 * PAGE), 16 * PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
