/*
 * Keeps addresses for more huge pages than there are, and lets them be written later.
 * expect: huge-page-unbacked error 1
 */
#include "huge.h"

int main(void)
{
	int fd = create_huge();
	char *address = mmap(NULL, HUGE_LENGTH, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	must(address != MAP_FAILED, "mmap");
	must(mprotect(address, HUGE_LENGTH, PROT_READ | PROT_WRITE) == 0, "mprotect");
	close(fd);
	return 0;
}
