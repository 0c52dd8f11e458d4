/* Calls that replace, start, await and end processes. Started anew with "child", it tells how. */
#include <libgen.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "print.h"

extern FILE *_IO_popen(const char *, const char *);

static const char self[] = "/proc/self/exe";
static char *const arguments[] = {"processes", "child", "two words", "", NULL};
static char *const environment[] = {"KEPT=yes", NULL};
static char *const nothing[] = {NULL};

/* What a recorder needs may be there beside what the program gave. */
static void show_environment(void)
{
	for (char **variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, "KEPT=", 5) == 0 || strncmp(*variable, "LATER=", 6) == 0)
			printf("  environment: %s\n", *variable);
}

static int child(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("  argument %d: '%s'\n", i, argv[i]);
	show_environment();
	printf("  inherited descriptor 20: %d\n", fcntl(20, F_GETFD) != -1);
	if (fcntl(20, F_GETFD) != -1)
		printf("  it can be sized: %d\n", ftruncate(20, 4096) == 0);
	fflush(stdout);
	return 7;
}

static void execs_that_work(int which)
{
	int fd = memfd_create("shmguard-calls", 0);
	int exe = open(self, O_RDONLY);
	char program[PATH_MAX] = "";

	dup2(fd, 20);
	setenv("KEPT", "no", 1);
	setenv("LATER", "too", 1);
	switch (which) {
	case 0:
		execve(self, arguments, environment);
		break;
	case 1:
		execve(self, arguments, nothing);
		break;
	case 2:
		execv(self, arguments);
		break;
	case 3:
		if (readlink(self, program, sizeof(program) - 1) > 0)
			setenv("PATH", dirname(program), 1);
		execvp("processes", arguments);
		break;
	case 4:
		if (readlink(self, program, sizeof(program) - 1) > 0)
			setenv("PATH", dirname(program), 1);
		execvpe("processes", arguments, environment);
		break;
	case 5:
		execl(self, "processes", "child", "two words", "", (char *)NULL);
		break;
	case 6:
		if (readlink(self, program, sizeof(program) - 1) > 0)
			setenv("PATH", dirname(program), 1);
		execlp("processes", "processes", "child", "two words", "", (char *)NULL);
		break;
	case 7:
		execle(self, "processes", "child", "two words", "", (char *)NULL, environment);
		break;
	case 8:
		fexecve(exe, arguments, environment);
		break;
	case 9:
		execveat(exe, "", arguments, environment, AT_EMPTY_PATH);
		break;
	case 10:
		execveat(AT_FDCWD, self, arguments, environment, 0);
		break;
	case 11:
		execve(self, arguments, NULL);
		break;
	default:
		break;
	}
	_exit(99);
}

static void execs(void)
{
	static const char *const names[] = {"execve",         "execve, emptied environment",
					    "execv",          "execvp",
					    "execvpe",        "execl",
					    "execlp",         "execle",
					    "fexecve",        "execveat, descriptor",
					    "execveat, path", "execve, no environment"};

	for (int i = 0; i < 12; i++) {
		int status = -1;
		pid_t pid;

		printf("%s\n", names[i]);
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			execs_that_work(i);
		waitpid(pid, &status, 0);
		printf("  status %x\n", (unsigned)status);
	}
}

/* Text and a list that go on beyond the last page that can be read. */
struct cut {
	char *text, **list;
};

static struct cut cut(void)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct cut cut = {pages + PAGE - 3, (char **)(pages + PAGE) - 2};

	/* The list's last entry is the text's end as well, and none that can be read. */
	memset(pages, 'x', PAGE);
	cut.list[0] = pages + PAGE - sizeof(char *);
	mprotect(pages + PAGE, PAGE, PROT_NONE);
	return cut;
}

static void execs_of_bad_memory(void)
{
	struct cut beyond = cut();
	char *wrong[] = {(char *)"NAME=value", nowhere, NULL}, *unended[] = {beyond.text, NULL};

	CALL(execve(beyond.text, arguments, environment));
	CALL(execve(self, arguments, wrong));
	CALL(execve(self, arguments, unended));
	CALL(execve(self, arguments, beyond.list));
	CALL(execve(self, wrong, environment));
	CALL(execvpe(self, arguments, wrong));
	CALL(execle(self, "processes", (char *)NULL, wrong));
	CALL(fexecve(open(self, O_RDONLY | O_CLOEXEC), arguments, wrong));
	CALL(execveat(AT_FDCWD, self, arguments, wrong, 0));
	CALL(syscall(SYS_execve, self, arguments, wrong));
	CALL(posix_spawn(NULL, self, NULL, NULL, arguments, wrong));
	CALL(posix_spawnp(NULL, self, NULL, NULL, arguments, unended));
	char **kept = environ;
	environ = wrong;
	CALL(execv(self, arguments));
	CALL(system("true"));
	environ = kept;
}

static void execs_that_fail(void)
{
	int fd = open("/dev/null", O_RDONLY);

	CALL(execve("/none", arguments, environment));
	CALL(execve("", arguments, environment));
	CALL(execve("/dev", arguments, environment));
	CALL(execve("/etc/passwd", arguments, environment));
	CALL(execve(nowhere, arguments, environment));
	CALL(execve(self, (char **)nowhere, environment));
	CALL(execve(self, arguments, (char **)nowhere));
	CALL(execv("/none", arguments));
	CALL(execvp("none-such-program", arguments));
	CALL(execvp("", arguments));
	CALL(execvpe("none-such-program", arguments, environment));
	CALL(execl("/none", "none", (char *)NULL));
	CALL(execlp("none-such-program", "none", (char *)NULL));
	CALL(execle("/none", "none", (char *)NULL, environment));
	CALL(fexecve(-1, arguments, environment));
	CALL(fexecve(fd, arguments, environment));
	CALL(execveat(-1, "none", arguments, environment, 0));
	CALL(execveat(fd, "", arguments, environment, AT_EMPTY_PATH));
	CALL(execveat(AT_FDCWD, "/none", arguments, environment, 0));
	CALL(execveat(AT_FDCWD, self, arguments, environment, 0x7fffffff));
	close(fd);
	execs_of_bad_memory();
}

/* The child prints before this process does. */
#define SPAWN(call) (errno = EDOM, spawned(#call, (call), &pid))

static void spawned(const char *text, long error, const pid_t *pid)
{
	int kept = errno;
	int status = -1;

	if (error == 0)
		waitpid(*pid, &status, 0);
	errno = kept;
	print_call(text, error);
	if (error == 0)
		printf("  status %x\n", (unsigned)status);
}

static void spawns(void)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char program[PATH_MAX] = "";
	pid_t pid = -5;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 20, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_addclose(&actions, 0);
	CALL(posix_spawn_file_actions_adddup2(&actions, 1, 21));
	CALL(posix_spawn_file_actions_adddup2(&actions, -1, 21));
	CALL(posix_spawn_file_actions_adddup2(&actions, 1, -1));
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	if (readlink(self, program, sizeof(program) - 1) > 0)
		setenv("PATH", dirname(program), 1);
	fflush(stdout);
	SPAWN(posix_spawn(&pid, self, NULL, NULL, arguments, environment));
	SPAWN(posix_spawn(&pid, self, &actions, &attributes, arguments, nothing));
	SPAWN(posix_spawnp(&pid, "processes", NULL, NULL, arguments, environ));
	pid = -1;
	SPAWN(posix_spawn(NULL, self, NULL, NULL, arguments, environment));
	pid = -5;
	CALL(posix_spawn(&pid, "/none", NULL, NULL, arguments, environment));
	CALL(posix_spawnp(&pid, "none-such-program", NULL, NULL, arguments, environment));
	CALL(posix_spawn(&pid, nowhere, NULL, NULL, arguments, environment));
	posix_spawn_file_actions_addclose(&actions, 1 << 19);
	posix_spawn_file_actions_addopen(&actions, 3, "/none", O_RDONLY, 0);
	CALL(posix_spawn(&pid, self, &actions, NULL, arguments, environment));
	printf("  pid kept: %d\n", pid == -5);
	CALL(waitpid(-1, NULL, WNOHANG));
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
}

/* By an older name of popen. */
static bool older;

static void piped(const char *command, const char *type)
{
	FILE *stream = older ? CALL_POINTER(_IO_popen(command, type)) : CALL_POINTER(popen(command, type));
	char line[64] = "";

	if (stream == NULL)
		return;
	if (*type == 'w')
		fputs("three words here\n", stream);
	else
		printf("  read '%s'\n", fgets(line, sizeof line, stream) ? strtok(line, "\n") : "nothing");
	fflush(stdout);
	CALL(pclose(stream));
}

static void shells(void)
{
	static const char quotes[] = "echo \"$0\" 'it'\\''s' \"it's\" ''\"'\" \\\\ `echo x`; exit 3";

	for (int emptied = 0; emptied < 2; emptied++) {
		if (emptied)
			clearenv();
		setenv("KEPT", "no", 1);
		CALL(system(NULL));
		fflush(stdout);
		CALL(system(quotes));
		fflush(stdout);
		CALL(system("kill -9 $$"));
		CALL(system(""));
		CALL(system("exit 1 # to the end"));
		CALL(system("none-such-program 2>/dev/null"));
		CALL(system(nowhere));
		piped(quotes, "r");
		piped("echo \"$KEPT\"", "re");
		fflush(stdout);
		piped("read a b; echo \"$b\"; kill -15 $$", "w");
		piped("exit 5", "none");
		older = true;
		piped("exit 5", "r");
		older = false;
	}
}

static pid_t ending(int status)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (status < 0)
			raise(-status);
		if (status % 2 == 0)
			_exit(status);
		_Exit(status);
	}
	return pid;
}

static void waits(void)
{
	struct rusage usage;
	siginfo_t info = {.si_signo = 0};
	int status = -1;
	pid_t pid;

	CALL(wait(&status));
	pid = ending(4);
	CALL(wait(&status) == pid);
	printf("  %x\n", (unsigned)status);
	pid = ending(255);
	CALL(waitpid(pid, &status, 0) == pid);
	printf("  %x\n", (unsigned)status);
	pid = ending(256 + 3);
	CALL(wait3(&status, 0, &usage) == pid);
	printf("  %x\n", (unsigned)status);
	pid = ending(-SIGKILL);
	CALL(wait4(pid, &status, 0, NULL) == pid);
	printf("  %x\n", (unsigned)status);
	pid = ending(6);
	CALL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	printf("  %d %d %d\n", info.si_pid == pid, info.si_code, info.si_status);
	CALL(waitid(P_PID, (id_t)pid, NULL, WEXITED));
	CALL(waitid(P_ALL, 0, &info, WEXITED));
	CALL(waitid(P_ALL, 0, &info, 0));
	pid = ending(5);
	CALL(waitpid(pid, NULL, 0) == pid);
	pid = ending(5);
	CALL(waitpid(pid, (int *)nowhere, 0));
	CALL(waitpid(pid, &status, 0));
	CALL(wait4(-1, &status, 0x7fffffff, NULL));
	CALL(wait3(&status, WNOHANG, NULL));
	CALL(waitpid(INT_MIN, &status, 0));
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "child") == 0)
		return child(argc, argv);
	closefrom(3);
	execs();
	execs_that_fail();
	spawns();
	shells();
	waits();
	show_descriptors();
	fflush(stdout);
	_Exit(3);
}
