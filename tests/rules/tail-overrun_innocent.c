/* Maps no more than the object has. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 100);

	must(munmap(map(fd, 100), 100) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
