/*
 * hostile_forbidden NUMBER HOW: a filter that kills for the system call of that number, which the program does not make, and
 * all that it goes on to do with shared memory, children and shells. HOW, letters: f: the first use comes before the filter,
 * t: a thread goes with it, a: the filter is for all threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hostile.h"

#define NAME "/hostile-forbidden"

static void forbid(unsigned number, bool all)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		     syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, all ? SECCOMP_FILTER_FLAG_TSYNC : 0, &program) == 0,
	     "seccomp");
}

static atomic_bool ends;

static void *idle(void *nothing)
{
	while (!ends)
		usleep(1000);
	return nothing;
}

static void named(mode_t mode)
{
	int fd = shm_open(NAME, O_CREAT | O_EXCL | O_RDWR, mode);

	must(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0, "shm_open");
	char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED && fchmod(fd, mode | 040) == 0 && ftruncate(fd, PAGE) == 0 &&
		     rename("/dev/shm" NAME, "/dev/shm" NAME "-2") == 0 && munmap(map, 4 * PAGE) == 0 &&
		     close(fd) == 0 && shm_unlink(NAME "-2") == 0,
	     "use");
}

static void ended(const char *what, int status)
{
	printf("%s %x\n", what, status);
	fflush(stdout);
}

static void waited(const char *what, pid_t child)
{
	int status = -1;

	must(child > 0 && waitpid(child, &status, 0) == child, "waitpid");
	ended(what, status);
}

static void children(void)
{
	char *const command[] = {"sh", "-c", "exit 5", NULL};
	pid_t child = fork();

	if (!child)
		_exit(4);
	waited("fork", child);
	if (!(child = fork())) {
		named(0644);
		use(object());
		_exit(6);
	}
	waited("fork, use", child);
	if (!(child = fork())) {
		execv("/bin/sh", command);
		_exit(1);
	}
	waited("exec", child);
	if (!(child = vfork())) {
		execv("/bin/sh", command);
		_exit(1);
	}
	waited("vfork", child);
	must(posix_spawn(&child, "/bin/sh", NULL, NULL, command, environ) == 0, "posix_spawn");
	waited("spawn", child);
	ended("system", system("exit 3"));
	FILE *shell = popen("exit 7", "r");
	must(shell != NULL, "popen");
	ended("popen", pclose(shell));
}

int main(int count, char **arguments)
{
	pthread_t thread;

	if (count != 3)
		return 2;
	const char *how = arguments[2];
	if (strchr(how, 'f'))
		use(object());
	if (strchr(how, 't'))
		must(pthread_create(&thread, NULL, idle, NULL) == 0, "pthread_create");
	forbid((unsigned)atoi(arguments[1]), strchr(how, 'a') != NULL);
	for (int i = 0; i < 3; i++) {
		use(object());
		named(0600);
		named(0640);
		named(0644);
	}
	children();
	use(object());
	ends = true;
	if (strchr(how, 't'))
		must(pthread_join(thread, NULL) == 0, "pthread_join");
	puts("went on");
	return 0;
}
