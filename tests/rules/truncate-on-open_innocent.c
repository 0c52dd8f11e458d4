/* Creates with O_TRUNC what is not there. */
#include "rule.h"

int main(void)
{
	int fd = shm_open(name(), O_CREAT | O_TRUNC | O_RDWR, 0600);

	must(fd >= 0 && ftruncate(fd, PAGE) == 0, "shm_open");
	must(munmap(map(fd, PAGE), PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
