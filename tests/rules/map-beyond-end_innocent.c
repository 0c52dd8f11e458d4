/* Maps the last page of the object, of which the object has only a part. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 3 * PAGE + 100);
	char *address = map(fd, 4 * PAGE);

	address[3 * PAGE + 50] = 1;
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	return 0;
}
