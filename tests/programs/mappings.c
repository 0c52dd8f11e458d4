/*
 * mappings HOW NAME: maps eight pages of a new object, does to the mapping what HOW says, unlinks the object and exits.
 * Prints how many bytes of the object are still mapped, by /proc/self/maps.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGES = 8 };

static const size_t page = 4096;
static int fd;

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static char *map(void *address, size_t pages, int flags, int of)
{
	char *map = mmap(address, pages * page, PROT_READ | PROT_WRITE, flags, of, 0);

	must(map != MAP_FAILED, "mmap");
	return map;
}

static void unmap(char *address, size_t pages)
{
	must(munmap(address, pages * page) == 0, "munmap");
}

static char *remap(char *address, size_t pages, size_t new_pages, int flags, void *target)
{
	char *moved = mremap(address, pages * page, new_pages * page, flags, target);

	must(moved != MAP_FAILED, "mremap");
	return moved;
}

static void change(const char *how, char *whole)
{
	if (strcmp(how, "fixed-over-all") == 0) {
		map(whole, PAGES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
	} else if (strcmp(how, "fixed-over-middle") == 0) {
		map(whole + 2 * page, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
	} else if (strcmp(how, "fixed-over-itself") == 0) {
		map(whole, PAGES, MAP_SHARED | MAP_FIXED, fd);
		unmap(whole, PAGES);
	} else if (strcmp(how, "pieces") == 0) {
		unmap(whole + 3 * page, 2);
		unmap(whole, 3);
		unmap(whole + 5 * page, 3);
	} else if (strcmp(how, "hole") == 0) {
		unmap(whole + 3 * page, 2);
	} else if (strcmp(how, "unmap-across") == 0) {
		char *second = map(whole + PAGES * page, 2, MAP_SHARED | MAP_FIXED_NOREPLACE, fd);
		unmap(whole, PAGES + 2);
		must(second == whole + PAGES * page, "placed");
	} else if (strcmp(how, "move") == 0) {
		char *target = map(NULL, PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		unmap(remap(whole, PAGES, PAGES, MREMAP_MAYMOVE | MREMAP_FIXED, target), PAGES);
	} else if (strcmp(how, "shrink") == 0) {
		remap(whole, PAGES, 3, 0, NULL);
	} else if (strcmp(how, "second-view") == 0) {
		remap(whole, 0, 2, MREMAP_MAYMOVE, NULL);
		unmap(whole, PAGES);
	} else if (strcmp(how, "kept") == 0) {
		unmap(map(NULL, 4, MAP_SHARED, fd), 4);
	} else if (strcmp(how, "other-way") == 0) {
		must(syscall(SYS_munmap, whole, PAGES * page) == 0, "syscall");
	} else {
		must(strcmp(how, "nothing") == 0, how);
		unmap(whole, PAGES);
	}
}

static unsigned long still_mapped(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, sum = 0;
	char line[512];

	must(maps != NULL, "maps");
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, name) && sscanf(line, "%lx-%lx", &start, &end) == 2)
			sum += end - start;
	fclose(maps);
	return sum;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	fd = shm_open(argv[2], O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0 && ftruncate(fd, (off_t)(PAGES * page)) == 0, argv[2]);
	/* A place with room behind it. */
	char *room = map(NULL, 4 * PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	unmap(room, 4 * PAGES);
	change(argv[1], map(room, PAGES, MAP_SHARED | MAP_FIXED_NOREPLACE, fd));
	printf("%lu\n", still_mapped(argv[2]));
	must(shm_unlink(argv[2]) == 0 && close(fd) == 0, "end");
	return 0;
}
