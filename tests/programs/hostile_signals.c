/*
 * hostile_signals HOW: handlers that map, that jump out of calls, that run on small stacks; threads that are cancelled, that
 * have the smallest stack, that never called before; and an allocator that no call may enter.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "hostile.h"

enum { ROUNDS = 2000, CANCELLED = 200, SMALL = 200 };

static volatile int fd;
static int executable;
static sigjmp_buf back;
static volatile sig_atomic_t jumps, handled;
static __thread volatile sig_atomic_t forbidden; /* to this thread: those of a tracer may allocate */

/* The C library's allocator, under a name that nobody else has. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static void allocated(void)
{
	static const char text[] = "an allocation in a call\n";

	if (!forbidden)
		return;
	forbidden = 0;
	if (write(2, text, sizeof text - 1) > 0)
		abort();
}

void *malloc(size_t size)
{
	allocated();
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocated();
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	allocated();
	return __libc_realloc(memory, size);
}

static void every(long microseconds)
{
	struct itimerval timer = {{0, microseconds}, {0, microseconds}};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void on(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(number, &action, NULL);
}

static void jump(int number)
{
	(void)number;
	jumps++;
	siglongjmp(back, 1);
}

static void map(int number)
{
	(void)number;
	use(fd);
	handled++;
}

/* By the kernel. */
static void tell_mapped(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	int mapped = 0;

	must(maps != NULL, "maps");
	while (fgets(line, sizeof line, maps))
		mapped += strstr(line, "memfd:hostile") != NULL;
	fclose(maps);
	printf("%d mapped\n", mapped);
}

static void longjmp_out(void)
{
	on(SIGALRM, jump, 0);
	if (sigsetjmp(back, 1) == 0)
		every(500);
	while (jumps < ROUNDS) {
		void *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (at != MAP_FAILED)
			munmap(at, PAGE);
	}
	every(0);
	on(SIGALRM, SIG_IGN, 0);
	for (int i = 0; i < ROUNDS; i++)
		use(fd);
	tell_mapped();
}

static void timer(void)
{
	on(SIGALRM, map, SA_RESTART);
	every(100);
	while (handled < ROUNDS)
		use(fd);
	every(0);
}

static void *forever(void *context)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (volatile bool go_on = true; go_on;) {
		void *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		munmap(at, PAGE);
	}
	return context;
}

static void cancel(void)
{
	for (int i = 0; i < CANCELLED; i++) {
		pthread_t thread;
		void *result;
		must(pthread_create(&thread, NULL, forever, NULL) == 0, "pthread_create");
		nanosleep(&(struct timespec){.tv_nsec = 200000 + i * 1000}, NULL);
		must(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED,
		     "pthread_cancel");
	}
	use(fd);
	tell_mapped();
}

static void alternate_stack(void)
{
	size_t least = ((size_t)sysconf(_SC_MINSIGSTKSZ) + PAGE - 1) & -(size_t)PAGE;
	stack_t stack = {.ss_size = least + PAGE};
	char *memory = mmap(NULL, PAGE + stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	stack.ss_sp = memory + PAGE;
	must(memory != MAP_FAILED && mprotect(memory, PAGE, PROT_NONE) == 0, "guard");
	must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	on(SIGUSR1, map, SA_ONSTACK);
	for (int i = 0; i < ROUNDS; i++) {
		raise(SIGUSR1);
		if (i % 20 == 0)
			use(fd);
	}
	must(handled == ROUNDS, "raise");
}

/* A child is made in every way, and waited for. */
static void make_children(int number)
{
	char *arguments[] = {"true", NULL};
	int status[4] = {-1, -1, -1, -1};
	pid_t child[4];

	(void)number;
	if ((child[0] = fork()) == 0)
		_exit(7);
	if ((child[1] = vfork()) == 0) {
		execlp("true", "true", (char *)NULL);
		_exit(1);
	}
	posix_spawn(&child[2], "/bin/true", NULL, NULL, arguments, environ);
	if ((child[3] = vfork()) == 0) {
		fexecve(executable, arguments, environ);
		_exit(1);
	}
	for (int i = 0; i < 4; i++)
		waitpid(child[i], &status[i], 0);
	handled = status[0] == 7 << 8 && !(status[1] | status[2] | status[3]);
}

/* A page that nobody may touch lies below it. */
static void children_on_alternate_stack(void)
{
	stack_t stack = {.ss_size = ((size_t)sysconf(_SC_MINSIGSTKSZ) + PAGE) & -(size_t)64};
	char *memory = mmap(NULL, 2 * PAGE + stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	stack.ss_sp = memory + PAGE;
	must(memory != MAP_FAILED && mprotect(memory, PAGE, PROT_NONE) == 0, "guard");
	must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	executable = open("/bin/true", O_RDONLY | O_CLOEXEC);
	on(SIGUSR1, make_children, SA_ONSTACK);
	raise(SIGUSR1);
	must(handled, "children");
}

static void map_and_end(int number)
{
	map(number);
	_exit(0);
}

static void map_and_die(int number)
{
	map(number);
	signal(number, SIG_DFL);
	raise(number);
}

/* The handler is the last that runs in the process. */
static void last_on_alternate_stack(void (*last)(int))
{
	stack_t stack = {.ss_size = 8192, .ss_sp = malloc(8192)};

	if (fd)
		use(fd);
	must(stack.ss_sp && sigaltstack(&stack, NULL) == 0, "sigaltstack");
	puts("goes on");
	fflush(stdout);
	on(SIGUSR1, last, SA_ONSTACK);
	raise(SIGUSR1);
}

static void ends_on_alternate_stack(void)
{
	last_on_alternate_stack(map_and_end);
}

static void make_and_end(int number)
{
	fd = object();
	map_and_end(number);
}

static void ends_on_alternate_stack_first(void)
{
	last_on_alternate_stack(make_and_end);
}

static void dies_on_alternate_stack(void)
{
	int status;

	fflush(stdout);
	if (fork() == 0)
		last_on_alternate_stack(map_and_die);
	must(wait(&status) > 0 && WIFSIGNALED(status), "wait");
}

static void *once(void *context)
{
	(void)context;
	use(fd);
	return NULL;
}

static void smallest_stacks(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	must(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) == 0, "stack size");
	for (int i = 0; i < SMALL; i++)
		must(pthread_create(&thread, &attributes, once, NULL) == 0 && pthread_join(thread, NULL) == 0,
		     "thread");
}

/* Nothing in the process has called before. */
static void *first(void *context)
{
	fd = object();
	return once(context);
}

static void smallest_first(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	must(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) == 0, "stack size");
	must(pthread_create(&thread, &attributes, first, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
	use(fd);
}

static volatile sig_atomic_t over;

/* "first": the thread is there before the recording is. */
static void *use_until_over(void *context)
{
	if (!fd)
		fd = object();
	while (!over) {
		must(ftruncate(fd, PAGE) == 0, "ftruncate");
		use(fd);
	}
	return context;
}

struct sender {
	pthread_t to, thread;
	int number;
};

static void *send(void *context)
{
	const struct sender *sender = context;

	for (int i = 0; i < ROUNDS; i++) {
		must(pthread_kill(sender->to, sender->number) == 0, "pthread_kill");
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return NULL;
}

/* A handler comes amid a call, and another amid that one's: there is room for that. */
static void smallest_interrupted(void)
{
	struct sender senders[2] = {{.number = SIGUSR1}, {.number = SIGUSR2}};
	pthread_attr_t attributes;
	pthread_t thread;

	on(SIGUSR1, map, SA_RESTART);
	on(SIGUSR2, map, SA_RESTART);
	pthread_attr_init(&attributes);
	must(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) == 0, "stack size");
	must(pthread_create(&thread, &attributes, use_until_over, NULL) == 0, "thread");
	while (!fd)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	for (int i = 0; i < 2; i++) {
		senders[i].to = thread;
		must(pthread_create(&senders[i].thread, NULL, send, &senders[i]) == 0, "sender");
	}
	for (int i = 0; i < 2; i++)
		pthread_join(senders[i].thread, NULL);
	over = 1;
	pthread_join(thread, NULL);
	must(handled > 0, "signals");
}

static void *wait_for_signal(void *context)
{
	forbidden = 1;
	pthread_kill(pthread_self(), SIGUSR1);
	use(fd);
	forbidden = 0;
	return context;
}

static void no_allocation(void)
{
	pthread_t thread;

	on(SIGUSR1, map, 0);
	use(fd);
	forbidden = 1;
	for (int i = 0; i < ROUNDS; i++) {
		char name[] = "/hostile-0";
		int other = shm_open(name, O_CREAT | O_RDWR, 0600);
		must(other >= 0 && ftruncate(other, PAGE) == 0, "shm_open");
		use(other);
		must(close(other) == 0 && shm_unlink(name) == 0, "shm_unlink");
	}
	forbidden = 0;
	for (int i = 0; i < 50; i++)
		must(pthread_create(&thread, NULL, wait_for_signal, NULL) == 0 && pthread_join(thread, NULL) == 0,
		     "thread");
	must(handled == 50, "pthread_kill");
}

static const struct {
	const char *name;
	void (*function)(void);
} uses[] = {
	{"longjmp", longjmp_out},
	{"timer", timer},
	{"cancel", cancel},
	{"alternate_stack", alternate_stack},
	{"children_on_alternate_stack", children_on_alternate_stack},
	{"ends_on_alternate_stack", ends_on_alternate_stack},
	{"ends_on_alternate_stack_first", ends_on_alternate_stack_first},
	{"dies_on_alternate_stack", dies_on_alternate_stack},
	{"smallest_stacks", smallest_stacks},
	{"smallest_first", smallest_first},
	{"smallest_interrupted", smallest_interrupted},
	{"smallest_interrupted_first", smallest_interrupted},
	{"no_allocation", no_allocation},
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strstr(argv[1], "first"))
		fd = object();
	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
		if (argc == 2 && strcmp(argv[1], uses[i].name) == 0) {
			uses[i].function();
			puts("went on");
			return 0;
		}
	return 2;
}
