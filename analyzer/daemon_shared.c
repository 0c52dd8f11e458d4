/* Root's session daemon, of which a machine has one: recordings share it, and the last one stops it if shmguard started it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/daemon_inner.h"
#include "analyzer/limited.h"
#include "analyzer/lttng_control.h"

#define DAEMON_DIRECTORY "/run/lttng"
#define DAEMON_PIDFILE DAEMON_DIRECTORY "/lttng-sessiond.pid"

/* Held while the machine's daemon is started or stopped; names the one that shmguard started: pid and start time. */
#define LOCK_FILE "/run/shmguard.lock"
/* Held shared by every recording that uses the machine's daemon. */
#define LOCK_USE "/run/shmguard-use.lock"

#define LOCK_SECONDS 10

/* 0 where it runs in a pid namespace of its own: its number is nobody's here, or another's. */
static pid_t daemon_machine_pid(void)
{
	FILE *file = fopen(DAEMON_PIDFILE, "re");
	char path[32], name[32] = "";
	int pid = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, sizeof(name), file) || strcmp(name, DAEMON_PROGRAM "\n") != 0)
		pid = 0;
	if (file)
		fclose(file);
	return pid;
}

/* A lock file that may be unlinked by whoever holds it: what was locked must still be what has the name. */
static int daemon_lock(const char *path, int operation, char *error)
{
	for (int i = 0; i < LOCK_SECONDS * 200; i++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct stat held, named;

		if (fd < 0) {
			snprintf(error, LIMITED_TEXT, "%s: %s", path, strerror(errno));
			return -1;
		}
		if (!flock(fd, operation | LOCK_NB) && !fstat(fd, &held) && !stat(path, &named) &&
		    held.st_ino == named.st_ino && held.st_dev == named.st_dev)
			return fd;
		close(fd);
		daemon_pause();
	}
	snprintf(error, LIMITED_TEXT, "%s is held by another recording", path);
	return -1;
}

static void daemon_note_started(int lock, pid_t pid)
{
	unsigned long long started;

	daemon_stat(pid, &started);
	if (ftruncate(lock, 0) || dprintf(lock, "%d %llu\n", (int)pid, started) < 0)
		return;
}

/* The pid of the machine's daemon if shmguard started it and it still runs. */
static pid_t daemon_noted(int lock)
{
	unsigned long long noted, started;
	char text[64] = "";
	int pid;

	if (pread(lock, text, sizeof(text) - 1, 0) <= 0 || sscanf(text, "%d %llu", &pid, &noted) != 2)
		return 0;
	return daemon_stat(pid, &started) && started == noted ? pid : 0;
}

int daemon_shared_acquire(struct daemon *daemon, char *error)
{
	int lock = daemon_lock(LOCK_FILE, LOCK_EX, error), r;

	if (lock < 0)
		return -1;
	r = limited(2, lttng_control_alive, NULL, error);
	if (r == 0) {
		daemon->pid = daemon_machine_pid();
	} else if (r < 0) {
		snprintf(error, LIMITED_TEXT, "the machine's LTTng session daemon (pid %d) does not answer",
			 (int)daemon_machine_pid());
	} else {
		r = daemon_start(daemon, error);
		if (!r)
			daemon_note_started(lock, daemon->pid);
	}
	if (!r) {
		daemon->use_lock = daemon_lock(LOCK_USE, LOCK_SH, error);
		r = daemon->use_lock < 0 ? -1 : 0;
	}
	close(lock);
	return r ? -1 : 0;
}

/* Whether `path` of the daemon's is what `status` is of. */
static bool daemon_finds(const struct daemon *daemon, const char *path, const struct stat *status)
{
	char seen[DAEMON_PATH + 32];
	struct stat found;

	snprintf(seen, sizeof(seen), "/proc/%d/root%s", (int)daemon->pid, path);
	return !stat(seen, &found) && found.st_dev == status->st_dev && found.st_ino == status->st_ino;
}

bool daemon_path(const struct daemon *daemon, const char *path, char *found)
{
	struct stat status;

	snprintf(found, DAEMON_PATH, "%s", path);
	if (!daemon->shared || !daemon->pid || stat(path, &status) || daemon_finds(daemon, found, &status))
		return true;
	snprintf(found, DAEMON_PATH, "/proc/%d/root%s", (int)getpid(), path);
	return daemon_finds(daemon, found, &status);
}

/*
 * What a daemon that was killed would have taken away itself. The lock is the daemon's own, so one that somebody else
 * has started meanwhile keeps what it made.
 */
static void daemon_remove_files(void)
{
	static const char *const files[] = {
		"agent.port",
		"client-lttng-sessiond",
		"kconsumerd/error",
		"kconsumerd",
		"lttng-sessiond.pid",
		"lttng-ust-sock-8",
		"sessiond-health",
		"sessiond-notification",
		"ustconsumerd32/error",
		"ustconsumerd32",
		"ustconsumerd64/error",
		"ustconsumerd64/health",
		"ustconsumerd64/command",
		"ustconsumerd64",
		"lttng-sessiond.lck",
	};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int held = open(DAEMON_DIRECTORY "/lttng-sessiond.lck", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	char path[64];

	if (held < 0)
		return;
	if (fcntl(held, F_SETLK, &lock) == 0) {
		for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
			snprintf(path, sizeof(path), DAEMON_DIRECTORY "/%s", files[i]);
			remove(path);
		}
	}
	close(held);
}

bool daemon_shared_release(struct daemon *daemon, bool written)
{
	char error[LIMITED_TEXT];
	int lock = daemon_lock(LOCK_FILE, LOCK_EX, error);
	bool stopped = false;
	pid_t ours;
	int idle;

	if (lock < 0)
		return false;
	if (daemon->use_lock < 0)
		daemon->use_lock = open(LOCK_USE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (daemon->use_lock >= 0 && flock(daemon->use_lock, LOCK_EX | LOCK_NB) == 0) {
		ours = daemon_noted(lock);
		idle = ours ? limited(2, lttng_control_idle, NULL, error) : 1;
		if (idle != 1) {
			daemon_stop(ours, written && !idle);
			daemon_remove_files();
			rmdir(DAEMON_DIRECTORY);
			stopped = true;
		}
		if (!ours || stopped)
			unlink(LOCK_FILE);
		unlink(LOCK_USE);
	}
	close(daemon->use_lock);
	close(lock);
	return stopped;
}
