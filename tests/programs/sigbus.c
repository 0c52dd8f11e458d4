/*
 * sigbus WHAT: provokes a SIGBUS in one way and prints what the program sees of it: handlers, dispositions, processes. What
 * is printed, and how the process ends, is compared between a bare run and a recorded one; so no address and no id is
 * printed.
 */
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "sigbus.h"

extern char **environ;

static sigjmp_buf back;
static char alternate[65536];

static void print_blocked(const char *what, const sigset_t *set)
{
	printf("%s:", what);
	for (int number = 1; number < 32; number++)
		if (sigismember(set, number))
			printf(" %s", sigabbrev_np(number));
	printf("\n");
}

static void print_fields(int number, const siginfo_t *info, const ucontext_t *context)
{
	sigset_t now;
	stack_t stack;

	printf("signal %d code %d errno %d at %ld\n", number, info->si_code, info->si_errno,
	       info->si_code > 0 ? (long)((char *)info->si_addr - map) : -1L);
	sigprocmask(SIG_BLOCK, NULL, &now);
	print_blocked("blocked in the handler", &now);
	print_blocked("blocked before", &context->uc_sigmask);
	sigaltstack(NULL, &stack);
	printf("alternate stack: %s, flags %x\n",
	       (char *)&stack >= alternate && (char *)&stack < alternate + sizeof alternate ? "yes" : "no",
	       (unsigned)stack.ss_flags);
#if defined(__x86_64__)
	printf("instruction in touch: %d\n", (uintptr_t)context->uc_mcontext.gregs[REG_RIP] - (uintptr_t)touch < 64);
#endif
	fflush(stdout);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	print_fields(number, info, context);
	siglongjmp(back, 1);
}

static void on_fault_simple(int number)
{
	printf("signal %d\n", number);
	fflush(stdout);
	siglongjmp(back, 1);
}

static void on_fault_grow(int number)
{
	(void)number;
	say("the object grows\n");
	if (ftruncate(object, 4 * PAGE))
		_exit(98);
}

static void on_sent(int number, siginfo_t *info, void *context)
{
	(void)context;
	printf("signal %d code %d from self %d value %d\n", number, info->si_code, info->si_pid == getpid(),
	       info->si_code == SI_QUEUE ? info->si_int : 0);
	fflush(stdout);
}

static void handle(void (*handler)(int, siginfo_t *, void *), int flags, int also_blocked)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};

	sigemptyset(&action.sa_mask);
	if (also_blocked)
		sigaddset(&action.sa_mask, also_blocked);
	if (sigaction(SIGBUS, &action, NULL))
		exit(97);
}

static void print_action(const char *when)
{
	struct sigaction now;

	sigaction(SIGBUS, NULL, &now);
	printf("%s: %s, flags %x\n", when,
	       now.sa_handler == SIG_DFL           ? "SIG_DFL"
	       : now.sa_handler == SIG_IGN         ? "SIG_IGN"
	       : now.sa_sigaction == on_fault      ? "on_fault"
	       : now.sa_sigaction == on_sent       ? "on_sent"
	       : now.sa_handler == on_fault_simple ? "on_fault_simple"
						   : "another",
	       (unsigned)now.sa_flags);
	print_blocked("  its mask", &now.sa_mask);
	fflush(stdout);
}

static void print_end(pid_t child)
{
	int status = 0;

	if (waitpid(child, &status, 0) != child)
		printf("lost\n");
	else if (WIFSIGNALED(status))
		printf("killed by %s\n", sigabbrev_np(WTERMSIG(status)));
	else
		printf("ended with %d\n", WEXITSTATUS(status));
	fflush(stdout);
}

static void use_default(void)
{
	make_object();
	touch_past_end();
	say("not reached\n");
}

static void use_recover(void)
{
	make_object();
	handle(on_fault, 0, SIGUSR1);
	for (volatile int i = 0; i < 3; i++)
		if (sigsetjmp(back, 1) == 0)
			touch_past_end();
	touch(0);
	say("went on\n");
	print_action("after");
}

/* The handler was there before the first mapping. */
static void use_recover_early(void)
{
	handle(on_fault, SA_ONSTACK, SIGUSR1);
	make_object();
	print_action("before");
	if (sigsetjmp(back, 1) == 0)
		touch_past_end();
	print_action("after");
}

static void use_stack(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};

	make_object();
	sigaltstack(&stack, NULL);
	handle(on_fault, SA_ONSTACK, 0);
	if (sigsetjmp(back, 1) == 0)
		touch_past_end();
	handle(on_fault, 0, 0);
	if (sigsetjmp(back, 1) == 0)
		touch_past_end();
	say("went on\n");
}

/* Little more than the kernel's own frame, and behind it a page that nobody may touch. */
static void use_small_alternate_stack(void)
{
	size_t page = 4096, size = ((size_t)sysconf(_SC_MINSIGSTKSZ) + 1024 + 15) / 16 * 16;
	char *memory = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = {.ss_sp = memory + page, .ss_size = size};
	struct sigaction action = {.sa_handler = on_fault_thread, .sa_flags = SA_ONSTACK};

	/* The loader, which looks a function up at its first call, takes more than that. */
	if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE))
		exit(96);
	if (sigsetjmp(thread_back, 1) == 0)
		siglongjmp(thread_back, 1);
	make_object();
	if (sigaltstack(&stack, NULL) || sigaction(SIGBUS, &action, NULL))
		exit(96);
	if (sigsetjmp(thread_back, 1) == 0)
		touch_past_end();
	say("went on\n");
}

static void use_simple(void)
{
	make_object();
	print_action("before");
	signal(SIGBUS, on_fault_simple);
	print_action("set");
	if (sigsetjmp(back, 1) == 0)
		touch_past_end();
	printf("was on_fault_simple: %d\n", signal(SIGBUS, SIG_DFL) == on_fault_simple);
	fflush(stdout);
	touch_past_end();
}

static void use_grow(void)
{
	make_object();
	signal(SIGBUS, on_fault_grow);
	touch_past_end();
	printf("stored %d\n", map[PAGE + 100]);
}

static void use_once(void)
{
	make_object();
	handle(on_fault, (int)(SA_RESETHAND | SA_NODEFER), 0);
	if (sigsetjmp(back, 1) == 0)
		touch_past_end();
	print_action("after one");
	fflush(stdout);
	touch_past_end();
}

static void use_ignored(void)
{
	make_object();
	signal(SIGBUS, SIG_IGN);
	raise(SIGBUS);
	say("a sent one is ignored\n");
	touch_past_end();
}

static void use_ask(void)
{
	make_object();
	print_action("at start");
}

static void execute_ask(void)
{
	fflush(stdout);
	execl("/proc/self/exe", "sigbus", "ask", (char *)NULL);
	_exit(95);
}

static void use_ignored_exec(void)
{
	make_object();
	signal(SIGBUS, SIG_IGN);
	execute_ask();
}

static void use_handled_exec(void)
{
	make_object();
	handle(on_fault, 0, 0);
	execute_ask();
}

static void use_file(void)
{
	char path[] = "/tmp/shmguard-sigbus.XXXXXX";
	int fd;

	make_object();
	handle(on_fault, 0, 0);
	fd = mkstemp(path);
	unlink(path);
	if (fd < 0 || ftruncate(fd, PAGE))
		exit(94);
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (sigsetjmp(back, 1) == 0)
		touch_past_end();
	signal(SIGBUS, SIG_DFL);
	touch_past_end();
}

static void use_sent(void)
{
	make_object();
	handle(on_sent, 0, 0);
	raise(SIGBUS);
	kill(getpid(), SIGBUS);
	sigqueue(getpid(), SIGBUS, (union sigval){.sival_int = 42});
	signal(SIGBUS, SIG_DFL);
	raise(SIGBUS);
	say("not reached\n");
}

static void use_killed(void)
{
	make_object();
	kill(getpid(), SIGBUS);
	say("not reached\n");
}

static void on_user(int number)
{
	(void)number;
	touch_past_end();
}

static void use_in_handler(void)
{
	make_object();
	signal(SIGUSR1, on_user);
	handle(on_fault, 0, 0);
	if (sigsetjmp(back, 1) == 0)
		raise(SIGUSR1);
	signal(SIGBUS, SIG_DFL);
	raise(SIGUSR1);
}

static void use_fork(void)
{
	pid_t child;

	make_object();
	child = fork();
	if (child == 0) {
		touch_past_end();
		_exit(0);
	}
	print_end(child);
	handle(on_fault, 0, 0);
	child = fork();
	if (child == 0) {
		if (sigsetjmp(back, 1) == 0)
			touch_past_end();
		_exit(7);
	}
	print_end(child);
}

static void use_vfork(void)
{
	pid_t child;

	make_object();
	child = vfork();
	if (child == 0) {
		touch_past_end();
		_exit(0);
	}
	print_end(child);
	print_action("parent");
	child = vfork();
	if (child == 0) {
		signal(SIGBUS, SIG_IGN);
		execl("/proc/self/exe", "sigbus", "ask", (char *)NULL);
		_exit(95);
	}
	print_end(child);
	print_action("parent");
	touch_past_end();
}

static void use_spawn(void)
{
	char *const argv[] = {"sigbus", "ask", NULL};
	pid_t child;

	make_object();
	handle(on_fault, 0, 0);
	fflush(stdout);
	if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ))
		exit(92);
	print_end(child);
}

/* The name of a call lies where there is no page. */
static void use_name(void)
{
	make_object();
	handle(on_fault, 0, 0);
	for (volatile int i = 0; i < 3; i++)
		if (sigsetjmp(back, 1) == 0)
			shm_unlink(map + PAGE + 100);
	munmap(map, PAGE);
	shm_unlink("/shmguard-sigbus.none");
	say("went on\n");
	signal(SIGBUS, SIG_DFL);
	shm_unlink(map + PAGE + 100);
}

static void use_blocked(void)
{
	sigset_t set;

	make_object();
	handle(on_fault, 0, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	touch_past_end();
}

#define USES(X)                                                                                                        \
	X(default)                                                                                                     \
	X(recover)                                                                                                     \
	X(recover_early)                                                                                               \
	X(stack)                                                                                                       \
	X(small_alternate_stack)                                                                                       \
	X(simple)                                                                                                      \
	X(grow)                                                                                                        \
	X(once)                                                                                                        \
	X(ignored)                                                                                                     \
	X(ask)                                                                                                         \
	X(ignored_exec)                                                                                                \
	X(handled_exec)                                                                                                \
	X(file)                                                                                                        \
	X(sent)                                                                                                        \
	X(killed)                                                                                                      \
	X(in_handler)                                                                                                  \
	X(fork)                                                                                                        \
	X(vfork)                                                                                                       \
	X(spawn)                                                                                                       \
	X(name)                                                                                                        \
	X(blocked)

MAIN_OF(USES)
