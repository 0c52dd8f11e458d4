/* The stacks of our own that are kept: each is used again, none by two at once, and a forked child has all of them. */
#include <stdio.h>
#include <sys/wait.h>

#include "preload/above.c"
#include "preload/own.c"
#include "preload/own_stack.c"
#include "preload/own_symbol.c"
#include "preload/real.c"
#include "tests/unit/apart_stand_in.h"

enum { NESTED = KEPT + 2 };

atomic_bool recorder_filtered;

static unsigned tests, failures;
static uintptr_t at[NESTED]; /* where each of those that run within each other stands */
static int depth;

static void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

static void stand(void *where)
{
	*(uintptr_t *)where = (uintptr_t)__builtin_frame_address(0);
}

static uintptr_t once(void)
{
	uintptr_t where = 0;

	return own_stack_run_often(stand, &where) ? where : 0;
}

static bool is_of(uintptr_t where, const uintptr_t *known, int count)
{
	for (int i = 0; i < count; i++)
		if ((where > known[i] ? where - known[i] : known[i] - where) < STACK / 2)
			return true;
	return false;
}

static void nest(void *unused)
{
	stand(&at[depth++]);
	if (depth < NESTED)
		own_stack_run_often(nest, unused);
}

/* In a child of who is on one, as another thread's child has it: nobody goes on there. */
static void fork_here(void *first)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		bool other = once() != *(uintptr_t *)first;
		own_stack_fork_reset();
		_exit(other && once() == *(uintptr_t *)first ? 7 : 1);
	}
	waitpid(child, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a child has those that were in use when it was forked");
}

static void overrun(void *unused)
{
	volatile char *here = __builtin_frame_address(0);

	(void)unused;
	for (int below = 0; below <= STACK; below += 4096)
		here[-below] = 0;
	_exit(7);
}

int main(void)
{
	int status = -1;
	uintptr_t first = once();
	bool same = first != 0;

	for (int i = 0; i < 100; i++)
		same &= once() == first;
	check(same, "what runs again is on the same stack");
	check(!is_of((uintptr_t)__builtin_frame_address(0), &first, 1), "which is none of the thread's own");

	own_stack_run_often(nest, NULL);
	bool apart = depth == NESTED;
	for (int i = 0; i < depth; i++)
		apart &= !is_of(at[i], at, i);
	check(apart, "those that run within each other are on one each, and more than are kept run as well");
	check(once() == first, "and afterwards the first is there again");

	own_stack_run_often(fork_here, &first);
	check(once() == first, "which leaves the parent's as they were");

	pid_t child = fork();
	if (child == 0)
		own_stack_run_often(overrun, NULL);
	waitpid(child, &status, 0);
	check(!WIFEXITED(status) || WEXITSTATUS(status) != 7, "nothing lies below one that could be overrun");
	printf("1..%u\n", tests);
	return failures != 0;
}
