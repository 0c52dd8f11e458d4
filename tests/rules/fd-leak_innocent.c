/* Attaches as often, and closes each descriptor once it is mapped. */
#include "rule.h"

static void use(void)
{
	int fd = shm_open(name(), O_RDWR, 0);
	char *address;

	must(fd >= 0, "shm_open");
	address = map(fd, PAGE);
	must(close(fd) == 0, "close");
	must(munmap(address, PAGE) == 0, "munmap");
}

int main(void)
{
	close(create(name(), PAGE));
	for (int i = 0; i < 40; i++) {
		use();
		nap(5);
	}
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
