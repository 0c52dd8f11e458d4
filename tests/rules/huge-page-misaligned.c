/*
 * Maps from the middle of a huge page.
 * expect: huge-page-misaligned warning 1
 */
#include "huge.h"

int main(void)
{
	int fd = create_huge();

	must(mmap(NULL, HUGE_LENGTH, PROT_READ, MAP_SHARED, fd, (off_t)PAGE) == MAP_FAILED, "mmap");
	close(fd);
	return 0;
}
