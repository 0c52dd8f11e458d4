/*
 * A new object for every message.
 * expect: churn note
 */
#include "rule.h"

static void send_message(void)
{
	int fd = create(name(), PAGE);
	char *address = map(fd, PAGE);

	strcpy(address, "hello");
	must(munmap(address, PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
}

int main(void)
{
	for (int i = 0; i < 5000; i++)
		send_message();
	return 0;
}
