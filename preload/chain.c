#include "preload/chain.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>

#include "preload/kernel.h"
#include "preload/stack.h"

static atomic_uint present = 1;

#if defined(__x86_64__)
/* 0.5 MB, touched where a chain is. Several stacks may end at one place: a set of chains each. */
enum { SETS = 64, WAYS = 4, WORDS = 2 * STACK_FRAMES, WALKS = 64, SHIFT = 16 };

struct word {
	const uintptr_t *at;
	uintptr_t value;
};

static struct chain {
	atomic_uint turn; /* odd: it is being written */
	uint32_t id;
	const uintptr_t *frame;
	uintptr_t ip;
	uint32_t age;   /* of when its words were found out: `present`, or they are not known */
	uint32_t walks; /* from WALKS on it is worth it; once it is known, how many others it is not to make way for */
	uint32_t count;
	struct word word[WORDS];
} * chains;

/* Which of them ever held a chain: another is not touched to be looked into. */
static _Atomic uint64_t chain_sets;

static unsigned set_number(const uintptr_t *frame)
{
	return (unsigned)((((uintptr_t)frame ^ frame[1] << 20) * 0x9e3779b97f4a7c15u) >> 58);
}

static struct chain *set_of(const uintptr_t *frame)
{
	struct chain *table = __atomic_load_n(&chains, __ATOMIC_ACQUIRE), *none = NULL;

	if (!table) {
		table = kernel_memory(SETS * WAYS * sizeof *table);
		if (!table)
			return NULL;
		if (!__atomic_compare_exchange_n(&chains, &none, table, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			kernel_memory_free(table, SETS * WAYS * sizeof *table);
			table = none;
		}
	}
	return &table[set_number(frame) * WAYS];
}

static bool is_known(const struct chain *chain)
{
	return chain->age == atomic_load_explicit(&present, memory_order_relaxed);
}

/* The id if the stack is this one, else 0. */
static uint32_t compare(const struct chain *chain, const uintptr_t *frame)
{
	uint32_t turn = atomic_load_explicit(&chain->turn, memory_order_acquire);

	if (turn & 1 || chain->frame != frame || chain->ip != frame[1] || !is_known(chain))
		return 0;
	uint32_t id = chain->id, count = chain->count;
	for (uint32_t i = 0; i < count; i++) {
		const uintptr_t *at = chain->word[i].at;
		uintptr_t value = chain->word[i].value;
		/* Another thread may be writing it: then the address may be anything. */
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&chain->turn, memory_order_relaxed) != turn || *at != value)
			return 0;
	}
	return id;
}

uint32_t chain_find(const uintptr_t *frame)
{
	uint64_t sets = atomic_load_explicit(&chain_sets, memory_order_relaxed);
	const struct chain *set = sets >> set_number(frame) & 1 ? set_of(frame) : NULL;
	uint32_t id = 0;

	for (unsigned i = 0; set && i < WAYS && !id; i++)
		id = compare(&set[i], frame);
	return id;
}

/* Is there code of a file at the address, which stays what it is until modules change? */
static bool is_of_module(uintptr_t ip)
{
	struct dl_find_object found;
	return _dl_find_object((void *)ip, &found) == 0;
}

struct step {
	struct chain_registers caller;
	uintptr_t saved;
	bool by_fp; /* the frame pointer decides where the caller's frame is; else the stack pointer */
	bool needs_saved;
};

/*
 * Each pointer is moved alone, to see which of them the caller's frame moves with. Where it does not just move with one, it
 * depends on something else.
 */
static bool find_step(const struct chain_registers *at, struct step *step)
{
	struct chain_registers by_sp = {at->ip, at->sp - SHIFT, at->fp}, by_fp = {at->ip, at->sp, at->fp - SHIFT},
			       moved;
	uintptr_t saved;

	if (!is_of_module(at->ip) || !chain_step(at, &step->caller, &step->saved))
		return false;
	uintptr_t sp = step->caller.sp;
	if (sp <= at->sp || ((const uintptr_t *)sp)[-1] != step->caller.ip)
		return false;
	chain_step(&by_sp, &moved, &saved);
	step->by_fp = moved.sp == sp;
	if (step->by_fp)
		chain_step(&by_fp, &moved, &saved);
	return moved.sp == sp - SHIFT;
}

static bool find_steps(const uintptr_t *frame, const uint64_t *frames, uint32_t count, struct step *steps)
{
	struct chain_registers at = {frame[1], (uintptr_t)(frame + 2), frame[0]};
	struct step beyond;

	for (uint32_t i = 0; i + 1 < count; at = steps[i++].caller)
		if (at.ip != frames[i] || !find_step(&at, &steps[i]))
			return false;
	/* A stack that is longer than what is kept of it goes on. */
	return at.ip == frames[count - 1] && is_of_module(at.ip) &&
	       (count == STACK_FRAMES || !chain_step(&at, &beyond.caller, &beyond.saved));
}

static uint32_t find_words(const uintptr_t *frame, struct step *steps, uint32_t count, struct word *words)
{
	bool fp_counts = false;
	uint32_t used = 0;

	for (uint32_t i = count; i-- > 0;) {
		steps[i].needs_saved = fp_counts && steps[i].saved;
		fp_counts = (fp_counts && !steps[i].saved) || steps[i].by_fp;
	}
	if (fp_counts)
		words[used++] = (struct word){frame, frame[0]};
	for (uint32_t i = 0; i < count; i++) {
		const struct chain_registers *caller = &steps[i].caller;
		if (steps[i].needs_saved)
			words[used++] = (struct word){(const uintptr_t *)steps[i].saved, caller->fp};
		words[used++] = (struct word){(const uintptr_t *)caller->sp - 1, caller->ip};
	}
	return used;
}

static void find_out(struct chain *chain, const uint64_t *frames, uint32_t count)
{
	struct step steps[STACK_FRAMES];

	if (!find_steps(chain->frame, frames, count, steps))
		return;
	chain->count = find_words(chain->frame, steps, count - 1, chain->word);
	chain->age = atomic_load(&present);
}

static bool is_of(const struct chain *chain, const uintptr_t *frame, uint32_t id)
{
	return chain->frame == frame && chain->ip == frame[1] && chain->id == id;
}

/* That of the stack, else the one to make way for it. */
static struct chain *way_for(struct chain *set, const uintptr_t *frame, uint32_t id)
{
	struct chain *way = &set[id % WAYS];

	for (unsigned i = 0; i < WAYS; i++)
		if (is_of(&set[i], frame, id))
			return &set[i];
	for (unsigned i = 0; i < WAYS && is_known(way); i++)
		way = &set[(id + i) % WAYS];
	return way;
}

/* Has it been walked often enough for its words to be found out now? */
static bool count_walk(struct chain *chain, const uintptr_t *frame, uint32_t id)
{
	if (is_of(chain, frame, id)) {
		/* Its words are not what they were, or modules changed. */
		chain->walks = chain->age ? 1 : chain->walks + (chain->walks <= WALKS);
		chain->age = 0;
		return chain->walks == WALKS;
	}
	if (is_known(chain) && chain->walks) {
		chain->walks--;
		return false;
	}
	chain->frame = frame;
	chain->ip = frame[1];
	chain->id = id;
	chain->age = 0;
	chain->walks = 1;
	return false;
}

/* One that a signal handler jumps out of stays odd, and is no chain any more. */
void chain_walked(const uintptr_t *frame, const uint64_t *frames, uint32_t count, uint32_t id)
{
	struct chain *set = id && count > 1 ? set_of(frame) : NULL, *chain = set ? way_for(set, frame, id) : NULL;
	uint32_t turn = chain ? atomic_load_explicit(&chain->turn, memory_order_relaxed) : 1;

	if (turn & 1 || !atomic_compare_exchange_strong(&chain->turn, &turn, turn + 1))
		return;
	atomic_fetch_or_explicit(&chain_sets, UINT64_C(1) << set_number(frame), memory_order_relaxed);
	if (count_walk(chain, frame, id))
		find_out(chain, frames, count);
	atomic_store_explicit(&chain->turn, turn + 2, memory_order_release);
}
#else
uint32_t chain_find(const uintptr_t *frame)
{
	(void)frame;
	return 0;
}

void chain_walked(const uintptr_t *frame, const uint64_t *frames, uint32_t count, uint32_t id)
{
	(void)frame;
	(void)frames;
	(void)count;
	(void)id;
}
#endif

void chain_forget(void)
{
	atomic_fetch_add(&present, 1);
}
