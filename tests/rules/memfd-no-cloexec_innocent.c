/* The flag from the beginning, kept by F_DUPFD_CLOEXEC; and a memfd as standard input, which is to be inherited. */
#include "rule.h"

int main(void)
{
	int fd = memfd_create("buffer", MFD_CLOEXEC);

	must(fd >= 0 && fcntl(fd, F_DUPFD_CLOEXEC, 10) >= 10, "memfd_create");
	must(dup2(fd, STDIN_FILENO) == STDIN_FILENO, "dup2");
	must(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0, "F_SETFD");
	return 0;
}
