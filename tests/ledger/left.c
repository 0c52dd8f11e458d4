/*
 * left: the first signal handler that jumps out of anything jumps out of the ledger, locked, while no call is recorded. Then
 * another thread opens and maps an object: prints "went on".
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static sigjmp_buf back;

static void on_signal(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void interrupt(void)
{
	raise(SIGUSR1);
}

static void *use(void *name)
{
	int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
	void *map = fd >= 0 && !ftruncate(fd, PAGE) ? mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	shm_unlink(name);
	return map != MAP_FAILED && !munmap(map, PAGE) && !close(fd) ? name : NULL;
}

int main(void)
{
	void (*show_locked)(void (*)(void)) = dlsym(RTLD_DEFAULT, "ledger_show_locked");
	pthread_t other;
	void *used = NULL;

	signal(SIGUSR1, on_signal);
	if (!show_locked || !use("/left-first"))
		return 1;
	if (sigsetjmp(back, 1) == 0) {
		show_locked(interrupt);
		return 2;
	}
	/* A thread of its own for each: in this one the next call would notice. */
	if (pthread_create(&other, NULL, use, "/left-other") || pthread_join(other, &used) || !used)
		return 3;
	puts(use("/left-last") ? "went on" : "failed");
	return 0;
}
