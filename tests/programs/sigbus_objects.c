/*
 * sigbus_objects WHAT: as sigbus, for the objects that fault in different ways, for threads, and for surviving.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "sigbus.h"

static void *fault_in_thread(void *context)
{
	(void)context;
	touch_past_end();
	return NULL;
}

static void use_small_stack(void)
{
	pthread_t thread;
	pthread_attr_t attributes;

	make_object();
	pthread_attr_init(&attributes);
	if (pthread_attr_setstacksize(&attributes, 16384) ||
	    pthread_create(&thread, &attributes, fault_in_thread, NULL))
		exit(93);
	pthread_join(thread, NULL);
}

static void repair(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	if (mmap((void *)((uintptr_t)info->si_addr & -(uintptr_t)PAGE), PAGE, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0) == MAP_FAILED)
		_exit(94);
	say("repaired\n");
}

/* Where the program's own handler makes a call on what the signal's frame leaves. */
static void use_small_stack_repaired(void)
{
	struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};

	sigaction(SIGBUS, &action, NULL);
	use_small_stack();
}

static pthread_barrier_t together;

static void *fault_together(void *context)
{
	(void)context;
	pthread_barrier_wait(&together);
	touch_past_end();
	return NULL;
}

static void use_threads(void)
{
	pthread_t threads[16];

	make_object();
	pthread_barrier_init(&together, NULL, 16);
	for (int i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, fault_together, NULL);
	for (int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
}

static void *recover_together(void *context)
{
	(void)context;
	pthread_barrier_wait(&together);
	for (volatile int i = 0; i < 50; i++)
		if (sigsetjmp(thread_back, 1) == 0)
			touch_past_end();
	return NULL;
}

static void use_threads_recover(void)
{
	pthread_t threads[16];

	make_object();
	signal(SIGBUS, on_fault_thread);
	pthread_barrier_init(&together, NULL, 16);
	for (int i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, recover_together, NULL);
	for (int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	printf("recovered %d times\n", recovered);
}

static void use_shrunk(void)
{
	make_object();
	if (ftruncate(object, 3 * PAGE))
		exit(91);
	touch(2 * PAGE);
	if (ftruncate(object, 5000))
		exit(91);
	touch(2 * PAGE + 8);
}

/* Neither a name nor a descriptor leads to it any more. */
static void use_unreachable(void)
{
	make_object();
	if (ftruncate(object, 2 * PAGE))
		exit(91);
	close(object);
	touch(3 * PAGE + 1);
}

static void use_memfd(void)
{
	int fd = memfd_create("frames", 0);

	if (fd < 0 || ftruncate(fd, 2 * PAGE))
		exit(91);
	map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	(void)*(volatile char *)(map + 3 * PAGE);
}

/* As the kernel sends it for a page whose memory is broken (rt_sigqueueinfo(2) lets a process send itself anything). */
static void use_hardware(void)
{
	siginfo_t info = {.si_signo = SIGBUS, .si_code = BUS_MCEERR_AR};

	make_object();
	info.si_addr = map + 100;
	syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info);
	say("not reached\n");
}

static void use_huge(void)
{
	int fd = memfd_create("huge", MFD_HUGETLB);

	if (fd < 0 || ftruncate(fd, 8 << 20)) {
		say("no huge pages here\n");
		exit(77);
	}
	map = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map == MAP_FAILED)
		exit(77);
	for (size_t offset = 0; offset < 8 << 20; offset += 2 << 20)
		touch(offset);
	exit(77);
}

/* To be run where /dev/shm is small. */
static void use_full(void)
{
	make_object();
	if (ftruncate(object, 256 << 20))
		exit(91);
	map = mmap(NULL, 256 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
	for (size_t offset = 0; offset < 256 << 20; offset += PAGE)
		touch(offset);
	say("there was room\n");
}

static void use_survivor(void)
{
	make_object();
	for (size_t offset = PAGE; offset < 4 * PAGE; offset += PAGE)
		printf("page %zu reads %d\n", offset / PAGE, *(volatile char *)(map + offset));
	touch_past_end();
	printf("stored %d, the object's own byte is %d\n", map[PAGE + 100], map[0]);
	printf("munmap %d\n", munmap(map, 4 * PAGE));
}

/* More pages than are given. */
static void use_survivor_endless(void)
{
	make_object();
	map = mmap(NULL, 4096 * (size_t)PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
	for (size_t offset = 0; offset < 4096 * (size_t)PAGE; offset += PAGE)
		touch(offset);
	say("not reached\n");
}

/* The handler returns without having helped: the instruction faults again, for ever, until a timer ends it. */
static void on_fault_useless(int number)
{
	static int count;

	(void)number;
	if (++count == 5000)
		_exit(5);
}

static void use_stubborn(void)
{
	make_object();
	signal(SIGBUS, on_fault_useless);
	touch_past_end();
}

#define USES(X)                                                                                                        \
	X(small_stack)                                                                                                 \
	X(small_stack_repaired)                                                                                        \
	X(threads)                                                                                                     \
	X(threads_recover)                                                                                             \
	X(shrunk)                                                                                                      \
	X(unreachable)                                                                                                 \
	X(memfd)                                                                                                       \
	X(hardware)                                                                                                    \
	X(huge)                                                                                                        \
	X(full)                                                                                                        \
	X(survivor)                                                                                                    \
	X(survivor_endless)                                                                                            \
	X(stubborn)

MAIN_OF(USES)
