/*
 * writing NAME MICROSECONDS HOW [WHAT]: threads write into NAME-plain and into the object NAME again and again, resting so long
 * in between (-1: not at all), while the process ends: HOW is r, main returns; e, _exit(2); q, quick_exit(3); t, another
 * thread's exit(3); u, _exit(2) after the last mapping went; f, a forked child's _exit(2) while its parent goes on. WHAT: m,
 * through several mappings (as it is without); n, by a new one each time; c, one thread only, which clears it again; x, which
 * they protect from and for it; o, which they map, move and unmap beside memory of their own, that stays theirs; p, by
 * pwrite(2); g, by a mapping too large to be had as private memory (RLIMIT_DATA).
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, SIZE = 4 * PAGE, LARGE = 256 << 20, ROOM = 32 << 20 };

static char *memory, *other, *plain;
static size_t size = SIZE;
static int descriptor, rest;
static char what;
static sem_t written;

static char *mapped(int fd, size_t length, off_t offset, int protection)
{
	char *at = mmap(NULL, length, protection, MAP_SHARED, fd, offset);
	if (at == MAP_FAILED)
		abort();
	return at;
}

static void *private_memory(void)
{
	void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		abort();
	return at;
}

static void *keep_on(void *context)
{
	for (;;) {
		char *own = memset(private_memory(), 'o', SIZE);
		for (int look = 0; look < 20 * SIZE; look++)
			if (own[look % SIZE] != 'o')
				abort();
		munmap(own, SIZE);
	}
	return context;
}

static void *move_on(void *context)
{
	char *at = mapped(descriptor, SIZE, 0, PROT_READ | PROT_WRITE);

	for (;;) {
		at = mremap(at, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, private_memory());
		at[0] = at[SIZE - 1] = 's';
	}
	return context;
}

static void *protect_on(void *context)
{
	for (;;) {
		memory[0] = 's';
		mprotect(memory, SIZE, PROT_READ);
		mprotect(memory, SIZE, PROT_READ | PROT_WRITE);
		memory[SIZE - 1] = 's';
	}
	return context;
}

static void *write_on(void *context)
{
	char secret[SIZE];

	memset(secret, 's', SIZE);
	memcpy(plain, secret, SIZE);
	sem_post(&written);
	for (;;) {
		memcpy(plain, secret, SIZE);
		if (what == 'p') {
			if (pwrite(descriptor, secret, SIZE, 0) != SIZE)
				abort();
		} else if (what == 'n' || what == 'o') {
			char *again = mapped(descriptor, size, 0, PROT_READ | PROT_WRITE);
			memcpy(again, secret, SIZE);
			munmap(again, size);
		} else {
			memcpy(memory, secret, SIZE);
			memcpy(other, secret, PAGE);
		}
		if (what == 'c') {
			usleep((useconds_t)rest);
			memset(memory, 0, SIZE);
		}
		if (rest >= 0)
			usleep((useconds_t)rest);
	}
	return context;
}

static void *end(void *context)
{
	exit(0);
	return context;
}

static int made(const char *name, off_t length)
{
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, length) < 0)
		abort();
	return fd;
}

static void start(void *(*function)(void *))
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, function, NULL))
		abort();
}

static void leave_room(size_t bytes)
{
	unsigned long pages;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
		abort();
	fclose(file);
	setrlimit(RLIMIT_DATA, &(struct rlimit){pages * PAGE + bytes, RLIM_INFINITY});
}

/* The parent's memory stays the object's. */
static int outlive(void)
{
	int status;

	if (wait(&status) < 0 || status)
		abort();
	strcpy(memory, "parent");
	return pread(descriptor, plain, 7, 0) != 7 || strcmp(plain, "parent");
}

int main(int argc, char **argv)
{
	char beside[256], how;

	if (argc < 4)
		return 2;
	how = argv[3][0];
	what = argc > 4 ? argv[4][0] : 'm';
	rest = atoi(argv[2]);
	if (what == 'g')
		size = LARGE;
	descriptor = made(argv[1], (off_t)size);
	snprintf(beside, sizeof beside, "%s-plain", argv[1]);
	plain = mapped(made(beside, SIZE), SIZE, 0, PROT_READ | PROT_WRITE);
	memory = mapped(descriptor, size, 0, PROT_READ | PROT_WRITE);
	other = mapped(descriptor, PAGE, 2 * PAGE, PROT_READ | PROT_WRITE);
	/* Two mappings of one in the kernel's eyes. */
	if (what == 'm')
		mprotect(mapped(descriptor, SIZE, 0, PROT_READ) + PAGE, PAGE, PROT_NONE);
	if (how == 'f' && fork())
		return outlive();
	sem_init(&written, 0, 0);
	start(what == 'x' ? protect_on : write_on);
	if (what != 'c' && what != 'x')
		start(write_on);
	for (int i = 0; i < 2 && what == 'o'; i++) {
		start(keep_on);
		start(move_on);
	}
	/* A loaded machine may not have run them by then. */
	if (what != 'x')
		sem_wait(&written);
	usleep(20000);
	if (what == 'g')
		leave_room(ROOM);
	if (how == 'u') {
		munmap(other, PAGE);
		munmap(memory, size);
	}
	if (how == 'q')
		quick_exit(0);
	if (how == 't') {
		start(end);
		pause();
	}
	if (how == 'e' || how == 'u' || how == 'f')
		_exit(0);
	return 0;
}
