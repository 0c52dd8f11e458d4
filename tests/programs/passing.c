/*
 * passing send SOCKET: makes a memfd of 20 KiB and sends it to who connects to SOCKET.   passing receive SOCKET: maps what
 * it gets, twice.   passing leave COMMAND...: execs COMMAND with a memfd of 20 KiB as descriptor 9.   passing inherit: maps
 * descriptor 9.   Prints the inode.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SIZE = 20480 };

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static int made(void)
{
	int fd = memfd_create("passing", 0);

	must(fd >= 0 && ftruncate(fd, SIZE) == 0, "memfd_create");
	return fd;
}

static void used(int fd)
{
	struct stat status;

	must(fstat(fd, &status) == 0, "fstat");
	must(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	must(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	printf("%lu\n", (unsigned long)status.st_ino);
}

static int transfer(int socket, int fd)
{
	char byte = 0;
	struct iovec data = {&byte, 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	memset(&control, 0, sizeof(control));
	if (fd >= 0) {
		control.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
		must(sendmsg(socket, &message, 0) == 1, "sendmsg");
	} else {
		must(recvmsg(socket, &message, 0) == 1, "recvmsg");
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(int));
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "inherit") == 0) {
		used(9);
		return 0;
	}
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "leave") == 0) {
		must(dup2(made(), 9) == 9, "dup2");
		execv(argv[2], argv + 2);
		must(0, "execv");
	}
	strncpy(address.sun_path, argv[2], sizeof(address.sun_path) - 1);
	if (strcmp(argv[1], "send") == 0) {
		must(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0, "listen");
		transfer(accept(fd, NULL, NULL), made());
		return 0;
	}
	for (int i = 0; connect(fd, (struct sockaddr *)&address, sizeof(address)); i++) {
		must(i < 500, "connect");
		usleep(10000);
	}
	used(transfer(fd, -1));
	return 0;
}
