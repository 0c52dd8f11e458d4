/*
 * lowered WHAT LIMIT: a limit of the process's that it lowers to LIMIT after its first call, and goes on: of descriptors, of
 * bytes of memory (memory), or of those of its data (data).
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "hostile.h"

static void descriptors(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(getpid() > 0 ? 3 : 4);
	must(waitpid(child, &status, 0) == child, "waitpid");
	printf("child: %x\n", (unsigned)status);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	rlim_t limit = strtoul(argv[2], NULL, 10);
	int fd = object();
	use(fd);
	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){limit, limit}) == 0, "setrlimit");
	descriptors();
	use(fd);
	puts("went on");
	return 0;
}
