/*
 * Maps more huge pages than there are, and does not let the kernel reserve them.
 * expect: huge-page-unbacked error 1
 */
#include "huge.h"

int main(void)
{
	int fd = create_huge();
	char *address = mmap(NULL, HUGE_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	must(address != MAP_FAILED, "mmap");
	must(munmap(address, HUGE_LENGTH) == 0, "munmap");
	close(fd);
	return 0;
}
