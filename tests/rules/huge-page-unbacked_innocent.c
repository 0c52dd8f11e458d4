/* Asks the kernel to reserve them, and is refused; keeps addresses for them that nobody may touch. */
#include "huge.h"

int main(void)
{
	int fd = create_huge();

	must(mmap(NULL, HUGE_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, "mmap");
	must(mmap(NULL, HUGE_LENGTH, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0) != MAP_FAILED, "PROT_NONE");
	close(fd);
	return 0;
}
