/* Maps the last page of the object, of which the object has only a part; opens the addresses that it keeps as it grows. */
#include "rule.h"

static void keeps_addresses(int fd)
{
	char *address = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_SHARED, fd, 0);

	must(address != MAP_FAILED && mprotect(address, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
	address = mremap(address + PAGE, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	must(address != MAP_FAILED && ftruncate(fd, 6 * PAGE) == 0, "mremap");
	must(mprotect(address, 5 * PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
	memset(address, 1, 5 * PAGE);
}

int main(void)
{
	int fd = create(name(), 3 * PAGE + 100);
	char *address = map(fd, 4 * PAGE);

	address[3 * PAGE + 50] = 1;
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	fd = memfd_create("keeps", MFD_CLOEXEC);
	must(ftruncate(fd, PAGE) == 0, "ftruncate");
	keeps_addresses(fd);
	return 0;
}
