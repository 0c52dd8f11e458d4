#include "trace_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

#define CHILD_PIPE (1 << 20)
#define POLL_EVERY 100 /* ms */
#define LAST_WORDS 1000000000LL

static struct wire_out *dying;

/* A crash, or the parent gives us up. */
static void last_words(int number)
{
	wire_rescue(dying);
	raise(number);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void limit(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit rlimit;

	if (getrlimit(resource, &rlimit) == 0) {
		rlimit.rlim_cur = most < rlimit.rlim_max ? most : rlimit.rlim_max;
		setrlimit(resource, &rlimit);
	}
}

/* AddressSanitizer reserves more than any limit. */
void trace_child_allow(uint64_t bytes)
{
#ifndef __SANITIZE_ADDRESS__
	limit(RLIMIT_DATA, bytes);
#else
	(void)bytes;
#endif
}

/* What libraries say of their end is not for people: the parent says it. */
static void silence(void)
{
#ifndef __SANITIZE_ADDRESS__
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(fd, STDERR_FILENO);
	close(fd);
#endif
}

static void in_child(const struct child_work *work, int fd, pid_t parent)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM};
	struct sigaction action = {.sa_handler = last_words, .sa_flags = (int)SA_RESETHAND};
	struct wire_out out;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	/* babeltrace2 keeps a descriptor for each stream. */
	limit(RLIMIT_NOFILE, RLIM_INFINITY);
	limit(RLIMIT_CORE, 0);
	trace_child_allow(CHILD_MEMORY);
	silence();
	wire_open(&out, fd);
	dying = &out;
	/* What it sends in its last moment is sent once. */
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		sigaction(fatal[i], &action, NULL);
	work->work(work->context, &out);
	wire_close(&out);
	_exit(0);
}

static pid_t start(const struct child_work *work, int *from)
{
	pid_t parent = getpid(), pid;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, CHILD_PIPE);
	/* A child that has no memory left exits: it is not to print what its parent has printed. */
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		in_child(work, ends[1], parent);
	}
	close(ends[1]);
	if (pid < 0)
		close(ends[0]);
	*from = ends[0];
	return pid;
}

/* One message or more, or nothing for a moment. False: it has closed its end. */
static bool hear(int fd, struct wire_in *in, bool *heard)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	ssize_t got;

	*heard = false;
	if (poll(&poller, 1, POLL_EVERY) <= 0)
		return true;
	got = read(fd, in->buffer + in->used, WIRE_PIECE);
	if (got > 0)
		in->used += (size_t)got;
	*heard = got > 0;
	return got != 0;
}

/* CHILD_exited when it has closed its end. */
static enum child_end take_all(const struct child_work *work, const struct wire_taker *taker, pid_t pid, int fd)
{
	int64_t deadline = now() + work->patience;
	enum child_end end = CHILD_exited;
	struct wire_in in;
	bool heard;

	wire_in_open(&in);
	while (hear(fd, &in, &heard)) {
		int result = heard ? wire_take(&in, taker) : 0;

		if (result < 0) {
			end = result == WIRE_nonsense ? CHILD_nonsense : CHILD_stopped;
			break;
		}
		if (work->interrupted && *work->interrupted) {
			end = CHILD_interrupted;
			break;
		}
		if (heard && end == CHILD_exited)
			deadline = now() + work->patience;
		if (now() < deadline)
			continue;
		if (end == CHILD_stalled)
			break;
		end = CHILD_stalled;
		deadline = now() + LAST_WORDS;
		kill(pid, SIGTERM);
	}
	wire_in_close(&in);
	return end;
}

enum child_end trace_child(const struct child_work *work, const struct wire_taker *taker, int *status)
{
	enum child_end end;
	int fd;
	pid_t pid = start(work, &fd);

	if (pid < 0)
		return CHILD_none;
	end = take_all(work, taker, pid, fd);
	close(fd);
	if (end != CHILD_exited)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return end;
}

char *trace_child_words(enum child_end end, int status)
{
	switch (end) {
	case CHILD_interrupted:
		return memory_text("it was interrupted");
	case CHILD_stalled:
		return memory_text("the decoder stood still");
	case CHILD_nonsense:
		return memory_text("the decoder told nonsense");
	case CHILD_none:
		return memory_format("no process could be made for it: %s", strerror(errno));
	default:
		break;
	}
	if (WIFSIGNALED(status))
		return memory_format("the decoder died of signal %d (%s)", WTERMSIG(status),
				     strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) == MEMORY_OUT)
		return memory_text("the decoder wanted more memory than it may have");
	return memory_format("the decoder gave up with status %d", WEXITSTATUS(status));
}
