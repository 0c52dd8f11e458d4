#include "preload/stack.h"

#include <dlfcn.h>
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

#include "preload/chain.h"
#include "preload/gate.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/own_load.h"
#include "preload/real.h"

#define UNWIND_LIBRARY "libunwind.so.8"

/* The header's macros give the names of the local unwinder, the others have none. */
#define NAME_OF(symbol) #symbol
#define NAME(symbol) NAME_OF(symbol)
#if defined(__x86_64__)
#define UNWIND(name) "_Ux86_64_" name
#elif defined(__aarch64__)
#define UNWIND(name) "_Uaarch64_" name
#endif

/* A quarter of a million distinct stacks; beyond three quarters of it new ones get no id. */
enum { SLOTS = 1 << 18 };

static int (*backtrace_function)(void **, int);
static int (*init_function)(unw_cursor_t *, unw_context_t *, int);
static int (*step_function)(unw_cursor_t *);
static int (*register_function)(unw_cursor_t *, int, unw_word_t *);
static int (*saved_function)(unw_cursor_t *, int, unw_save_loc_t *);
static int (*signal_function)(unw_cursor_t *);
static bool steps_alone; /* in a program with ThreadSanitizer */
static void (*flush_function)(void *, uintptr_t, uintptr_t);
static void *local_space;
static _Atomic uint64_t *slots;    /* hash of the stack, 0: free; id = index + 1 */
static atomic_uint used, meanings; /* meanings: how often addresses got another one */

/*
 * libunwind makes its pipe with the first cursor: now, while all that this thread does is ours. Later, where a sanitizer that
 * is linked into the program stands between, it would be the program's.
 */
static void make_pipe(void)
{
	unw_context_t nowhere = {0};
	unw_cursor_t cursor;

	if (init_function)
		init_function(&cursor, &nowhere, 0);
}

bool stack_load(void)
{
	/* Without libunwind, too: of a fault the address itself is known. */
	slots = kernel_memory(SLOTS * sizeof *slots);
	/* Not NEEDED by us: else its _Unwind_* would take the place of libgcc's in the program. */
	void *library = own_load_foreign(UNWIND_LIBRARY);
	if (!library)
		return false;
	*(void **)&flush_function = LIBC(dlsym)(library, UNWIND("flush_cache"));
	*(void **)&init_function = LIBC(dlsym)(library, NAME(unw_init_local2));
	*(void **)&step_function = LIBC(dlsym)(library, NAME(unw_step));
	*(void **)&register_function = LIBC(dlsym)(library, NAME(unw_get_reg));
	*(void **)&saved_function = LIBC(dlsym)(library, NAME(unw_get_save_loc));
	*(void **)&signal_function = LIBC(dlsym)(library, NAME(unw_is_signal_frame));
	void **space = LIBC(dlsym)(library, UNWIND("local_addr_space"));
	local_space = space ? *space : NULL;
	int (*function)(void **, int) = NULL;
	if (slots)
		*(void **)&function = LIBC(dlsym)(library, "unw_backtrace");
	/*
	 * unw_backtrace has a cache of each thread's, which it gives back as the last of all when the thread ends, with a lock:
	 * of a thread that ThreadSanitizer has done with by then. Step by step there is none.
	 */
	steps_alone = own_load_thread_sanitized();
	make_pipe();
	/* Other threads may walk from here on. */
	__atomic_store_n(&backtrace_function, function, __ATOMIC_RELEASE);
	return function != NULL;
}

/*
 * libunwind and the loader have locks, which in a child would stay taken for ever by a thread that does not exist there. So
 * nobody walks while another forks, who is alone inside; whoever has waited too long goes on all the same.
 */
enum { WALK_PATIENCE = 2000 };

static struct gate walkers;
static __thread bool walking;

bool stack_enter(void)
{
	return walking = gate_enter(&walkers, WALK_PATIENCE);
}

void stack_leave(void)
{
	if (walking)
		gate_leave(&walkers);
	walking = false;
}

void stack_abandoned(void)
{
	stack_leave();
}

bool stack_fork_begin(void)
{
	return gate_claim(&walkers, WALK_PATIENCE);
}

void stack_fork_end(bool begun)
{
	if (begun)
		gate_clear(&walkers);
}

void stack_modules_changed(bool reused)
{
	chain_forget();
	if (reused)
		atomic_fetch_add_explicit(&meanings, 1, memory_order_relaxed);
	if (flush_function && local_space)
		flush_function(local_space, 0, 0);
}

static uint64_t hash_frames(const uint64_t *frames, uint32_t count)
{
	uint64_t hash = count | (uint64_t)atomic_load_explicit(&meanings, memory_order_relaxed) << 32;
	for (uint32_t i = 0; i < count; i++) {
		hash = (hash ^ frames[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return hash ? hash : 1;
}

/* Two threads that meet a new stack at once: one inserts it, the other may use the id before it is defined. */
static uint32_t slot_of(uint64_t hash, bool *is_new)
{
	for (uint32_t i = (uint32_t)hash & (SLOTS - 1);; i = (i + 1) & (SLOTS - 1)) {
		uint64_t seen = atomic_load_explicit(&slots[i], memory_order_relaxed);
		if (!seen) {
			if (atomic_load_explicit(&used, memory_order_relaxed) > SLOTS / 4 * 3)
				return 0;
			if (atomic_compare_exchange_strong(&slots[i], &seen, hash)) {
				atomic_fetch_add_explicit(&used, 1, memory_order_relaxed);
				*is_new = true;
				return i + 1;
			}
		}
		if (seen == hash)
			return i + 1;
	}
}

/* As unw_backtrace, from the registers that a signal handler was given. */
static int interrupted(void *context, uint64_t frames[static STACK_ROOM])
{
	unw_cursor_t cursor;
	unw_word_t ip;
	int got = 0;

	if (!init_function || !step_function || !register_function ||
	    init_function(&cursor, context, UNW_INIT_SIGNAL_FRAME) < 0)
		return 0;
	do {
		if (register_function(&cursor, UNW_REG_IP, &ip) < 0 || !ip)
			break;
		frames[got++] = ip;
	} while (got < STACK_ROOM && step_function(&cursor) > 0);
	/* Whoever reads it takes it for a return address, and looks at the byte before. */
	if (got)
		frames[0]++;
	return got;
}

static __attribute__((noinline)) int step_by_step(uint64_t frames[static STACK_ROOM])
{
	ucontext_t here = {0};

	return LIBC(getcontext)(&here) == 0 ? interrupted(&here, frames) : 0;
}

bool stack_prepares_early(void)
{
	return !steps_alone;
}

void stack_prepare_thread(void)
{
	uint64_t frames[STACK_ROOM];

	if (!backtrace_function || !stack_enter())
		return;
	if (steps_alone)
		step_by_step(frames);
	else
		backtrace_function((void **)frames, 1);
	stack_leave();
}

uint32_t stack_walk(void *context, uint64_t frames[static STACK_ROOM])
{
	int (*backtrace)(void **, int) = __atomic_load_n(&backtrace_function, __ATOMIC_ACQUIRE);
	int got = 0, ours = 0;

	if (!backtrace || !stack_enter())
		return 0;
	if (context)
		got = interrupted(context, frames);
	else
		got = steps_alone ? step_by_step(frames) : backtrace((void **)frames, STACK_ROOM);
	stack_leave();
	while (ours < got && own_text(frames[ours]))
		ours++;
	if (got <= ours)
		return 0;
	uint32_t kept = (uint32_t)(got - ours > STACK_FRAMES ? STACK_FRAMES : got - ours);
	memmove(frames, frames + ours, kept * sizeof *frames);
	return kept;
}

#if defined(__x86_64__)
/* Registers that are not asked for lead where may be read. */
static void set_registers(ucontext_t *context, const struct chain_registers *at)
{
	greg_t *registers = context->uc_mcontext.gregs;

	for (int i = 0; i <= REG_RSP; i++)
		registers[i] = (greg_t)at->sp;
	registers[REG_RBP] = (greg_t)at->fp;
	registers[REG_RIP] = (greg_t)at->ip;
}

static int step(unw_cursor_t *cursor, ucontext_t *context)
{
	return init_function(cursor, context, 0) < 0 || signal_function(cursor) > 0 ? -1 : step_function(cursor);
}

bool chain_step(const struct chain_registers *at, struct chain_registers *caller, uintptr_t *saved)
{
	unw_cursor_t cursor;
	ucontext_t context;
	unw_save_loc_t where = {0};
	unw_word_t ip = 0, sp = 0, fp = 0;

	set_registers(&context, at);
	*caller = (struct chain_registers){0};
	if (!saved_function || !signal_function || !stack_enter())
		return false;
	int more = step(&cursor, &context);
	stack_leave();
	if (more < 0 || register_function(&cursor, UNW_REG_IP, &ip) < 0 ||
	    register_function(&cursor, UNW_REG_SP, &sp) < 0 || register_function(&cursor, UNW_X86_64_RBP, &fp) < 0 ||
	    saved_function(&cursor, UNW_X86_64_RBP, &where) < 0)
		return false;
	*caller = (struct chain_registers){ip, sp, fp};
	uintptr_t from = where.type == UNW_SLT_MEMORY ? where.u.addr : 0;
	*saved = from >= (uintptr_t)&context && from < (uintptr_t)(&context + 1) ? 0 : from;
	return more > 0;
}
#endif

uint32_t stack_intern(const uint64_t *frames, uint32_t count, bool *is_new)
{
	*is_new = false;
	return count && slots ? slot_of(hash_frames(frames, count), is_new) : 0;
}
