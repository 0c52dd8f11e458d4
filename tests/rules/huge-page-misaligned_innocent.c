/* Maps from the start of one; that there is none is no matter of alignment. */
#include "huge.h"

int main(void)
{
	int fd = create_huge();

	must(mmap(NULL, HUGE_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, "mmap");
	close(fd);
	return 0;
}
