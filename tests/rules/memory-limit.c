/*
 * Asks for more than its memory cgroup has left.
 * expect: memory-limit warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 256 << 20);

	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
