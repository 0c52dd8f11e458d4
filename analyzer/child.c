#include "analyzer/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/environment.h"
#include "analyzer/limits.h"
#include "analyzer/memory.h"

/* State and parent of a process; 0 if there is none. */
static char child_stat(pid_t pid, pid_t *parent)
{
	char path[64], line[512], state = 0;
	const char *end;
	ssize_t got;
	int fd, ppid = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[got > 0 ? got : 0] = '\0';
	end = strrchr(line, ')');
	if (!end || sscanf(end + 1, " %c %d", &state, &ppid) != 2)
		return 0;
	*parent = ppid;
	return state;
}

static bool child_is_elder(const struct child *child, pid_t pid)
{
	for (size_t i = 0; i < child->elder_count; i++)
		if (child->elders[i] == pid)
			return true;
	return false;
}

/* Calls found() for every process whose parent is run, until that returns false. */
static void child_each(struct child *child, bool (*found)(struct child *child, pid_t pid))
{
	DIR *proc = opendir("/proc");
	pid_t self = getpid(), parent;
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0 && child_stat(pid, &parent) && parent == self && !found(child, pid))
			break;
	}
	if (proc)
		closedir(proc);
}

static bool child_add_elder(struct child *child, pid_t pid)
{
	child->elders = memory_grow(child->elders, child->elder_count, sizeof(*child->elders));
	child->elders[child->elder_count++] = pid;
	return true;
}

static bool child_remove_elder(struct child *child, pid_t pid)
{
	for (size_t i = 0; i < child->elder_count; i++) {
		if (child->elders[i] != pid)
			continue;
		child->elders[i] = child->elders[--child->elder_count];
		return true;
	}
	return false;
}

int child_prepare(struct child *child)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	siginfo_t none;
	sigset_t all;

	*child = (struct child){.signals = -1};
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &child->mask);
	kept_take(&child->kept, &child->mask);
	/* Whoever started run may have ignored it, and then nobody could be waited for. */
	sigaction(SIGCHLD, &by_default, &child->on_child);
	if (!waitid(P_ALL, 0, &none, WEXITED | WNOHANG | WNOWAIT))
		child_each(child, child_add_elder);
	child->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (child->signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return errno;
	return 0;
}

void child_release(struct child *child)
{
	if (child->signals >= 0)
		close(child->signals);
	child->signals = -1;
	free(child->elders);
	child->elders = NULL;
	child->elder_count = 0;
	kept_free(&child->kept);
	sigaction(SIGCHLD, &child->on_child, NULL);
	sigprocmask(SIG_SETMASK, &child->mask, NULL);
}

static _Noreturn void child_exec(const struct child *child, pid_t parent, char *const *arguments, char **environment,
				 int report)
{
	int error;

	kept_give(&child->kept, parent);
	limits_restore();
	sigaction(SIGCHLD, &child->on_child, NULL);
	sigprocmask(SIG_SETMASK, &child->mask, NULL);
	execvpe(arguments[0], arguments, environment);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

int child_start(struct child *child, char *const *arguments, char **environment)
{
	int ends[2], error = 0;
	pid_t self = getpid();
	ssize_t got;

	if (pipe2(ends, O_CLOEXEC))
		return errno;
	child->pid = kept_fork();
	if (child->pid < 0) {
		error = errno;
		child->pid = 0;
	} else if (!child->pid) {
		environment_address(environment, self);
		child_exec(child, self, arguments, environment, ends[1]);
	}
	if (child->pid)
		kept_forked();
	close(ends[1]);
	do
		got = child->pid ? read(ends[0], &error, sizeof(error)) : 0;
	while (got < 0 && errno == EINTR);
	close(ends[0]);
	if (!error)
		return 0;
	if (child->pid)
		waitpid(child->pid, NULL, 0);
	child->pid = 0;
	return error;
}

static bool child_descends(pid_t pid)
{
	pid_t self = getpid();

	while (pid > 1 && pid != self)
		if (!child_stat(pid, &pid))
			return false;
	return pid == self;
}

static bool child_pends(int number)
{
	sigset_t pending;

	return !sigpending(&pending) && sigismember(&pending, number) == 1;
}

static void child_continue(const struct child *child)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	pid_t parent;

	/* Who continues the process group continues the command as well; it may just not have got round to it. */
	nanosleep(&pause, NULL);
	if (child_stat(child->pid, &parent) == 'T' && !child_pends(SIGTSTP))
		kill(child->pid, SIGCONT);
}

/*
 * Was run continued after what has stopped the command? A stop of both would have discarded SIGCONT; and one that found run
 * before it could block the signal again has stopped run as well.
 */
static bool child_was_continued(void)
{
	return child_pends(SIGCONT);
}

void child_signal(const struct child *child, const struct signalfd_siginfo *info)
{
	int number = (int)info->ssi_signo;
	const union sigval value = {.sival_ptr = (void *)(uintptr_t)info->ssi_ptr};

	if (number == SIGCHLD || !child->pid || child->ended)
		return;
	if (number == SIGCONT) {
		child_continue(child);
		return;
	}
	/* The terminal's go to the whole foreground process group, but a hangup goes to the session's leader alone. */
	if (info->ssi_code > 0 && !(number == SIGHUP && getsid(0) == getpid()))
		return;
	/* What the command sends to its whole process group it has got itself; SIGPIPE may be our own. */
	if (info->ssi_code <= 0 && ((pid_t)info->ssi_pid == getpid() || child_descends((pid_t)info->ssi_pid)))
		return;
	if (info->ssi_code == SI_QUEUE)
		sigqueue(child->pid, number, value);
	else
		kill(child->pid, number);
}

/* Stops run by the signal that stopped the command, so that the shell sees what it would have seen of the command. */
static void child_stop_with(int number)
{
	sigset_t only;

	if (number == SIGSTOP) {
		kill(getpid(), SIGSTOP);
		return;
	}
	sigemptyset(&only);
	sigaddset(&only, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	sigprocmask(SIG_BLOCK, &only, NULL);
}

/* After run was continued: sees to it that the command is as well. The signal that has stopped it again meanwhile, or 0. */
static int child_stopped_again(const struct child *child)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < 10; i++) {
		siginfo_t info = {.si_pid = 0};

		if (waitid(P_PID, (id_t)child->pid, &info, WSTOPPED | WCONTINUED | WNOHANG))
			return 0;
		if (info.si_pid && info.si_code == CLD_CONTINUED)
			return 0;
		if (info.si_pid && !child_was_continued())
			return info.si_status;
		if (info.si_pid)
			break;
		nanosleep(&pause, NULL);
	}
	child_continue(child);
	return 0;
}

static void child_stop(const struct child *child, int number)
{
	const struct timespec now = {0};
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, SIGCONT);
	while (number) {
		child_stop_with(number);
		number = child_stopped_again(child);
	}
	/* This one is dealt with; seen later, it would undo the next stop. */
	sigtimedwait(&only, NULL, &now);
}

static bool child_look_at(struct child *child, pid_t pid)
{
	/* The keeper is one more child, and known by being passed over by this kind of wait. */
	siginfo_t info = {.si_pid = 0};
	bool waited_for = !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);

	child->others = child->others || (waited_for && !child_is_elder(child, pid));
	return !child->others;
}

/* False when the only children left are those that run had before. */
static bool child_has_others(struct child *child)
{
	if (!child->elder_count || !child->ended)
		return true;
	child->others = false;
	child_each(child, child_look_at);
	return child->others;
}

bool child_collect(struct child *child, void (*ended)(void *context, pid_t pid, int status), void *context)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);

		if (pid < 0)
			return errno == EINTR;
		if (!pid)
			return child_has_others(child);
		if (WIFSTOPPED(status)) {
			if (pid == child->pid && !child_was_continued())
				child_stop(child, WSTOPSIG(status));
			continue;
		}
		if (child_remove_elder(child, pid))
			continue;
		if (pid == child->pid) {
			child->ended = true;
			child->status = status;
		}
		ended(context, pid, status);
	}
}

int child_exit_status(const struct child *child)
{
	return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status) : WEXITSTATUS(child->status);
}
