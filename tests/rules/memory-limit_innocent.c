/* Asks for what there is. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 2 << 20);

	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
