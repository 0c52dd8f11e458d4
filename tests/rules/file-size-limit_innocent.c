/* Resizes up to it. */
#include <sys/resource.h>

#include "rule.h"

int main(void)
{
	int fd = memfd_create("buffer", MFD_CLOEXEC);

	must(setrlimit(RLIMIT_FSIZE, &(struct rlimit){16 * PAGE, 16 * PAGE}) == 0, "setrlimit");
	must(ftruncate(fd, 16 * PAGE) == 0, "ftruncate");
	close(fd);
	return 0;
}
