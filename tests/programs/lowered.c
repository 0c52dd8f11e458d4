/*
 * lowered WHAT LIMIT: a limit of the process's that it lowers to LIMIT after its first call, and goes on: of descriptors, of
 * bytes of memory (memory), or of those of its data (data).
 */
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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

/* Room for what it goes on with, as without us; and its limits are what it has set. */
static void memory(int resource, rlim_t limit)
{
	struct rlimit has;
	pid_t child;
	int status;

	must(getrlimit((__rlimit_resource_t)resource, &has) == 0, "getrlimit");
	printf("limits: %d %d\n", has.rlim_cur == limit, has.rlim_max == limit);
	must(syscall(SYS_prlimit64, getpid(), resource, NULL, &has) == 0, "prlimit64");
	printf("by number: %d %d\n", has.rlim_cur == limit, has.rlim_max == limit);
	printf("room: %d, no end of it: %d\n", malloc(4000000) != NULL, malloc(1000000000) != NULL);
	child = fork();
	if (child == 0) {
		use(object());
		execl("/bin/sh", "sh", "-c", resource == RLIMIT_AS ? "ulimit -S -v" : "ulimit -S -d", NULL);
		_exit(9);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	printf("child: %x\n", (unsigned)status);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	rlim_t limit = strtoul(argv[2], NULL, 10);
	int resource = RLIMIT_NOFILE, fd = object();

	setbuf(stdout, NULL);
	if (strcmp(argv[1], "memory") == 0)
		resource = RLIMIT_AS;
	else if (strcmp(argv[1], "data") == 0)
		resource = RLIMIT_DATA;
	use(fd);
	must(setrlimit((__rlimit_resource_t)resource, &(struct rlimit){limit, limit}) == 0, "setrlimit");
	if (resource == RLIMIT_NOFILE)
		descriptors();
	else
		memory(resource, limit);
	use(fd);
	puts("went on");
	return 0;
}
