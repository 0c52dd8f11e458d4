/*
 * amid_wipe NAME BYTES: ends with an object of that name and size mapped, while a timer's handler makes objects NAME-0 and on,
 * writes past the end of each, grows and removes it. Says so where it could read then what it had written.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { PAGE = 4096, SHORT = 100 };

static char name[200];
static size_t length;
static unsigned made;

static void on_timer(int number)
{
	char byte = 0;
	(void)number;

	name[length + 1] = (char)('0' + made % 10);
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0666);
	if (fd < 0 || ftruncate(fd, PAGE) < 0)
		return;
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED || ftruncate(fd, SHORT) < 0)
		return;
	memset(memory, 'T', PAGE);
	munmap(memory, PAGE);
	if (ftruncate(fd, PAGE) < 0)
		return;
	if (pread(fd, &byte, 1, PAGE - 1) == 1 && byte == 'T' && write(1, "read back\n", 10) < 0)
		abort();
	close(fd);
	shm_unlink(name);
	made++;
}

int main(int argc, char **argv)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}};

	if (argc != 3)
		return 2;
	umask(0);
	size_t size = (size_t)atol(argv[2]);
	int fd = shm_open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return 1;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return 1;
	memset(memory, 'S', size);
	length = (size_t)snprintf(name, sizeof name - 1, "%.190s-", argv[1]) - 1;
	signal(SIGALRM, on_timer);
	setitimer(ITIMER_REAL, &often, NULL);
	return 0;
}
