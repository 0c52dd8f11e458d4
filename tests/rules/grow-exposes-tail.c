/*
 * What was written past the end comes back as the object grows.
 * expect: grow-exposes-tail warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 100);
	char *address = map(fd, PAGE);

	strcpy(address + 200, "the password of the one before");
	must(ftruncate(fd, (off_t)PAGE) == 0, "ftruncate");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
