/*
 * Resizes beyond RLIMIT_FSIZE, which counts for memory as well.
 * expect: file-size-limit warning 1
 */
#include <signal.h>
#include <sys/resource.h>

#include "rule.h"

int main(void)
{
	int fd = memfd_create("buffer", MFD_CLOEXEC);

	must(signal(SIGXFSZ, SIG_IGN) != SIG_ERR, "signal");
	must(setrlimit(RLIMIT_FSIZE, &(struct rlimit){16 * PAGE, 16 * PAGE}) == 0, "setrlimit");
	must(ftruncate(fd, 32 * PAGE) == -1 && errno == EFBIG, "ftruncate");
	close(fd);
	return 0;
}
