/*
 * What a process has mapped changes by more than mmap and munmap: mremap, another mapping over a part, what a child gets
 * by fork, whether that makes a call of its own or not, and an exec. Says by its pids, in the order in which they begin.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u

static void pause_shortly(void)
{
	usleep(20000);
}

static void child(char *mapping, const char *self, const char *what)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause_shortly();
		if (!strcmp(what, "unmaps"))
			munmap(mapping, 16 * PAGE);
		else if (!strcmp(what, "executes"))
			execl(self, self, "nothing", (char *)NULL);
		pause_shortly();
		_exit(0);
	}
	printf("%d\n", (int)pid);
	fflush(stdout);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	char name[64], *large, *small;
	int fd;

	if (argc > 1)
		return 0;
	snprintf(name, sizeof(name), "/inherits-%d", (int)getpid());
	printf("%d\n", (int)getpid());
	fflush(stdout);
	fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (ftruncate(fd, 256 * PAGE))
		return 1;
	large = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pause_shortly();
	small = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	small = mremap(small, PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	pause_shortly();
	if (mmap(large + 16 * PAGE, 16 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return 1;
	child(large, argv[0], "unmaps");
	child(large, argv[0], "waits");
	child(large, argv[0], "executes");
	munmap(large, 256 * PAGE);
	pause_shortly();
	small = mremap(small, 16 * PAGE, 2 * PAGE, 0);
	pause_shortly();
	shm_unlink(name);
	return 0;
}
