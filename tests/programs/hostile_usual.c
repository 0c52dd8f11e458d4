/*
 * hostile_usual: what programs usually do with shared memory: an object of two processes, a thread, a child, a program
 * executed with an empty environment. "executed": it is that program.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hostile.h"

static const char name[] = "/hostile-usual";
static int fd;

static void *other(void *context)
{
	use(fd);
	return context;
}

static void descriptors(void)
{
	int again = shm_open(name, O_RDWR, 0), copy = dup(again);

	must(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600) < 0, "O_EXCL");
	printf("descriptors %d %d, errno %d\n", again, copy, errno);
	must(close(copy) == 0 && close(again) == 0 && close(again) < 0, "close");
}

static void children(char *self)
{
	char *const arguments[] = {self, "executed", NULL}, *const environment[] = {NULL};

	for (int i = 0; i < 2; i++) {
		int status;
		fflush(stdout);
		pid_t child = fork();
		if (child == 0 && i == 0) {
			use(fd);
			_exit(7);
		}
		if (child == 0) {
			execve(self, arguments, environment);
			_exit(8);
		}
		must(child > 0 && waitpid(child, &status, 0) == child, "waitpid");
		printf("child %x\n", (unsigned)status);
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;
	struct stat st;

	if (argc > 1) {
		puts("executed");
		return 0;
	}
	fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0 && ftruncate(fd, 3 * PAGE) == 0, "shm_open");
	use(fd);
	must(pthread_create(&thread, NULL, other, NULL) == 0 && pthread_join(thread, NULL) == 0, "pthread_create");
	descriptors();
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED, "mmap");
	map = mremap(map, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	must(map != MAP_FAILED, "mremap");
	map[2 * PAGE] = 1;
	children(argv[0]);
	must(munmap(map, 3 * PAGE) == 0 && fstat(fd, &st) == 0, "munmap");
	printf("size %ld, mode %o\n", (long)st.st_size, st.st_mode);
	must(shm_unlink(name) == 0 && close(fd) == 0, "shm_unlink");
	printf("next descriptor %d\n", open("/proc/self/maps", O_RDONLY));
	return 0;
}
