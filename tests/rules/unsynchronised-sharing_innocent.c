/*
 * Two processes that write: with a mutex, made before they had any object; with a semaphore, a futex, and a lock on a
 * file. One that only reads. One that is forked to run another program. Each pair has an object of its own.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "rule.h"

static void with_mutex(char *shared)
{
	pthread_mutexattr_t attributes;

	must(pthread_mutexattr_init(&attributes) == 0, "attributes");
	must(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0, "setpshared");
	must(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0, "setrobust");
	must(pthread_mutex_init((pthread_mutex_t *)shared, &attributes) == 0, "mutex");
}

static void with_semaphore(char *shared)
{
	must(sem_init((sem_t *)shared, 1, 1) == 0, "sem_init");
}

static void with_futex(char *shared)
{
	must(syscall(SYS_futex, shared, FUTEX_WAKE, 1, NULL, NULL, 0) == 0, "futex");
}

static void with_file(char *shared)
{
	int fd = open("/dev/null", O_RDONLY);

	*shared = 1;
	must(flock(fd, LOCK_EX) == 0 && flock(fd, LOCK_UN) == 0, "flock");
	close(fd);
}

static void with_nothing(char *shared)
{
	*shared = 1;
}

/* The processes of a pair are new ones, of which the first uses `means`; the second maps so. */
static void pair(void (*means)(char *), int protection)
{
	int done[2], status;
	char object[64], byte;
	pid_t first = fork(), second;

	must(first >= 0, "fork");
	if (first) {
		must(waitpid(first, &status, 0) == first && status == 0, "first");
		return;
	}
	strcpy(object, name());
	must(pipe(done) == 0, "pipe");
	second = fork();
	must(second >= 0, "fork");
	if (second == 0) {
		int fd;

		must(read(done[0], &byte, 1) == 1, "read");
		fd = shm_open(object, O_RDWR, 0);
		must(mmap(NULL, PAGE, protection, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
		_exit(0);
	}
	means(map(create(object, PAGE), PAGE));
	must(write(done[1], "", 1) == 1, "write");
	must(waitpid(second, &status, 0) == second && status == 0, "second");
	must(shm_unlink(object) == 0, "shm_unlink");
	_exit(0);
}

static void early_mutex(void)
{
	static char memory[PAGE] __attribute__((aligned(64)));
	pid_t child = fork();
	int status;

	if (child == 0) {
		with_mutex(memory);
		pair(with_nothing, PROT_READ | PROT_WRITE);
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child && status == 0, "early mutex");
}

int main(void)
{
	char *shared;
	pid_t child;
	int status;

	early_mutex();
	pair(with_mutex, PROT_READ | PROT_WRITE);
	pair(with_semaphore, PROT_READ | PROT_WRITE);
	pair(with_futex, PROT_READ | PROT_WRITE);
	pair(with_file, PROT_READ | PROT_WRITE);
	pair(with_nothing, PROT_READ);
	shared = map(create(name(), PAGE), PAGE);
	*shared = 1;
	child = fork();
	if (child == 0) {
		nap(150);
		execl("/bin/true", "true", (char *)NULL);
		_exit(99);
	}
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
