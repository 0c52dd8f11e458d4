/*
 * small_handler SIZE NAME: a signal's handler on an alternate stack of so many bytes, a page that nobody may touch below it,
 * makes each call that opens or names a file, on /dev/shm and beside. Prints what each answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, CALLS = 13 };

static char object[PATH_MAX], other[PATH_MAX], dangling[PATH_MAX], inside[PATH_MAX], template[PATH_MAX];
static const char *name;
static int result[CALLS];

static void on_signal(int number)
{
	(void)number;
	int *r = result;
	*r++ = shm_open(name, O_CREAT | O_RDWR, 0666);
	*r++ = chmod(object, 0666);
	*r++ = link(object, other);
	*r++ = rename(other, inside);
	*r++ = unlink(inside);
	*r++ = open(inside, O_CREAT | O_RDWR, 0666);
	*r++ = open(dangling, O_CREAT | O_RDWR, 0666);
	*r++ = mkstemp(template);
	*r++ = open("small.log", O_CREAT | O_WRONLY | O_APPEND, 0600);
	*r++ = rename("small.log", "smaller.log");
	*r++ = ftruncate(result[0], PAGE);
	*r++ = close(result[0]);
	*r++ = shm_open(name, O_CREAT | O_RDWR, 0666);
}

int main(int argc, char **argv)
{
	size_t size = argc > 2 ? (size_t)atol(argv[1]) : 0;
	char *memory = mmap(NULL, PAGE + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char directory[PATH_MAX];

	if (!size || memory == MAP_FAILED || mprotect(memory, PAGE, PROT_NONE))
		return 1;
	name = argv[2];
	snprintf(object, sizeof object, "/dev/shm%.200s", name);
	snprintf(other, sizeof other, "%.300s-other", object);
	snprintf(dangling, sizeof dangling, "%.300s-dangling", object);
	snprintf(directory, sizeof directory, "%.300s-directory", object);
	snprintf(inside, sizeof inside, "%.300s/inside", directory);
	snprintf(template, sizeof template, "%.300s-XXXXXX", object);
	if (mkdir(directory, 0755) || symlink(other, dangling))
		return 1;
	sigaltstack(&(stack_t){.ss_sp = memory + PAGE, .ss_size = size}, NULL);
	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_ONSTACK}, NULL);
	raise(SIGUSR1);
	for (int i = 0; i < CALLS; i++)
		printf("%d ", result[i]);
	puts("");
	unlink(inside);
	rmdir(directory);
	return 0;
}
