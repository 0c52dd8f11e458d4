/*
 * race SECONDS [NAME]: eight processes create, attach to and remove the object NAME, with a mode that is too wide and no
 * umask, while another one looks at the name as fast as it can and by inotify(7). Prints what was seen; exits with 1 if
 * the name was ever wide, an open failed, or an object that a process made was another than it got.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 8 };

struct seen {
	atomic_ulong opened, looked, wide, failed, lost, exclusive_failed;
	atomic_int error;
};

static struct seen *seen;
static char name[256] = "/shmguard-race", path[300];
static double until;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void look(int at_fd)
{
	struct stat st;

	if ((at_fd < 0 ? stat(path, &st) : fstat(at_fd, &st)) == 0) {
		seen->looked++;
		if (st.st_mode & 006)
			seen->wide++;
	}
}

static void observer(void)
{
	_Alignas(struct inotify_event) char events[4096];
	int fd = inotify_init1(IN_NONBLOCK);

	inotify_add_watch(fd, "/dev/shm", IN_CREATE | IN_ATTRIB);
	while (now() < until) {
		look(-1);
		if (read(fd, events, sizeof events) > 0)
			look(-1);
	}
}

/* Creates what must not exist: EEXIST only where the name is there, and the object is one's own. */
static void exclusively(int number)
{
	char own[280];
	struct stat by_name, by_fd;

	snprintf(own, sizeof own, "%s-%d", name, number);
	int fd = shm_open(own, O_RDWR | O_CREAT | O_EXCL, 0666);
	if (fd < 0) {
		seen->exclusive_failed++;
		return;
	}
	look(fd);
	char at[300];
	snprintf(at, sizeof at, "/dev/shm%s", own);
	if (fstat(fd, &by_fd) < 0 || stat(at, &by_name) < 0 || by_fd.st_ino != by_name.st_ino)
		seen->lost++;
	close(fd);
	shm_unlink(own);
}

static void worker(int number)
{
	while (now() < until) {
		int fd = shm_open(name, O_RDWR | O_CREAT, 0666);
		if (fd < 0) {
			seen->failed++;
			seen->error = errno;
			continue;
		}
		look(fd);
		seen->opened++;
		if (number % 2)
			shm_unlink(name);
		close(fd);
		exclusively(number);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2)
		snprintf(name, sizeof name, "/%s", argv[2]);
	snprintf(path, sizeof path, "/dev/shm%s", name);
	seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc < 2 || seen == MAP_FAILED)
		return 2;
	until = now() + atof(argv[1]);
	umask(0);
	for (int i = 0; i <= PROCESSES; i++) {
		if (fork() == 0) {
			if (i == PROCESSES)
				observer();
			else
				worker(i);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	shm_unlink(name);
	printf("opened %lu, looked %lu; wide %lu, failed %lu (%s), exclusive failed %lu, lost %lu\n", seen->opened,
	       seen->looked, seen->wide, seen->failed, strerror(seen->error), seen->exclusive_failed, seen->lost);
	return seen->wide || seen->failed || seen->exclusive_failed || seen->lost;
}
