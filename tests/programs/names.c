/*
 * names HOW NAME: makes an object on /dev/shm the way HOW says, sizes and maps it, and leaves it. NAME has no slash. Prints
 * "INODE NAME", the name as it is in the end.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char name[256], path[300], other[320];

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static int opened(const char *how)
{
	if (strcmp(how, "shm_open") == 0) {
		return shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	} else if (strcmp(how, "open") == 0) {
		return open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
	} else if (strcmp(how, "openat") == 0) {
		int directory = open("/dev/shm", O_RDONLY | O_DIRECTORY);
		int fd = openat(directory, name, O_CREAT | O_EXCL | O_RDWR, 0600);
		close(directory);
		return fd;
	} else if (strcmp(how, "creat") == 0) {
		close(creat(path, 0600));
		return open(path, O_RDWR);
	} else if (strcmp(how, "relative") == 0) {
		must(chdir("/dev") == 0, "chdir");
		return open(path + strlen("/dev/"), O_CREAT | O_EXCL | O_RDWR, 0600);
	} else if (strcmp(how, "dots") == 0) {
		snprintf(other, sizeof(other), "/usr/../dev/./shm//%s", name);
		return open(other, O_CREAT | O_EXCL | O_RDWR, 0600);
	} else if (strcmp(how, "symlink") == 0) {
		must(symlink("/dev/shm", "link") == 0, "symlink");
		snprintf(other, sizeof(other), "link/%s", name);
		return open(other, O_CREAT | O_EXCL | O_RDWR, 0600);
	} else if (strcmp(how, "fopen") == 0) {
		return fileno(fopen(path, "w+"));
	} else if (strcmp(how, "mkstemp") == 0) {
		strcat(strcpy(other, path), ".XXXXXX");
		int fd = mkstemp(other);
		strcpy(name, strrchr(other, '/') + 1);
		return fd;
	} else if (strcmp(how, "rename") == 0) {
		int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
		strcat(strcpy(other, path), ".new");
		must(rename(path, other) == 0, "rename");
		strcat(name, ".new");
		return fd;
	} else if (strcmp(how, "link") == 0) {
		int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
		strcat(strcpy(other, path), ".new");
		must(link(path, other) == 0 && unlink(path) == 0, "link");
		strcat(name, ".new");
		return fd;
	} else if (strcmp(how, "syscall") == 0) {
		return (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_EXCL | O_RDWR, 0600);
	} else if (strcmp(how, "sem_open") == 0) {
		must(sem_open(name, O_CREAT | O_EXCL, 0600, 0) != SEM_FAILED, "sem_open");
		snprintf(other, sizeof(other), "/dev/shm/sem.%s", name);
		return open(other, O_RDWR);
	}
	fprintf(stderr, "%s?\n", how);
	exit(2);
}

int main(int argc, char **argv)
{
	struct stat status;

	if (argc != 3)
		return 2;
	snprintf(name, sizeof(name), "%s", argv[2]);
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	int fd = opened(argv[1]);
	must(fd >= 0 && fstat(fd, &status) == 0, argv[1]);
	must(status.st_size > 0 || ftruncate(fd, 8192) == 0, "ftruncate");
	must(mmap(NULL, 32, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	printf("%lu %s\n", (unsigned long)status.st_ino, name);
	return 0;
}
