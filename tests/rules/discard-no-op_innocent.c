/* MADV_REMOVE takes the data away; MADV_DONTNEED does so to the pages of a private mapping. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE), copied = memfd_create("copied", MFD_CLOEXEC);
	char *address = map(fd, PAGE), *copy;

	strcpy(address, "secret");
	must(madvise(address, PAGE, MADV_REMOVE) == 0 && !*address, "MADV_REMOVE");
	must(copied >= 0 && ftruncate(copied, (off_t)PAGE) == 0, "memfd_create");
	copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, copied, 0);
	must(copy != MAP_FAILED, "mmap");
	strcpy(copy, "scratch");
	must(madvise(copy, PAGE, MADV_DONTNEED) == 0 && !*copy, "MADV_DONTNEED");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
