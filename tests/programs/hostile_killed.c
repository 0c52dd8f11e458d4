/*
 * hostile_killed CALL early|late|threads|refused: a filter that kills for one system call, which the program itself does not
 * make again, is installed before, or after, its first use of shared memory. late: then it runs itself again, under the filter.
 * threads: that alone, and it has two then. refused: as early, and it kills nobody, but refuses the call.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned int number;
} calls[] = {
	{"socket", SYS_socket},
	{"connect", SYS_connect},
	{"clone3", SYS_clone3},
	{"rseq", SYS_rseq},
	{"sched_getaffinity", SYS_sched_getaffinity},
	{"clock_nanosleep", SYS_clock_nanosleep},
	{"clone", SYS_clone},
	{"close_range", SYS_close_range},
	{"sched_yield", SYS_sched_yield},
	{"tgkill", SYS_tgkill},
	{"get_mempolicy", SYS_get_mempolicy},
	{"getcwd", SYS_getcwd},
	{"getegid", SYS_getegid},
	{"getgid", SYS_getgid},
	{"mincore", SYS_mincore},
	{"pipe2", SYS_pipe2},
	{"set_mempolicy", SYS_set_mempolicy},
	{"setsockopt", SYS_setsockopt},
};

static int confine(const char *name, unsigned int action)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct sock_filter filter[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, action),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog program = {4, filter};

		if (!strcmp(calls[i].name, name))
			return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
			       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	}
	return -1;
}

static int use(const char *name)
{
	int fd = memfd_create(name, 0);
	char *map = ftruncate(fd, 4096) ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	*map = 1;
	return ftruncate(fd, 1) || ftruncate(fd, 4096) || close(fd) || munmap(map, 4096);
}

static void *wait_for_end(void *context)
{
	pause();
	return context;
}

static int begin_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, wait_for_end, NULL);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return printf("again: %d\n", (!strcmp(argv[1], "threads") && begin_thread()) || use("again")) < 0;
	if (argc != 3)
		return 2;
	if (!strcmp(argv[2], "late") && use("first"))
		return 3;
	bool refused = !strcmp(argv[2], "refused");
	if (confine(argv[1], refused ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS))
		return 4;
	if (strcmp(argv[2], "threads") != 0)
		printf("%s: %d\n", argv[1], use("confined"));
	fflush(stdout);
	if (strcmp(argv[2], "early") != 0 && !refused)
		execl(argv[0], argv[0], argv[2], NULL);
	return 0;
}
