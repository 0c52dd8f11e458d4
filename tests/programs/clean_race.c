/*
 * clean_race SHMGUARD RACES: two cleaners at once over ghosts that other processes attach to just then, half of them at
 * the moment when a cleaner begins to move names. Whoever has attached must find the name leading to what he has, with its
 * contents, when the cleaners are done. Prints what came of it; exits with 1 if anything live was lost. Overtaken is who found
 * the name just before it was moved, while another made it anew in the microseconds before the cleaner ran again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OBJECTS = 250, ATTACHERS = 4, CLEANERS = 2 };

static const char content[] = "of somebody who will be back";

struct shared {
	int done; /* the cleaners have ended */
	unsigned attached, created, missed, waited, overtaken, lost;
};

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void name_of(char name[32], int i)
{
	snprintf(name, 32, "/clean-race-%d", i);
}

static void make_ghosts(void)
{
	char name[32];

	for (int i = 0; i < OBJECTS; i++) {
		name_of(name, i);
		int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || write(fd, content, sizeof(content)) != sizeof(content))
			fail(name);
		close(fd);
	}
}

static void remove_all(void)
{
	char name[32];

	for (int i = 0; i < OBJECTS; i++) {
		name_of(name, i);
		shm_unlink(name);
	}
}

static pid_t start_cleaner(const char *shmguard, int round, int which)
{
	/* The first wipes in every second round. */
	char *arguments[] = {(char *)shmguard,
			     "clean",
			     "--yes",
			     "--force",
			     "--older=0",
			     round % 2 && !which ? "--zero" : NULL,
			     NULL};
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 1);
		dup2(null, 2);
		execv(shmguard, arguments);
		_exit(127);
	}
	return pid;
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Until a cleaner has just made its directory and takes its leases, or for a random time. */
static void wait_for_the_moment(int watch, int round, unsigned *seed)
{
	struct pollfd poll_watch = {.fd = watch, .events = POLLIN};

	if (round % 4) {
		poll(&poll_watch, 1, 2000);
		for (long until = now_us() + rand_r(seed) % 2000; now_us() < until;)
			;
	} else {
		usleep((useconds_t)(rand_r(seed) % 200000));
	}
}

enum fate { THERE, OVERTAKEN, LOST };

/* Is what we attached to still what the name leads to, and does it hold what it held? */
static enum fate fate_of(const char *name, int fd, int made)
{
	struct stat ours, named;
	char path[64], text[sizeof(content)] = "";

	snprintf(path, sizeof(path), "/dev/shm%s", name);
	if (fstat(fd, &ours) || stat(path, &named))
		return LOST;
	if (!made && (pread(fd, text, sizeof(text), 0) != sizeof(text) || memcmp(text, content, sizeof(content))))
		return LOST;
	if (ours.st_ino == named.st_ino)
		return THERE;
	return !made && named.st_size == 0 ? OVERTAKEN : LOST;
}

static void attacher(struct shared *shared, int watch, int round, int which)
{
	unsigned seed = (unsigned)(round * ATTACHERS + which);
	int fds[OBJECTS], made[OBJECTS] = {0};
	int start = rand_r(&seed) % OBJECTS;

	wait_for_the_moment(watch, round, &seed);
	for (int n = 0; n < OBJECTS; n++) {
		int i = (start + n) % OBJECTS;
		char name[32];
		long before;

		name_of(name, i);
		fds[i] = -1;
		/* Every attacher takes a part, so that some ghosts stay ghosts. */
		if (rand_r(&seed) % 3 == 0)
			continue;
		before = now_us();
		fds[i] = shm_open(name, rand_r(&seed) % 4 ? O_RDWR : O_RDWR | O_CREAT, 0600);
		if (fds[i] < 0 && errno != ENOENT)
			fail(name);
		if (now_us() - before > 20000)
			__atomic_add_fetch(&shared->waited, 1, __ATOMIC_RELAXED);
		if (fds[i] >= 0) {
			struct stat status;

			fstat(fds[i], &status);
			made[i] = status.st_size == 0;
		}
		__atomic_add_fetch(fds[i] < 0 ? &shared->missed
				   : made[i]  ? &shared->created
					      : &shared->attached,
				   1, __ATOMIC_RELAXED);
	}
	while (!__atomic_load_n(&shared->done, __ATOMIC_ACQUIRE))
		usleep(1000);
	for (int i = 0; i < OBJECTS; i++) {
		char name[32];

		name_of(name, i);
		if (fds[i] < 0)
			continue;
		switch (fate_of(name, fds[i], made[i])) {
		case THERE:
			break;
		case OVERTAKEN:
			__atomic_add_fetch(&shared->overtaken, 1, __ATOMIC_RELAXED);
			break;
		case LOST:
			printf("round %d: %s is lost\n", round, name);
			__atomic_add_fetch(&shared->lost, 1, __ATOMIC_RELAXED);
		}
	}
	fflush(stdout);
	_exit(0);
}

static void race(struct shared *shared, const char *shmguard, int round)
{
	pid_t attachers[ATTACHERS], cleaners[CLEANERS];
	int status;

	shared->done = 0;
	make_ghosts();
	for (int i = 0; i < ATTACHERS; i++) {
		int watch = inotify_init1(IN_CLOEXEC);
		if (watch < 0 || inotify_add_watch(watch, "/dev/shm", IN_CREATE) < 0)
			fail("inotify");
		attachers[i] = fork();
		if (attachers[i] == 0)
			attacher(shared, watch, round, i);
		close(watch);
	}
	for (int i = 0; i < CLEANERS; i++)
		cleaners[i] = start_cleaner(shmguard, round, i);
	for (int i = 0; i < CLEANERS; i++)
		if (waitpid(cleaners[i], &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1) {
			printf("a cleaner ended with status %#x\n", status);
			exit(2);
		}
	__atomic_store_n(&shared->done, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < ATTACHERS; i++)
		if (waitpid(attachers[i], &status, 0) < 0 || status)
			exit(2);
	remove_all();
}

int main(int argc, char **argv)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int races = argc == 3 ? atoi(argv[2]) : 0, rounds = (races + OBJECTS - 1) / OBJECTS;

	if (races <= 0 || shared == MAP_FAILED) {
		fputs("usage: clean_race SHMGUARD RACES\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int round = 0; round < rounds; round++)
		race(shared, argv[1], round);
	printf("%d races: %u attached, %u made anew, %u found nothing, %u waited, %u overtaken, %u lost\n",
	       rounds * OBJECTS, shared->attached, shared->created, shared->missed, shared->waited, shared->overtaken,
	       shared->lost);
	return shared->lost != 0;
}
