/*
 * story CASE: a writer, a reader and what happens between them; one of the causes of a SIGBUS each. The parent acts, the
 * child suffers: it says when it maps the object by stopping itself, and how it ended is its own business.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define APART __attribute__((noinline))

enum { PAGE = 4096, LENGTH = 1 << 20, AT = 2 * PAGE };

static char name[64], filler[80];
static int object;
static sigjmp_buf back;

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static void nap(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

static APART char *map_object(size_t length)
{
	char *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);

	must(map != MAP_FAILED, "mmap");
	return map;
}

static APART int read_object(const volatile char *map)
{
	return map[AT];
}

static APART void write_object(volatile char *map)
{
	map[AT] = 1;
}

static APART void shrink_object(void)
{
	must(ftruncate(object, PAGE) == 0, "ftruncate");
}

static APART void truncate_object(void)
{
	must(shm_open(name, O_RDWR | O_TRUNC, 0) >= 0, "shm_open");
}

static APART void punch_object(void)
{
	must(fallocate(object, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, AT, 2 * PAGE) == 0, "fallocate");
}

/* Takes all that /dev/shm has. */
static APART void fill_shm(void)
{
	static const char page[PAGE];
	int fd = shm_open(filler, O_RDWR | O_CREAT | O_EXCL, 0600);

	must(fd >= 0, "shm_open");
	while (write(fd, page, PAGE) == PAGE)
		;
	must(errno == ENOSPC, "write");
	must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
}

static void small_shm(void)
{
	must(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		     mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=2m,mode=1777") == 0,
	     "mount");
}

/* Makes the object with the first `pages` of it filled. */
static void make_object(size_t size, size_t pages)
{
	snprintf(name, sizeof(name), "/shmguard-sigbus.%d", getpid());
	snprintf(filler, sizeof(filler), "%s.filler", name);
	object = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	must(object >= 0, "shm_open");
	must(size == 0 || ftruncate(object, (off_t)size) == 0, "ftruncate");
	must(pages == 0 || posix_fallocate(object, 0, (off_t)(pages * PAGE)) == 0, "posix_fallocate");
}

static void unmake_object(void)
{
	shm_unlink(name);
	shm_unlink(filler);
}

/* A child that maps the object, stops, and then does `last` with it. */
static pid_t sufferer(void (*last)(char *))
{
	pid_t child = fork();
	int status;

	must(child >= 0, "fork");
	if (child == 0) {
		char *map = map_object(LENGTH);

		raise(SIGSTOP);
		last(map);
		_exit(0);
	}
	must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "waitpid");
	return child;
}

static void let_go(pid_t child)
{
	int status;

	must(kill(child, SIGCONT) == 0 && waitpid(child, &status, 0) == child, "waitpid");
}

static void reads(char *map)
{
	read_object(map);
}

static void writes(char *map)
{
	write_object(map);
}

static void jump(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void get_over(char *map)
{
	struct sigaction action = {.sa_handler = jump};

	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(back, 1) == 0)
		read_object(map);
}

static void handles(char *map)
{
	get_over(map);
	nap(1100);
}

/* Gets over it, and fails for a reason of its own. */
static void handles_and_fails(char *map)
{
	get_over(map);
	exit(4);
}

/* As crash handlers do that have told what they had to tell. */
static void die_of_it(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

/* In the midst of its handler, as the signal is not blocked there. */
static void tells_and_dies_at_once(char *map)
{
	struct sigaction action = {.sa_handler = die_of_it, .sa_flags = SA_NODEFER};

	sigaction(SIGBUS, &action, NULL);
	read_object(map);
}

static void handles_and_raises(char *map)
{
	get_over(map);
	die_of_it(SIGBUS);
}

static void tells_and_dies(char *map)
{
	struct sigaction action = {.sa_handler = die_of_it};

	sigaction(SIGBUS, &action, NULL);
	read_object(map);
}

static void leave(int number)
{
	(void)number;
	_exit(3);
}

static void leaves(char *map)
{
	struct sigaction action = {.sa_handler = leave};

	sigaction(SIGBUS, &action, NULL);
	read_object(map);
}

static void blocks(char *map)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	read_object(map);
}

static void shrunk_by(void (*action)(void), void (*last)(char *))
{
	pid_t child;

	make_object(LENGTH, 4);
	child = sufferer(last);
	action();
	let_go(child);
}

static void shrink_unseen(void)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_ftruncate), "D"((long)object), "S"((long)PAGE)
			 : "rcx", "r11", "memory");
	must(result == 0, "ftruncate");
#else
	register long number __asm__("x8") = SYS_ftruncate, fd __asm__("x0") = object, length __asm__("x1") = PAGE;

	__asm__ volatile("svc 0" : "+r"(fd) : "r"(number), "r"(length) : "memory");
	must(fd == 0, "ftruncate");
#endif
}

static void filled(void (*before)(void), size_t pages)
{
	pid_t child;

	small_shm();
	make_object(LENGTH, pages);
	child = sufferer(writes);
	if (before)
		before();
	fill_shm();
	let_go(child);
}

static void too_short(void)
{
	make_object(PAGE, 0);
	let_go(sufferer(reads));
}

static void sized_late(long milliseconds)
{
	make_object(0, 0);
	map_object(PAGE);
	nap(milliseconds);
	must(ftruncate(object, PAGE) == 0, "ftruncate");
}

/* More than the memory cgroup has: the kernel kills. */
static void outgrow(char *map)
{
	size_t length = (size_t)256 << 20;

	munmap(map, LENGTH);
	must(ftruncate(object, (off_t)length) == 0, "ftruncate");
	memset(map_object(length), 1, length);
}

/* Its child may not do so, but does. */
static void vforked(void)
{
	make_object(PAGE, 0);
	char *map = map_object(LENGTH);
	pid_t child = vfork();

	if (child == 0) {
		read_object(map);
		_exit(0);
	}
	must(child > 0 && waitpid(child, NULL, 0) == child, "waitpid");
}

int main(int argc, char **argv)
{
	const char *story = argc > 1 ? argv[1] : "";

	if (!strcmp(story, "shrunk"))
		shrunk_by(shrink_object, reads);
	else if (!strcmp(story, "truncated"))
		shrunk_by(truncate_object, reads);
	else if (!strcmp(story, "unseen"))
		shrunk_by(shrink_unseen, reads);
	else if (!strcmp(story, "handled"))
		shrunk_by(shrink_object, handles);
	else if (!strcmp(story, "failed"))
		shrunk_by(shrink_object, handles_and_fails);
	else if (!strcmp(story, "reraised"))
		shrunk_by(shrink_object, tells_and_dies);
	else if (!strcmp(story, "vforked"))
		vforked();
	else if (!strcmp(story, "nodefer"))
		shrunk_by(shrink_object, tells_and_dies_at_once);
	else if (!strcmp(story, "raised"))
		shrunk_by(shrink_object, handles_and_raises);
	else if (!strcmp(story, "ended"))
		shrunk_by(shrink_object, leaves);
	else if (!strcmp(story, "blocked"))
		shrunk_by(shrink_object, blocks);
	else if (!strcmp(story, "punched"))
		filled(punch_object, 4);
	else if (!strcmp(story, "full"))
		filled(NULL, 0);
	else if (!strcmp(story, "outgrown")) {
		make_object(LENGTH, 0);
		let_go(sufferer(outgrow));
	} else if (!strcmp(story, "short"))
		too_short();
	else if (!strcmp(story, "grown"))
		sized_late(300);
	else if (!strcmp(story, "ungrown"))
		sized_late(1500);
	else
		return 99;
	unmake_object();
	return 0;
}
