/* close and its kin, dup and its kin, fcntl, descriptors over sockets, and the calls that only make descriptors. */
#include <linux/close_range.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "print.h"

extern int __close(int);

extern int __dup2(int, int);
extern int __fcntl(int, int, ...);

/* By sendmmsg and recvmmsg. */
static bool several;

static int make(void)
{
	return shm_open(object("d"), O_CREAT | O_RDWR, 0600);
}

static void closes(void)
{
	int fd = make();

	CALL(close(fd));
	CALL(close(fd));
	CALL(close(-1));
	CALL(close(INT_MAX));
	fd = make();
	CALL(__close(fd));
	CALL(__close(fd));
	fd = make();
	dup2(fd, 20);
	dup2(fd, 21);
	CALL(close_range(20, 20, 0));
	show_descriptors();
	CALL(close_range(21, 21, CLOSE_RANGE_CLOEXEC));
	show_fd(21);
	CALL(close_range(30, 20, 0));
	CALL(close_range(20, 30, 0x7fffffff));
	CALL(close_range(20, UINT_MAX, CLOSE_RANGE_UNSHARE));
	show_descriptors();
	dup2(fd, 20);
	dup2(fd, 30);
	errno = EDOM;
	closefrom(20);
	printf("closefrom(20)%s\n", errno == EDOM ? "" : " changed errno");
	show_descriptors();
	CALL(close(fd));
}

static void close_all_and_go_on(void)
{
	int fd;

	make();
	closefrom(3);
	show_descriptors();
	fd = (int)CALL(make());
	show_fd(fd);
	CALL(ftruncate(fd, 8192));
	CALL_POINTER(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0));
	CALL(close_range(3, UINT_MAX, 0));
	CALL(open("/dev/null", O_RDONLY));
	for (int i = 3; i < 64; i++)
		close(i);
	CALL(make());
	CALL(shm_unlink(object("d")));
}

static void dups(void)
{
	int fd = make();

	CALL(dup(fd));
	CALL(dup(-1));
	CALL(dup(1000));
	CALL(__dup2(fd, 25));
	CALL(__dup2(-1, 25));
	CALL(__fcntl(fd, F_GETFD));
	CALL(__fcntl(fd, F_DUPFD, 40));
	close(40);
	CALL(dup2(fd, 25));
	CALL(dup2(fd, 25));
	CALL(dup2(fd, fd));
	CALL(dup2(-1, 25));
	CALL(dup2(1000, 1000));
	CALL(dup2(fd, -1));
	CALL(dup2(fd, INT_MAX));
	show_fd(25);
	CALL(dup3(fd, 26, O_CLOEXEC));
	show_fd(26);
	CALL(dup3(fd, fd, 0));
	CALL(dup3(fd, 26, 0x7fffffff));
	CALL(dup3(-1, 26, 0));
	CALL(dup2(0, 25));
	show_descriptors();
	closefrom(fd);
	shm_unlink(object("d"));
}

static void fcntls_by(int (*function)(int, int, ...))
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct f_owner_ex owner = {0};
	int fd = make();
	int memfd = memfd_create("shmguard-calls", MFD_ALLOW_SEALING);
	int ends[2];

	CALL(function(fd, F_DUPFD, 40));
	CALL(function(fd, F_DUPFD_CLOEXEC, 40));
	CALL(function(fd, F_DUPFD, -1));
	CALL(function(fd, F_DUPFD, INT_MAX));
	CALL(function(-1, F_DUPFD, 0));
	CALL(function(fd, F_GETFD));
	CALL(function(fd, F_SETFD, 0));
	CALL(function(fd, F_GETFL));
	CALL(function(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	show_fd(fd);
	CALL(function(fd, F_SETLK, &lock));
	CALL(function(fd, F_GETLK, &lock));
	CALL(function(fd, F_OFD_SETLK, &lock));
	CALL(function(fd, F_SETLKW, nowhere));
	CALL(function(fd, F_GETLK, nowhere));
	CALL(function(fd, F_GETOWN_EX, &owner));
	CALL(function(fd, F_GETOWN));
	CALL(function(fd, F_GET_SEALS));
	CALL(function(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	CALL(function(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	CALL(function(memfd, F_GET_SEALS));
	CALL(function(memfd, F_ADD_SEALS, F_SEAL_SEAL));
	CALL(function(memfd, F_ADD_SEALS, F_SEAL_WRITE));
	CALL(function(memfd, F_ADD_SEALS, -1));
	CALL(function(fd, 12345));
	CALL(function(1000, F_GETFD));
	CALL(pipe(ends));
	CALL(function(ends[0], F_SETPIPE_SZ, 8192));
	CALL(function(ends[0], F_GETPIPE_SZ));
	show_descriptors();
	closefrom(fd);
	shm_unlink(object("d"));
}

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(4 * sizeof(int))];
};

static long send_fds(int socket, const int *fds, size_t count, size_t bytes)
{
	union control control = {.bytes = {0}};
	char byte = 'b';
	struct iovec vector = {&byte, bytes};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

	if (count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	if (!several)
		return CALL(sendmsg(socket, &message, MSG_NOSIGNAL));
	struct mmsghdr two[] = {{.msg_hdr = message}, {.msg_hdr = message}};
	return CALL(sendmmsg(socket, two, 2, MSG_NOSIGNAL));
}

static void receive_fds(int socket, size_t room, int flags)
{
	union control control = {.bytes = {0}};
	char bytes[4] = "";
	struct iovec vector = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	struct cmsghdr *header;
	int fd;

	message.msg_control = &control;
	message.msg_controllen = room == 0 ? 0 : CMSG_LEN(room * sizeof(int));
	struct mmsghdr one = {.msg_hdr = message};
	if (several ? CALL(recvmmsg(socket, &one, 1, flags, NULL)) < 0 : CALL(recvmsg(socket, &message, flags)) < 0)
		return;
	if (several)
		message = one.msg_hdr;
	printf("  bytes '%.4s' flags %x control %zu\n", bytes, (unsigned)message.msg_flags, message.msg_controllen);
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_type != SCM_RIGHTS)
		return;
	for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= header->cmsg_len; i++) {
		memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
		show_fd(fd);
	}
}

static void messages(void)
{
	struct msghdr empty = {0};
	int ends[2];
	int fds[3] = {make(), memfd_create("shmguard-calls", 0), 0};
	int bad = 1000;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	send_fds(ends[0], fds, 3, 1);
	receive_fds(ends[1], 4, 0);
	send_fds(ends[0], fds, 2, 1);
	receive_fds(ends[1], 4, MSG_CMSG_CLOEXEC | MSG_PEEK);
	receive_fds(ends[1], 1, 0);
	send_fds(ends[0], fds, 1, 1);
	receive_fds(ends[1], 0, 0);
	send_fds(ends[0], &bad, 1, 1);
	send_fds(ends[0], NULL, 0, 1);
	receive_fds(ends[1], 4, 0);
	send_fds(ends[0], fds, 1, 0);
	receive_fds(ends[1], 4, MSG_DONTWAIT);
	send_fds(fds[0], fds, 1, 1);
	several = true;
	send_fds(ends[0], fds, 2, 1);
	receive_fds(ends[1], 4, 0);
	receive_fds(ends[1], 4, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	send_fds(ends[0], &bad, 1, 1);
	several = false;
	CALL(sendmmsg(-1, &(struct mmsghdr){empty, 0}, 1, 0));
	CALL(sendmmsg(ends[0], (struct mmsghdr *)nowhere, 1, 0));
	CALL(sendmmsg(ends[0], NULL, 0, 0));
	CALL(recvmmsg(ends[0], (struct mmsghdr *)nowhere, 1, MSG_DONTWAIT, NULL));
	empty.msg_control = (void *)nowhere;
	empty.msg_controllen = 64;
	CALL(sendmsg(ends[0], &empty, 0));
	empty = (struct msghdr){0};
	CALL(sendmsg(-1, &empty, 0));
	CALL(sendmsg(ends[0], (struct msghdr *)nowhere, 0));
	CALL(sendmsg(ends[0], &empty, 0));
	CALL(recvmsg(-1, &empty, 0));
	CALL(recvmsg(ends[0], (struct msghdr *)nowhere, MSG_DONTWAIT));
	close(ends[0]);
	send_fds(ends[1], fds, 1, 1);
	receive_fds(ends[1], 4, 0);
	show_descriptors();
	closefrom(fds[0]);
	shm_unlink(object("d"));
}

static void makers(void)
{
	int ends[2] = {-1, -1};

	CALL(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	CALL(socket(-1, SOCK_STREAM, 0));
	CALL(socket(AF_UNIX, -1, 0));
	CALL(pipe(ends));
	CALL(pipe((int *)nowhere));
	CALL(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	show_fd(ends[0]);
	CALL(pipe2(ends, 0x7fffffff));
	CALL(pipe2((int *)nowhere, 0));
	show_descriptors();
}

static void streams(void)
{
	FILE *stream = fdopen(make(), "w");

	fputs("1234567", stream);
	CALL(fclose(stream));
	stream = fdopen(make(), "r");
	show_fd(fileno(stream));
	CALL(fclose(stream));
	stream = fdopen(make(), "w");
	fputs("1234567", stream);
	close(fileno(stream));
	CALL(fclose(stream));
	shm_unlink(object("d"));
}

int main(void)
{
	closefrom(3);
	closes();
	dups();
	fcntls_by(fcntl);
	fcntls_by(fcntl64);
	messages();
	streams();
	makers();
	in_child("close all and go on", close_all_and_go_on);
	return 0;
}
