/* What the programs that provoke a SIGBUS share: `PROGRAM USE` runs one use. */
#ifndef SHMGUARD_TESTS_SIGBUS_H
#define SHMGUARD_TESTS_SIGBUS_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PAGE = 4096 };

static char *map;
static int object;

static __attribute__((unused)) void say(const char *text)
{
	(void)!write(1, text, strlen(text));
}

/* Maps four pages of an object of one page, and leaves nothing behind but the descriptor. */
static void make_object(void)
{
	char name[64];

	snprintf(name, sizeof name, "/shmguard-sigbus.%d", getpid());
	object = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (object < 0 || ftruncate(object, PAGE))
		exit(99);
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
	shm_unlink(name);
	if (map == MAP_FAILED)
		exit(99);
	map[0] = 1;
}

static __attribute__((noinline)) void touch(size_t offset)
{
	*(volatile char *)(map + offset) = 7;
}

static __attribute__((noinline)) void touch_past_end(void)
{
	touch(PAGE + 100);
	/* Something is left to do, so that this function stays on the stack. */
	__asm__ volatile("");
}

static __thread sigjmp_buf thread_back;
static atomic_int recovered;

static void on_fault_thread(int number)
{
	(void)number;
	recovered++;
	siglongjmp(thread_back, 1);
}

#define USE(name) {#name, use_##name},

/* The main() of a program with the rows USES(X). */
#define MAIN_OF(USES)                                                                                                  \
	int main(int argc, char **argv)                                                                                \
	{                                                                                                              \
		static const struct {                                                                                  \
			const char *name;                                                                              \
			void (*run)(void);                                                                             \
		} uses[] = {USES(USE)};                                                                                \
                                                                                                                       \
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});                                                        \
		for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)                                                \
			if (argc == 2 && strcmp(argv[1], uses[i].name) == 0) {                                         \
				uses[i].run();                                                                         \
				return 0;                                                                              \
			}                                                                                              \
		return 64;                                                                                             \
	}

#endif
