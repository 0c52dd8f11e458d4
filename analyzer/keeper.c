#include "analyzer/keeper.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/daemon.h"
#include "analyzer/doctor.h"
#include "analyzer/leftovers.h"
#include "analyzer/limited.h"
#include "analyzer/lttng_control.h"
#include "analyzer/salvage.h"
#include "tracepoints/environment.h"
#include "tracepoints/notes.h"

#define CREATE_SECONDS 10
#define LOOKS_A_SECOND 4
/* Looks that find a stopped daemon as it is before it is given up, and before programs are told. */
#define PATIENCE 20
#define CLOSED_AFTER 5
#define STOP_SECONDS (LTTNG_CONTROL_PENDING + 4)
#define SUBBUFFER_MIN (UINT64_C(256) << 10)

struct keeper {
	const struct keeper_plan *plan;
	int socket;
	struct daemon daemon;
	struct lttng_control control;
	char session[32], flight[40], buffers[256], shot[DAEMON_PATH + 32];
	char trace[DAEMON_PATH]; /* the plan's, as the daemon comes to it */
	unsigned int shots;
};

static void keeper_say(const struct keeper *keeper, const char *word, const char *text)
{
	char line[LIMITED_TEXT + 32];
	int length = snprintf(line, sizeof(line), "%s%s\n", word, text);

	/* A run that is gone reads no more. */
	if (send(keeper->socket, line, (size_t)length, MSG_NOSIGNAL) < 0)
		return;
}

static int keeper_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	remove(path);
	return 0;
}

static void keeper_remove_tree(const char *path)
{
	nftw(path, keeper_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Bytes that may be used in `dir`; 0 unless it is a tmpfs or, with `any`, whatever it is. */
static uint64_t keeper_room(const char *dir, bool any)
{
	struct statfs status;

	if (access(dir, W_OK | X_OK) || statfs(dir, &status) || (!any && status.f_type != TMPFS_MAGIC))
		return 0;
	return (uint64_t)status.f_bavail * (uint64_t)status.f_bsize;
}

/* LTTng finds out that its buffers do not fit only when a program comes, and nobody is told: so try it now. */
static int keeper_reserve(const char *dir, uint64_t bytes)
{
	char path[300];
	int fd, r;

	snprintf(path, sizeof(path), "%s/room", dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	r = posix_fallocate(fd, 0, (off_t)bytes);
	close(fd);
	unlink(path);
	return r;
}

/*
 * The ring buffers never lie on /dev/shm, where they would eat what the program needs and be seen by it. A tmpfs of
 * the system's is taken if they use a quarter of its room at most, else the disk below the private directory. Of a memory
 * cgroup they use an eighth: they count as the consumer daemon's, which is not to be the largest process there when the
 * kernel kills for want of memory.
 */
static int keeper_place(struct keeper *keeper, char *error)
{
	const char *runtime = geteuid() ? getenv("XDG_RUNTIME_DIR") : "/run", *place = keeper->plan->private;
	uint64_t subbuffer = LTTNG_CONTROL_SUBBUFFER_MAX, disk = keeper_room(place, true),
		 most = keeper->plan->max_size, memory = doctor_cgroup_allowed() / 8, least;
	struct lttng_rings rings;
	int r = lttng_control_plan(&rings, subbuffer, most, keeper->plan->flight, &least);

	if (r) {
		snprintf(error, LIMITED_TEXT,
			 "--max-size is too little: %" PRIu64 " bytes are the least on this machine", least);
		return -1;
	}
	if (runtime && keeper_room(runtime, false) / 4 >= lttng_control_need(&rings))
		place = runtime;
	for (uint64_t room = place == runtime || memory < disk / 2 ? memory : disk / 2;
	     subbuffer > SUBBUFFER_MIN && lttng_control_need(&rings) > room; subbuffer /= 2)
		lttng_control_plan(&rings, subbuffer / 2, most, keeper->plan->flight, &least);
	snprintf(keeper->buffers, sizeof(keeper->buffers), "%.200s/%s", place,
		 place == runtime ? keeper->session : "buffers");
	if (mkdir(keeper->buffers, 0700)) {
		snprintf(error, LIMITED_TEXT, "%s: %s", keeper->buffers, strerror(errno));
		return -1;
	}
	/* A tmpfs with four times the room needs no trial. */
	r = place == runtime ? 0 : keeper_reserve(keeper->buffers, lttng_control_need(&rings));
	if (r) {
		snprintf(error, LIMITED_TEXT, "no room for %llu MB of ring buffers in %s: %s",
			 (unsigned long long)(lttng_control_need(&rings) >> 20), place, strerror(r));
		return -1;
	}
	keeper->control = (struct lttng_control){.session = keeper->session,
						 .trace = keeper->trace,
						 .buffers = keeper->buffers,
						 .rings = rings,
						 .recording = geteuid() ? 0 : keeper->plan->recording,
						 .flight = keeper->plan->flight ? keeper->flight : NULL};
	return 0;
}

static int keeper_is_file(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)path;
	(void)walk;
	return type == FTW_F && status->st_size;
}

/*
 * Plays a program: at the first one LTTng makes the ring buffers, which takes a third of a second. So no program has to
 * wait for them, and that they exist is seen before it starts.
 */
static int keeper_play_program(const void *context, char *error)
{
	const struct keeper *keeper = context;

	daemon_hide_shm();
	setenv("LTTNG_UST_REGISTER_TIMEOUT", "-1", 1);
	/* It brings the preload with it, which is to do nothing here. */
#define KEEPER_UNSET(name) unsetenv(name);
	ENVIRONMENT_ENFORCED(KEEPER_UNSET)
#undef KEEPER_UNSET
	unsetenv(ENVIRONMENT_RECORDING);
	if (!dlopen(keeper->plan->provider, RTLD_NOW | RTLD_LOCAL)) {
		snprintf(error, LIMITED_TEXT, "%s", dlerror());
		return 1;
	}
	if (nftw(keeper->buffers, keeper_is_file, 16, FTW_PHYS) != 1)
		snprintf(error, LIMITED_TEXT, "LTTng has made no ring buffers in %s", keeper->buffers);
	else if (nftw(keeper->plan->trace, keeper_is_file, 16, FTW_PHYS) != 1)
		snprintf(error, LIMITED_TEXT,
			 "LTTng has written nothing to %s: its session daemon may have other mounts",
			 keeper->plan->trace);
	else
		return 0;
	return 1;
}

static int keeper_start(struct keeper *keeper, char *error)
{
	int r;

	snprintf(keeper->session, sizeof(keeper->session), LTTNG_CONTROL_SESSION "%08x", keeper->plan->recording);
	snprintf(keeper->flight, sizeof(keeper->flight), "%s-calls", keeper->session);
	if (keeper_place(keeper, error) || daemon_acquire(&keeper->daemon, keeper->plan->private, error))
		return -1;
	if (!daemon_path(&keeper->daemon, keeper->plan->trace, keeper->trace)) {
		snprintf(error, LIMITED_TEXT,
			 "the machine's LTTng session daemon (pid %d) cannot reach %s: it runs in another mount or pid "
			 "namespace",
			 (int)keeper->daemon.pid, keeper->plan->trace);
		return -1;
	}
	r = limited(CREATE_SECONDS, lttng_control_start, &keeper->control, error);
	if (!r)
		r = limited(CREATE_SECONDS, keeper_play_program, keeper, error);
	if (r == -1) {
		bool ended;
		const char *trouble = daemon_trouble(&keeper->daemon, &ended);

		snprintf(error, LIMITED_TEXT, "%s: pid %d gave no answer for %d seconds",
			 trouble ? trouble : "the LTTng session daemon hangs", (int)keeper->daemon.pid, CREATE_SECONDS);
	}
	if (!r)
		daemon_find_consumer(&keeper->daemon);
	return r ? -1 : 0;
}

/* Overlapping ones are no harm: a reader takes each packet once. */
static void keeper_shoot(struct keeper *keeper)
{
	char error[LIMITED_TEXT];
	int r;

	if (!keeper->control.flight)
		return;
	snprintf(keeper->shot, sizeof(keeper->shot), "%s/calls-%u", keeper->trace, ++keeper->shots);
	keeper->control.shot = keeper->shot;
	r = limited(STOP_SECONDS, lttng_control_shot, &keeper->control, error);
	if (r == -1)
		keeper_say(keeper, KEEPER_TROUBLE,
			   "the LTTng session daemon gave no answer: calls that were in memory are missing");
	else if (r)
		keeper_say(keeper, KEEPER_TROUBLE, error);
}

/* For the recorded processes, which look for the file. */
static void keeper_mark(const struct keeper *keeper, const char *mark, bool set)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s%s", keeper->plan->notes, mark);
	if (!set) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0)
		close(fd);
}

/* What LTTng handed out is whole: this looks whether that was all. */
static bool keeper_salvage(struct keeper *keeper, int (*salvage)(const void *context, char *error))
{
	struct salvage what = {keeper->buffers, keeper->shot};
	char error[LIMITED_TEXT] = "";
	char text[2 * LIMITED_TEXT];

	snprintf(keeper->shot, sizeof(keeper->shot), "%s/rest", keeper->plan->trace);
	if (!limited(STOP_SECONDS, salvage, &what, error))
		return true;
	snprintf(
		text, sizeof(text),
		"LTTng kept back what was written last, as it does when a process is killed in the midst of writing an "
		"event or the disk is full: a second of some processor may be missing%s%s",
		*error ? ": " : "", error);
	keeper_say(keeper, KEEPER_TROUBLE, text);
	return false;
}

/* Who is recorded lives on, and nobody records what it calls from then on: so it matters when that was. */
static void keeper_say_gone(const struct keeper *keeper, const char *trouble)
{
	struct timespec clock;
	char text[LIMITED_TEXT];
	int64_t now;

	clock_gettime(CLOCK_REALTIME, &clock);
	now = (int64_t)clock.tv_sec * 1000000000 + clock.tv_nsec;
	snprintf(text, sizeof(text), "%" PRId64, now);
	keeper_say(keeper, KEEPER_GONE, text);
	snprintf(text, sizeof(text), "%s, %.1f s after the start: what was called after that may be missing", trouble,
		 (double)(now - keeper->plan->started) / 1e9);
	keeper_say(keeper, KEEPER_TROUBLE, text);
}

/* -1, which poll(2) passes over, where there is none, or the kernel has no such descriptors: the looks find its end, later. */
static int keeper_watch(pid_t pid)
{
	return pid ? pidfd_open(pid, 0) : -1;
}

/* Until run, or the daemon's end, wants to be looked at. */
static bool keeper_rest(struct pollfd *ready, size_t count)
{
	poll(ready, count, 1000 / LOOKS_A_SECOND);
	/* An end is told of once, and stays readable. */
	for (size_t i = 1; i < count; i++)
		if (ready[i].revents)
			ready[i].fd = -1;
	return ready[0].revents;
}

/* Until run wants an end or is gone. */
static void keeper_wait(struct keeper *keeper)
{
	const char *told = NULL;
	bool ends = false, salvages = !keeper->plan->flight;
	struct pollfd ready[] = {{.fd = keeper->socket, .events = POLLIN},
				 {.fd = keeper_watch(keeper->daemon.pid), .events = POLLIN},
				 {.fd = keeper_watch(keeper->daemon.consumer), .events = POLLIN}};
	unsigned int looks = 0;
	int bad = 0;
	char byte;

	do {
		const char *trouble;
		bool gone;

		if (keeper_rest(ready, sizeof(ready) / sizeof(ready[0]))) {
			ssize_t got = recv(keeper->socket, &byte, 1, MSG_DONTWAIT);

			if (got == 1 && byte == KEEPER_SHOT) {
				keeper_shoot(keeper);
			} else if (got >= 0 || errno != EAGAIN) {
				ends = true;
			}
		}
		trouble = daemon_trouble(&keeper->daemon, &gone);
		bad = trouble ? bad + 1 : 0;
		if (bad == PATIENCE && daemon_give_up(&keeper->daemon) && !gone) {
			trouble = "it was given up";
			gone = true;
		}
		/* Whoever starts now would wait for a daemon that does not answer. */
		if (bad == CLOSED_AFTER || (told && !trouble))
			keeper_mark(keeper, NOTES_CLOSED, bad);
		if (trouble && trouble != told && gone && bad <= PATIENCE)
			keeper_say_gone(keeper, trouble);
		else if (trouble && trouble != told && bad <= PATIENCE)
			keeper_say(keeper, KEEPER_TROUBLE, trouble);
		told = trouble;
		if (!ends && salvages && looks++ % LOOKS_A_SECOND == 0 && salvage_wanted(keeper->buffers))
			salvages = keeper_salvage(keeper, salvage_stuck);
	} while (!ends);
}

/* True when all data is on disk. */
static bool keeper_stop(struct keeper *keeper)
{
	char error[LIMITED_TEXT];
	int r = limited(STOP_SECONDS, lttng_control_stop, &keeper->control, error);

	if (r == 2)
		keeper_say(keeper, KEEPER_TROUBLE,
			   "LTTng still waited for data when the time was up: the end of the trace may be missing");
	else if (r < 0)
		keeper_say(keeper, KEEPER_TROUBLE,
			   "the LTTng session daemon gave no answer at the end: the end of the trace may be missing");
	else if (r)
		keeper_say(keeper, KEEPER_TROUBLE, error);
	return !r;
}

_Noreturn void keeper_main(const struct keeper_plan *plan, int socket)
{
	struct keeper keeper = {.plan = plan, .socket = socket, .daemon.use_lock = -1};
	char error[LIMITED_TEXT] = "";
	bool written = false;
	int null;

	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	keeper.socket = dup2(socket, 3);
	close_range(4, ~0u, 0);
	fcntl(keeper.socket, F_SETFD, FD_CLOEXEC);
	if (chdir("/"))
		keeper_say(&keeper, KEEPER_TROUBLE, "cannot leave the working directory");
	signal(SIGCHLD, SIG_DFL);
	/* The daemon's own children come here when it is killed. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

	if (keeper_start(&keeper, error)) {
		keeper_say(&keeper, KEEPER_FAILED, error);
	} else {
		keeper_say(&keeper, KEEPER_READY, "");
		keeper_wait(&keeper);
		keeper_mark(&keeper, NOTES_ENDED, true);
		keeper_shoot(&keeper);
		written = keeper_stop(&keeper);
		if (!plan->flight)
			keeper_salvage(&keeper, salvage_rest);
	}
	if (!daemon_release(&keeper.daemon, written) && keeper.control.session)
		limited(STOP_SECONDS, lttng_control_destroy, &keeper.control, error);
	leftovers_tidy();
	if (keeper.buffers[0])
		keeper_remove_tree(keeper.buffers);
	keeper_remove_tree(plan->private);
	_exit(0);
}
