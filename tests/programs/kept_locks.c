/*
 * kept_locks NAME ACTION...: takes a record lock (fcntl(2)) on an object of that name, does what the action says, and has
 * another process, which was there before, ask the kernel whether the lock is still held: "ACTION kept" or "ACTION lost".
 * THREADED in the environment: with another thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 8192, ODD = 100 };

static char name[256], path[512], other[512];
static int object;

static void check(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

struct asker {
	int questions[2], answers[2];
	pid_t pid;
};

/* By the descriptor of the one who asks, so that what has no name is found, and by system calls that nobody wraps. */
static void answer(const struct asker *asker, pid_t parent)
{
	char held[64];
	int fd;

	while (read(asker->questions[0], &fd, sizeof fd) == sizeof fd) {
		struct flock lock = {.l_type = F_WRLCK};
		snprintf(held, sizeof held, "/proc/%d/fd/%d", (int)parent, fd);
		long own = syscall(SYS_openat, AT_FDCWD, held, O_RDWR);
		char found = own < 0 || syscall(SYS_fcntl, own, F_GETLK, &lock) < 0 ? '?'
			     : lock.l_type == F_UNLCK                               ? 'n'
										    : 'y';
		syscall(SYS_close, own);
		if (write(asker->answers[1], &found, 1) != 1)
			break;
	}
	syscall(SYS_exit_group, 0);
}

static void begin_asking(struct asker *asker)
{
	pid_t parent = getpid();

	check(pipe2(asker->questions, O_CLOEXEC) == 0 && pipe2(asker->answers, O_CLOEXEC) == 0, "pipe2");
	asker->pid = fork();
	check(asker->pid >= 0, "fork");
	if (asker->pid == 0) {
		close(asker->questions[1]);
		answer(asker, parent);
	}
}

static char ask(const struct asker *asker)
{
	char found = '?';

	check(write(asker->questions[1], &object, sizeof object) == sizeof object, "write");
	check(read(asker->answers[0], &found, 1) == 1, "read");
	return found;
}

static char *map(int fd)
{
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	check(memory != MAP_FAILED, "mmap");
	return memory;
}

/* A write past the end within its page, which no size shows. */
static void write_past_end(void)
{
	check(ftruncate(object, ODD) == 0, "ftruncate");
	char *memory = map(object);
	memset(memory, 'x', 200);
	munmap(memory, SIZE);
}

static void link_other(void)
{
	check(link(path, other) == 0, "link");
}

static char *mapped;

static void map_it(void)
{
	mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
	check(mapped != MAP_FAILED || errno == EEXIST, "mmap");
	if (mapped != MAP_FAILED)
		*mapped = 's';
}

static void map_unlinked(void)
{
	map_it();
	check(unlink(path) == 0, "unlink");
}

static void make_other(void)
{
	int fd = open(other, O_RDWR | O_CREAT, 0600);

	check(fd >= 0, "open");
	close(fd);
}

static void grow_by_path(void)
{
	check(truncate(path, 2 * SIZE) == 0, "truncate");
}

static void shrink_by_path(void)
{
	check(truncate(path, SIZE / 2) == 0, "truncate");
}

static void grow_by_link(void)
{
	check(symlink(path, other) == 0 && truncate(other, 2 * SIZE) == 0 && unlink(other) == 0, "truncate");
}

static void grow(void)
{
	check(ftruncate(object, 2 * SIZE) == 0, "ftruncate");
}

static void remove_path(void)
{
	check(remove(path) == 0, "remove");
}

static void unlink_shm(void)
{
	check(shm_unlink(name) == 0, "shm_unlink");
}

static void unlink_other(void)
{
	check(unlink(other) == 0, "unlink");
}

static void rename_over(void)
{
	check(rename(other, path) == 0, "rename");
}

/* Where the policy has it fail, too. */
static void rename_in_vain(void)
{
	check(rename("/dev/shm", path) < 0, "rename");
}

static void unmap(void)
{
	check(munmap(mapped, SIZE) == 0, "munmap");
}

/* Which a policy may deny, as others below. */
static void attach(void)
{
	check(shm_open(name, O_RDWR | O_CREAT, 0600) >= 0 || errno == EEXIST, "shm_open");
}

static void empty(void)
{
	check(shm_open(name, O_RDWR | O_CREAT | O_TRUNC, 0600) >= 0 || errno == EACCES, "shm_open");
}

static void empty_unwritten(void)
{
	check(shm_open(name, O_RDONLY | O_TRUNC, 0600) >= 0, "shm_open");
}

static void empty_in_child(void)
{
	posix_spawn_file_actions_t actions;
	char *arguments[] = {"true", NULL};
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 30, path, O_RDWR | O_TRUNC, 0600);
	check(posix_spawnp(&child, "true", &actions, NULL, arguments, environ) == 0, "posix_spawnp");
	check(waitpid(child, NULL, 0) == child, "waitpid");
}

static void execute_in_vain(void)
{
	check(execl("/nowhere/at/all", "all", NULL) < 0, "execl");
}

static const struct action {
	const char *name;
	void (*before)(void); /* the lock is taken, or NULL */
	void (*act)(void);
	int size;
	bool memfd, reopened; /* reopened: it was made by another process */
} actions[] = {
	{"grow-by-path", NULL, grow_by_path, SIZE, false, false},
	{"grow-odd-by-path", write_past_end, grow_by_path, SIZE, false, false},
	{"shrink-by-path", NULL, shrink_by_path, SIZE, false, false},
	{"shrink-mapped-by-path", map_it, shrink_by_path, SIZE, false, false},
	{"grow-by-link", NULL, grow_by_link, SIZE, false, false},
	{"grow", NULL, grow, SIZE, false, false},
	{"grow-odd", write_past_end, grow, SIZE, false, false},
	{"grow-odd-memfd", write_past_end, grow, SIZE, true, false},
	{"map", NULL, map_it, SIZE, false, false},
	{"map-reopened", NULL, map_it, SIZE, false, true},
	{"remove", NULL, remove_path, SIZE, false, false},
	{"shm_unlink", NULL, unlink_shm, SIZE, false, false},
	{"unlink-other", link_other, unlink_other, SIZE, false, false},
	{"rename-over", make_other, rename_over, SIZE, false, false},
	{"rename-in-vain", NULL, rename_in_vain, SIZE, false, false},
	{"munmap", map_it, unmap, SIZE, false, false},
	{"munmap-unlinked", map_unlinked, unmap, SIZE, false, false},
	{"munmap-memfd", map_it, unmap, SIZE, true, false},
	{"attach", NULL, attach, SIZE, false, true},
	{"empty", NULL, empty, SIZE, false, false},
	{"empty-nothing", NULL, empty, 0, false, false},
	{"empty-unwritten", NULL, empty_unwritten, 0, false, false},
	{"empty-in-child", NULL, empty_in_child, SIZE, false, false},
	{"execute-in-vain", map_it, execute_in_vain, SIZE, false, false},
};

static int make(const struct action *a)
{
	int fd = a->memfd ? memfd_create("kept_locks", MFD_CLOEXEC)
			  : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	check(fd >= 0 && ftruncate(fd, a->size) == 0, "make");
	if (a->size)
		check(pwrite(fd, "secret", 6, 0) == 6, "pwrite");
	return fd;
}

static void make_elsewhere(const struct action *a)
{
	pid_t child = fork();

	if (child == 0) {
		make(a);
		syscall(SYS_exit_group, 0);
	}
	check(waitpid(child, NULL, 0) == child, "waitpid");
	object = open(path, O_RDWR | O_CLOEXEC);
}

static void run(const struct asker *asker, const struct action *a)
{
	struct flock lock = {.l_type = F_WRLCK};

	if (a->reopened)
		make_elsewhere(a);
	else
		object = make(a);
	if (a->before)
		a->before();
	check(fcntl(object, F_SETLK, &lock) == 0, "fcntl");
	char before = ask(asker);
	a->act();
	char after = ask(asker);
	printf("%s %s\n", a->name, before != 'y' ? "?" : after == 'y' ? "kept" : after == 'n' ? "lost" : "?");
	/* What was opened beside, and is mapped, goes with the process. */
	unlink(path);
	unlink(other);
	close(object);
}

static void *wait_for_the_end(void *context)
{
	for (;;)
		pause();
	return context;
}

int main(int argc, char **argv)
{
	struct asker asker;
	pthread_t thread;

	if (argc < 2)
		return 2;
	snprintf(name, sizeof name, "/%s", argv[1]);
	snprintf(path, sizeof path, "/dev/shm/%s", argv[1]);
	snprintf(other, sizeof other, "%s-other", path);
	begin_asking(&asker);
	if (getenv("THREADED"))
		check(pthread_create(&thread, NULL, wait_for_the_end, NULL) == 0, "pthread_create");
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		bool wanted = argc == 2;
		for (int k = 2; k < argc; k++)
			wanted |= strcmp(argv[k], actions[i].name) == 0;
		if (wanted)
			run(&asker, &actions[i]);
	}
	fflush(stdout);
	kill(asker.pid, SIGKILL);
	return 0;
}
