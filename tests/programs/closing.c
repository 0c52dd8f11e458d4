/*
 * closing HOW NAME: holds objects, closes everything from descriptor 3 up the way HOW says, and goes on: new descriptors,
 * a socket whose bytes must arrive, another object. Prints the numbers it gets, which are those of any program.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static int object(const char *name)
{
	int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);

	must(fd >= 0 && ftruncate(fd, 4096) == 0, name);
	must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	must(shm_unlink(name) == 0, "shm_unlink");
	return fd;
}

static void close_all(const char *how)
{
	if (strcmp(how, "loop") == 0)
		for (int fd = 3; fd < sysconf(_SC_OPEN_MAX); fd++)
			close(fd);
	else if (strcmp(how, "closefrom") == 0)
		closefrom(3);
	else if (strcmp(how, "close_range") == 0)
		must(close_range(3, ~0U, 0) == 0, "close_range");
	else if (strcmp(how, "syscall") == 0)
		must(syscall(SYS_close_range, 3, ~0U, 0) == 0, "syscall");
	else
		must(0, how);
}

int main(int argc, char **argv)
{
	char name[256], bytes[8] = "";
	int pair[2];

	if (argc != 3)
		return 2;
	for (int round = 0; round < 3; round++) {
		snprintf(name, sizeof(name), "%s.%d", argv[2], round);
		printf("object %d", object(name));
		close_all(argv[1]);
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
		printf(", pair %d %d, file %d", pair[0], pair[1], open("/dev/null", O_RDONLY));
		must(write(pair[0], "seven..", 7) == 7, "write");
		usleep(50000);
		printf(", read %zd '%s'\n", read(pair[1], bytes, 7), bytes);
	}
	return 0;
}
