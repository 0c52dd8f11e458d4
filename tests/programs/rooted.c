/*
 * rooted ROOT NAME: in that root executes /bin/NAME, which answers 0, in every way, and /bin/none; says for each what came of
 * it: "ran", or the errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *word(int error)
{
	return error ? strerrorname_np(error) : "ran";
}

static int ended(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

/* In a child, and in one by vfork(2), whose parent must be whole afterwards. */
#define EXECUTES(way, call)                                                                                            \
	do {                                                                                                           \
		pid_t child = fork();                                                                                  \
		if (child == 0) {                                                                                      \
			call;                                                                                          \
			_exit(errno);                                                                                  \
		}                                                                                                      \
		int first = ended(child);                                                                              \
		child = vfork();                                                                                       \
		if (child == 0) {                                                                                      \
			call;                                                                                          \
			_exit(errno);                                                                                  \
		}                                                                                                      \
		printf("%s %s %s\n", way, word(first), word(ended(child)));                                            \
	} while (0)

static void spawns(const char *way,
		   int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
				char *const[], char *const[]),
		   const char *path, const posix_spawn_file_actions_t *actions, char *argv[])
{
	pid_t child;

	int error = spawn(&child, path, actions, NULL, argv, environ);
	printf("%s %s\n", way, word(error ? error : ended(child)));
}

static void executes(const char *path, const char *name, int program, int directory)
{
	char *argv[] = {(char[]){"x"}, NULL}, *empty[] = {NULL};
	posix_spawn_file_actions_t actions;

	printf("%s\n", path);
	EXECUTES("execve", execve(path, argv, empty));
	EXECUTES("execv", execv(path, argv));
	EXECUTES("execvp", execvp(name, argv));
	EXECUTES("execvpe", execvpe(name, argv, empty));
	EXECUTES("execl", execl(path, "x", NULL));
	EXECUTES("execlp", execlp(name, "x", NULL));
	EXECUTES("execle", execle(path, "x", NULL, empty));
	EXECUTES("fexecve", fexecve(program, argv, empty));
	EXECUTES("execveat", execveat(directory, name, argv, empty, 0));
	EXECUTES("syscall-execve", syscall(SYS_execve, path, argv, empty));
	EXECUTES("syscall-execveat", syscall(SYS_execveat, program, "", argv, empty, AT_EMPTY_PATH));
	spawns("posix_spawn", posix_spawn, path, NULL, argv);
	spawns("posix_spawnp", posix_spawnp, name, NULL, argv);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, "/bin");
	spawns("posix_spawn-chdir", posix_spawn, name, &actions, argv);
	spawns("posix_spawn-absolute", posix_spawn, path, &actions, argv);
	spawns("posix_spawnp-absolute", posix_spawnp, name, &actions, argv);
	posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char *argv[])
{
	char outside[4096];

	if (argc != 3)
		return 99;
	snprintf(outside, sizeof outside, "%s/bin/%s", argv[1], argv[2]);
	int program = open(outside, O_RDONLY | O_CLOEXEC);
	snprintf(outside, sizeof outside, "%s/bin", argv[1]);
	int directory = open(outside, O_PATH | O_CLOEXEC);
	if (program < 0 || directory < 0 || chroot(argv[1]) || chdir("/") || setenv("PATH", "/none:/bin", 1))
		return 98;
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(outside, sizeof outside, "/bin/%s", argv[2]);
	executes(outside, argv[2], program, directory);
	errno = 0;
	int status = system("exit 0");
	printf("system %#x %s\n", (unsigned)status, word(errno));
	printf("shell %d\n", system(NULL));
	errno = 0;
	FILE *pipe = popen("exit 0", "r");
	printf("popen %s", pipe ? "ran" : word(errno));
	printf(" %d\n", pipe ? pclose(pipe) : 0);
	executes("/bin/none", "none", -1, directory);
	return 0;
}
