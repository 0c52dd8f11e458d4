/*
 * ordinary HOW NAME: maps an ordinary file a thousand times, puts a new object in the place of its descriptor by HOW, and
 * maps that as often. Prints the object's inode.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static void map(int fd)
{
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	must(map != MAP_FAILED && munmap(map, 4096) == 0, "mmap");
}

static int object(const char *name)
{
	int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);

	must(fd >= 0 && ftruncate(fd, 4096) == 0, "shm_open");
	return fd;
}

int main(int argc, char **argv)
{
	struct stat st;
	must(argc == 3, "arguments");
	int file = open("/proc/self/exe", O_RDONLY), number = file;

	for (int i = 0; i < 1000; i++)
		map(file);
	if (strcmp(argv[1], "close") == 0) {
		close(file);
		number = object(argv[2]);
	} else if (strcmp(argv[1], "close_range") == 0) {
		must(close_range((unsigned)file, (unsigned)file, 0) == 0, "close_range");
		number = object(argv[2]);
	} else if (strcmp(argv[1], "dup2") == 0) {
		must(dup2(object(argv[2]), file) == file, "dup2");
	} else { /* behind the library's back, as libc itself closes */
		int (*libc_close)(int) = (int (*)(int))dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), "close");
		must(libc_close && libc_close(file) == 0, "close");
		number = object(argv[2]);
	}
	must(number == file && fstat(number, &st) == 0, "the same number");
	for (int i = 0; i < 1000; i++)
		map(number);
	must(shm_unlink(argv[2]) == 0, "shm_unlink");
	printf("%lu\n", (unsigned long)st.st_ino);
	return 0;
}
