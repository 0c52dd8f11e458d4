/* Grows from within a page, past the end of which nobody wrote; and from a whole page. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 100);

	strcpy(map(fd, 100), "data");
	must(ftruncate(fd, (off_t)PAGE) == 0, "ftruncate");
	strcpy(map(fd, PAGE) + 200, "data");
	must(posix_fallocate(fd, 0, 3 * (off_t)PAGE) == 0, "posix_fallocate");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
