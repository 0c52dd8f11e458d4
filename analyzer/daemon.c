#include "analyzer/daemon_inner.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/limited.h"
#include "analyzer/limits.h"
#include "analyzer/lttng_control.h"
#include "analyzer/memory.h"

/*
 * It, its consumer and a worker of each begin by closing every descriptor that they might have, one by one, so less is
 * quicker. Two for each process, of three quarters: 1,500 processes at once. Root's raises it to 65,535 by itself.
 */
#define DESCRIPTORS_MAX 4096

#define START_SECONDS 10
#define STOP_SECONDS 3

void daemon_pause(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	nanosleep(&pause, NULL);
}

/* A file of /proc/PID, with a NUL behind it; how many bytes. */
static size_t daemon_read(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t got;
	FILE *file;

	text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	got = fread(text, 1, size - 1, file);
	fclose(file);
	text[got] = '\0';
	return got;
}

char daemon_stat(pid_t pid, unsigned long long *started)
{
	char line[1024], state = 0;
	const char *end;

	*started = 0;
	daemon_read(pid, "stat", line, sizeof(line));
	end = strrchr(line, ')');
	if (!end || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			   &state, started) != 2)
		return 0;
	return state;
}

/* The limit of this process, and so of the daemon, is the daemon's own; the command has that of `run`. */
static void daemon_limit_descriptors(void)
{
	struct rlimit limit, wanted = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_max > wanted.rlim_max)
		wanted.rlim_max = limit.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &wanted))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void daemon_write(const char *path, const char *format, unsigned int id)
{
	char text[64];
	int fd = open(path, O_WRONLY | O_CLOEXEC), length = snprintf(text, sizeof(text), format, id, id);

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)length) != length)
		errno = 0;
	close(fd);
}

/* What is mounted here stays here; an ordinary user needs a user namespace to be allowed to. */
void daemon_hide_shm(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(uid ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS))
		return;
	if (uid) {
		daemon_write("/proc/self/setgroups", "deny", 0);
		daemon_write("/proc/self/uid_map", "%u %u 1", uid);
		daemon_write("/proc/self/gid_map", "%u %u 1", gid);
	}
	/* What is mounted elsewhere later is seen here, but not the other way round. */
	if (!mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL))
		mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

/* Our own preload or what is the program's, and what was meant for another daemon, has no business in ours. */
static void daemon_drop_environment(void)
{
	static const char *const names[] = {"LD_PRELOAD",
					    "LD_AUDIT",
					    "LTTNG_ABORT_ON_ERROR",
					    "LTTNG_CONSUMERD32_BIN",
					    "LTTNG_CONSUMERD32_LIBDIR",
					    "LTTNG_CONSUMERD64_BIN",
					    "LTTNG_CONSUMERD64_LIBDIR",
					    "LTTNG_DEBUG_NOCLONE",
					    "LTTNG_SESSION_CONFIG_XSD_PATH",
					    "LTTNG_TESTPOINT_ENABLE"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unsetenv(names[i]);
}

/* Its libraries are those beside ours, before any of the program's that have their names. */
static void daemon_find_libraries(void)
{
	const char *programs = getenv("LD_LIBRARY_PATH");
	char *found, *path;
	Dl_info ours;

	if (!programs || !*programs || !dladdr(dlsym(RTLD_DEFAULT, "lttng_create_session"), &ours))
		return;
	found = memory_text(ours.dli_fname);
	path = memory_format("%s:%s", dirname(found), programs);
	setenv("LD_LIBRARY_PATH", path, 1);
	free(path);
	free(found);
}

static _Noreturn void daemon_exec(const struct daemon *daemon)
{
	char *arguments[] = {DAEMON_PROGRAM, "--no-kernel", "--sig-parent", NULL};
	char log[PATH_MAX];
	sigset_t none;
	int fd;

	daemon_hide_shm();
	if (!daemon->shared)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	daemon_drop_environment();
	daemon_find_libraries();
	snprintf(log, sizeof(log), "%s/daemon.log", daemon->private);
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	close_range(3, ~0u, 0);
	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(arguments[0], arguments);
	if (errno == ENOENT)
		execv("/usr/bin/" DAEMON_PROGRAM, arguments);
	_exit(errno == ENOENT ? 127 : 126);
}

/* What the daemon said last. */
static void daemon_last_words(const struct daemon *daemon, char *words, size_t size)
{
	char log[PATH_MAX], line[LIMITED_TEXT];
	FILE *file;

	words[0] = '\0';
	snprintf(log, sizeof(log), "%s/daemon.log", daemon->private);
	file = fopen(log, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			snprintf(words, size, ": %.300s", line);
	}
	fclose(file);
}

static int daemon_ended(const struct daemon *daemon, int status, char *error)
{
	char words[400];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		snprintf(error, LIMITED_TEXT, DAEMON_PROGRAM " is not installed (Debian package lttng-tools)");
		return -1;
	}
	daemon_last_words(daemon, words, sizeof(words));
	snprintf(error, LIMITED_TEXT, DAEMON_PROGRAM " ended at once with %s %d%s",
		 WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		 words);
	return -1;
}

int daemon_start(struct daemon *daemon, char *error)
{
	const struct timespec step = {.tv_nsec = 20000000};
	sigset_t ready;
	int status;

	if (limits_lack(LIMITS_OF_daemons, error))
		return -1;
	sigemptyset(&ready);
	sigaddset(&ready, SIGUSR1);
	daemon->pid = fork();
	if (daemon->pid < 0) {
		snprintf(error, LIMITED_TEXT, "fork: %s", strerror(errno));
		daemon->pid = 0;
		return -1;
	}
	if (!daemon->pid)
		daemon_exec(daemon);
	daemon->ours = true;
	for (int i = 0; i < START_SECONDS * 50; i++) {
		if (sigtimedwait(&ready, NULL, &step) == SIGUSR1)
			return 0;
		if (waitpid(daemon->pid, &status, WNOHANG) == daemon->pid) {
			daemon->pid = 0;
			return daemon_ended(daemon, status, error);
		}
	}
	snprintf(error, LIMITED_TEXT, DAEMON_PROGRAM " was started but is not ready after %d seconds", START_SECONDS);
	return -1;
}

/*
 * Waits for whoever of its group is a child of ours by now, and tells whether it and all these are gone. Only of a
 * daemon that is no child is the state worth something: with its first thread's end a process looks like a zombie.
 */
static bool daemon_gone(pid_t pid, unsigned long long started)
{
	unsigned long long now;
	char state;
	pid_t r;

	do
		r = waitpid(-pid, NULL, WNOHANG);
	while (r > 0);
	if (!r)
		return false;
	state = daemon_stat(pid, &now);
	return !state || state == 'Z' || now != started;
}

void daemon_stop(pid_t pid, bool written)
{
	unsigned long long started;

	daemon_stat(pid, &started);
	/* Its own end takes half a second. */
	if (written)
		kill(-pid, SIGKILL);
	kill(pid, SIGTERM);
	kill(-pid, SIGCONT);
	for (int i = 0; i < STOP_SECONDS * 200; i++) {
		if (daemon_gone(pid, started))
			return;
		daemon_pause();
	}
	kill(-pid, SIGKILL);
	for (int i = 0; i < STOP_SECONDS * 200 && !daemon_gone(pid, started); i++)
		daemon_pause();
}

int daemon_acquire(struct daemon *daemon, const char *private, char *error)
{
	*daemon = (struct daemon){.shared = geteuid() == 0, .private = private, .use_lock = -1};
	daemon_limit_descriptors();
	if (daemon->shared)
		return daemon_shared_acquire(daemon, error);
	lttng_control_private(private);
	return daemon_start(daemon, error);
}

bool daemon_release(struct daemon *daemon, bool written)
{
	if (daemon->shared)
		return daemon_shared_release(daemon, written);
	if (daemon->pid)
		daemon_stop(daemon->pid, written);
	return true;
}

bool daemon_give_up(struct daemon *daemon)
{
	return daemon->ours && !kill(-daemon->pid, SIGKILL);
}

/* That of the programs, "-u"; the kernel has one of its own. */
static bool daemon_is_consumer(pid_t pid, pid_t daemon)
{
	char line[1024];
	const char *end;
	size_t got;
	int parent;

	daemon_read(pid, "stat", line, sizeof(line));
	end = strrchr(line, ')');
	if (!end || !strstr(line, "(lttng-consumerd") || sscanf(end + 1, " %*c %d", &parent) != 1 || parent != daemon)
		return false;
	got = daemon_read(pid, "cmdline", line, sizeof(line));
	for (size_t at = 0; at < got; at += strlen(line + at) + 1)
		if (strcmp(line + at, "-u") == 0)
			return true;
	return false;
}

void daemon_find_consumer(struct daemon *daemon)
{
	DIR *proc = daemon->pid ? opendir("/proc") : NULL;
	struct dirent *entry;

	while (proc && !daemon->consumer && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0 && daemon_is_consumer(pid, daemon->pid) && daemon_stat(pid, &daemon->consumer_started))
			daemon->consumer = pid;
	}
	if (proc)
		closedir(proc);
}

const char *daemon_trouble(const struct daemon *daemon, bool *ended)
{
	unsigned long long started;
	char state;

	*ended = false;
	if (!daemon->pid)
		return NULL;
	state = daemon_stat(daemon->pid, &started);
	*ended = !state || state == 'Z';
	if (*ended)
		return "the LTTng session daemon has ended";
	if (state == 'T')
		return "the LTTng session daemon is stopped (SIGSTOP)";
	*ended = daemon->consumer && daemon_gone(daemon->consumer, daemon->consumer_started);
	return *ended ? "LTTng's consumer daemon has ended" : NULL;
}
