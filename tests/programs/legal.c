/*
 * legal CASE: what looks like a mistake at its call and is none, as nothing is touched where there is no page. Its end is
 * status 0, two seconds later where a notice might still come.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define RW (PROT_READ | PROT_WRITE)

static int made;

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static int create(size_t size)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/shmguard-legal.%d.%d", getpid(), made++);
	fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0 && shm_unlink(name) == 0 && ftruncate(fd, (off_t)size) == 0, "create");
	return fd;
}

static char *map(int fd, size_t length)
{
	char *address = mmap(NULL, length, RW, MAP_SHARED, fd, 0);

	must(address != MAP_FAILED, "mmap");
	return address;
}

/* The object is gone before anybody looks what became of it. */
static void sized_then_gone(void)
{
	for (int i = 0; i < 5; i++) {
		int fd = create(0);
		char *address = map(fd, 4 * PAGE);

		must(ftruncate(fd, (off_t)(4 * PAGE)) == 0, "ftruncate");
		memset(address, 1, 4 * PAGE);
		must(munmap(address, 4 * PAGE) == 0 && close(fd) == 0, "munmap");
	}
}

static void tail_unmapped(void)
{
	char *address = map(create(PAGE), 4 * PAGE);

	must(munmap(address + PAGE, 3 * PAGE) == 0, "munmap");
	address[0] = 1;
}

static void tail_closed(void)
{
	char *address = map(create(PAGE), 4 * PAGE);

	must(mprotect(address + PAGE, 3 * PAGE, PROT_NONE) == 0, "mprotect");
	address[0] = 1;
}

static void tail_replaced(void)
{
	char *address = map(create(PAGE), 4 * PAGE);

	must(mmap(address + PAGE, 3 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED, "mmap");
	memset(address, 1, 4 * PAGE);
}

/* The size that comes then is as long as what is left of the mapping. */
static void tail_unmapped_then_sized(void)
{
	int fd = create(0);
	char *address = map(fd, 4 * PAGE);

	must(munmap(address + 2 * PAGE, 2 * PAGE) == 0 && ftruncate(fd, (off_t)(2 * PAGE)) == 0, "munmap");
	memset(address, 1, 2 * PAGE);
}

/* By a call that is none of a size. */
static void grown_by_write(void)
{
	int fd = create(PAGE);
	char *address = map(fd, 4 * PAGE), *kept = map(create(PAGE), PAGE);

	must(pwrite(fd, "x", 1, (off_t)(4 * PAGE - 1)) == 1, "pwrite");
	memset(address, 1, 4 * PAGE);
	kept[0] = 1;
}

static void grown_by_write_then_unmapped(void)
{
	int fd = memfd_create("legal", MFD_CLOEXEC);
	char *address = map(fd, 4 * PAGE);

	must(pwrite(fd, "x", 1, (off_t)(4 * PAGE - 1)) == 1, "pwrite");
	memset(address, 1, 4 * PAGE);
	must(munmap(address, 4 * PAGE) == 0 && close(fd) == 0, "munmap");
}

/* Another process maps what is cut off, and may not touch it. */
static void shrunk_where_closed(void)
{
	int fd = create(4 * PAGE), ready[2];
	char *address = map(fd, 4 * PAGE), byte;
	pid_t child;

	must(pipe(ready) == 0 && (child = fork()) >= 0, "fork");
	if (child == 0) {
		must(mprotect(address + PAGE, 3 * PAGE, PROT_NONE) == 0 && write(ready[1], "x", 1) == 1, "mprotect");
		pause();
	}
	must(read(ready[0], &byte, 1) == 1 && munmap(address, 4 * PAGE) == 0, "munmap");
	must(ftruncate(fd, (off_t)PAGE) == 0, "ftruncate");
	must(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child, "waitpid");
}

static void shrunk_then_unmapped(void)
{
	int fd = create(4 * PAGE);
	char *address = map(fd, 4 * PAGE);

	must(ftruncate(fd, (off_t)PAGE) == 0 && munmap(address + PAGE, 3 * PAGE) == 0, "ftruncate");
	address[0] = 1;
}

/* The mapping stays, and nothing leads to the object but that. */
static void sized_and_closed(void)
{
	int fd = memfd_create("legal", MFD_CLOEXEC);
	char *address = map(fd, 4 * PAGE);

	must(ftruncate(fd, (off_t)(4 * PAGE)) == 0 && close(fd) == 0, "ftruncate");
	memset(address, 1, 4 * PAGE);
}

/* What a child has done that nobody waits for. */
static void sized_by_the_dead(void)
{
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		sized_and_closed();
		_exit(0);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {{"sized_then_gone", sized_then_gone},
	     {"sized_and_closed", sized_and_closed},
	     {"sized_by_the_dead", sized_by_the_dead},
	     {"tail_unmapped", tail_unmapped},
	     {"tail_closed", tail_closed},
	     {"tail_replaced", tail_replaced},
	     {"tail_unmapped_then_sized", tail_unmapped_then_sized},
	     {"grown_by_write", grown_by_write},
	     {"grown_by_write_then_unmapped", grown_by_write_then_unmapped},
	     {"shrunk_where_closed", shrunk_where_closed},
	     {"shrunk_then_unmapped", shrunk_then_unmapped}};

int main(int argc, char *argv[])
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int k = 1; k < argc; k++)
			if (strcmp(argv[k], cases[i].name) == 0)
				cases[i].run();
	usleep(1500000);
	return 0;
}
