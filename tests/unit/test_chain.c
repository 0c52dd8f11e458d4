/* Stacks known by their words, against libunwind's walk of each: none is taken for another, whatever functions call. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/chain.c"
#include "preload/text.c"
#include "preload/above.c"
#include "preload/own.c"
#include "preload/own_load.c"
#include "preload/own_symbol.c"
#include "preload/real.c"
#include "preload/stack.c"
#include "tests/unit/apart_stand_in.h"

enum { ROUNDS = 40000, LOOPS = 600, DEPTH = 6 };

atomic_bool recorder_filtered;

static unsigned tests, failures, found, walked, wrong;
static unsigned turn_at[DEPTH + 1];

static void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

/* As a function of ours that the program called. */
static __attribute__((noinline)) void ours(void)
{
	const uintptr_t *frame = __builtin_frame_address(0);
	uint64_t frames[STACK_ROOM], *first = frames;
	bool is_new;

	uint32_t count = stack_walk(NULL, frames), known = chain_find(frame);
	while (count && *first != frame[1]) {
		first++;
		count--;
	}
	uint32_t id = stack_intern(first, count, &is_new);
	found += known != 0;
	wrong += known && known != id;
	walked += !known;
	if (!known)
		chain_walked(frame, first, count, id);
}

static void descend(unsigned depth);

static __attribute__((noinline)) void plain(unsigned depth)
{
	volatile unsigned kept = depth;
	descend(depth);
	(void)kept;
}

static __attribute__((noinline)) void roomy(unsigned depth)
{
	volatile char room[200];
	room[depth] = 1;
	descend(depth);
	room[0] = room[depth];
}

/* Its frame is found by the frame pointer. */
static __attribute__((noinline)) void varying(unsigned depth)
{
	volatile char *room = alloca(16 + (turn_at[depth] / 8) % 3 * 32);
	*room = 1;
	descend(depth);
	*room = 2;
}

/* Its frame is found by what it saved of the stack pointer. */
static __attribute__((noinline)) void aligned(unsigned depth)
{
	volatile char room[64] __attribute__((aligned(128)));
	room[depth] = 1;
	descend(depth);
	room[0] = room[depth];
}

static __attribute__((noinline)) void descend(unsigned depth)
{
	static void (*const way[])(unsigned) = {plain, roomy, varying, aligned};
	volatile unsigned after = depth;

	if (depth == DEPTH)
		ours();
	else
		way[turn_at[depth] % 4](depth + 1);
	(void)after;
}

static void choose(unsigned range)
{
	for (unsigned i = 0; i < DEPTH; i++)
		turn_at[i] = (unsigned)rand() % range;
}

/* From one place. */
static __attribute__((noinline)) unsigned walks_of(unsigned times)
{
	unsigned before = walked;

	while (times--)
		descend(0);
	return walked - before;
}

#ifdef __SANITIZE_ADDRESS__
#define FOUND_AT_LEAST -1
#else
#define FOUND_AT_LEAST 100
#endif

int main(void)
{
	real_resolve();
	check(stack_load(), "libunwind is there");
	srand(1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		choose(2);
		walks_of(1);
	}
	/* How many are known depends on where the stack lies: 373 to 2,940 of 40,000, and with a sanitizer it may be none. */
	check(wrong == 0 && (int)found > FOUND_AT_LEAST, "64 ways in turn: known, each by its own words");
	unsigned before = found;
	for (unsigned round = 0; round < 40; round++) {
		choose(24);
		walks_of(LOOPS);
	}
	check(wrong == 0 && found > before, "frames of every form, in loops");
	for (unsigned round = 0; round < ROUNDS; round++) {
		choose(24);
		walks_of(1);
	}
	check(wrong == 0, "frames of every form, in turn");
	choose(2);
	unsigned walks[3];
	for (volatile unsigned i = 0; i < 3; i++) {
		if (i == 2)
			chain_forget();
		walks[i] = walks_of(LOOPS);
	}
	check(walks[0] < LOOPS && walks[1] == 0, "a loop is not walked");
	check(walks[2] == WALKS && wrong == 0, "after modules changed it is walked");
	printf("1..%u\n# %u known, %u walked\n", tests, found, walked);
	return failures != 0;
}
