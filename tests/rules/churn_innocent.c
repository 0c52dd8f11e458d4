/* One object for all messages. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = map(fd, PAGE);

	close(fd);
	for (int i = 0; i < 5000; i++)
		strcpy(address, "hello");
	must(munmap(address, PAGE) == 0, "munmap");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
