#include "preload/stack.h"

#include <dlfcn.h>
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/kernel.h"
#include "preload/own.h"

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
static void (*flush_function)(void *, uintptr_t, uintptr_t);
static void *local_space;
static _Atomic uint64_t *slots;    /* hash of the stack, 0: free; id = index + 1 */
static atomic_uint used, meanings; /* meanings: how often addresses got another one */

bool stack_load(void)
{
	/* RTLD_LOCAL, and not NEEDED by us: else its _Unwind_* would take the place of libgcc's in the program. */
	void *library = dlopen(UNWIND_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
	*(void **)&flush_function = dlsym(library, UNWIND("flush_cache"));
	*(void **)&init_function = dlsym(library, NAME(unw_init_local2));
	*(void **)&step_function = dlsym(library, NAME(unw_step));
	*(void **)&register_function = dlsym(library, NAME(unw_get_reg));
	void **space = dlsym(library, UNWIND("local_addr_space"));
	local_space = space ? *space : NULL;
	slots = kernel_memory(SLOTS * sizeof *slots);
	int (*function)(void **, int) = NULL;
	if (slots)
		*(void **)&function = dlsym(library, "unw_backtrace");
	/* Other threads may walk from here on. */
	__atomic_store_n(&backtrace_function, function, __ATOMIC_RELEASE);
	return function != NULL;
}

void stack_prepare_thread(void)
{
	void *frame[1];
	if (backtrace_function)
		backtrace_function(frame, 1);
}

void stack_modules_changed(bool reused)
{
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

uint32_t stack_walk(void *context, uint64_t frames[static STACK_ROOM])
{
	int (*backtrace)(void **, int) = __atomic_load_n(&backtrace_function, __ATOMIC_ACQUIRE);
	int got = 0, ours = 0;

	if (backtrace)
		got = context ? interrupted(context, frames) : backtrace((void **)frames, STACK_ROOM);
	while (ours < got && own_text(frames[ours]))
		ours++;
	if (got <= ours)
		return 0;
	uint32_t kept = (uint32_t)(got - ours > STACK_FRAMES ? STACK_FRAMES : got - ours);
	memmove(frames, frames + ours, kept * sizeof *frames);
	return kept;
}

uint32_t stack_intern(const uint64_t *frames, uint32_t count, bool *is_new)
{
	*is_new = false;
	return count ? slot_of(hash_frames(frames, count), is_new) : 0;
}
