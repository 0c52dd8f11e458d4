/*
 * rounds COUNT HOW: makes COUNT files in /dev/shm, one after the other. "rename": each is written under a name of its own
 * and renamed over the one before, of which the last stays. "map": the same, and each is mapped first. "remove": a few
 * names are used over and over, and each file is removed before the next of its name; one that was made before them all is
 * resized and removed at the end.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 4096
#define NAMES 7

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void make(const char *path, bool mapped)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
	void *memory;

	if (fd < 0 || ftruncate(fd, SIZE))
		fail(path);
	if (mapped) {
		memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED || munmap(memory, SIZE))
			fail(path);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	const char *how = argc > 2 ? argv[2] : "";
	bool removed = !strcmp(how, "remove");
	char path[64], current[64];

	snprintf(current, sizeof(current), "/dev/shm/rounds-%d.%s", (int)getpid(), removed ? "first" : "current");
	if (removed)
		make(current, true);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/dev/shm/rounds-%d.%d", (int)getpid(), removed ? i % NAMES : i);
		make(path, strcmp(how, "rename") != 0);
		if (removed ? unlink(path) : rename(path, current))
			fail(path);
	}
	if (removed && (truncate(current, SIZE / 2) || unlink(current)))
		fail(current);
	return 0;
}
