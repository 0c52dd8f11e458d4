#include "preload/real.h"

#include <dlfcn.h>
#include <string.h>

#include "preload/own_symbol.h"

struct real real_table;
struct real_others real_others;
const struct real *real_own_table = &real_table;
bool real_resolved;
long (*real_syscall)(long, ...);

typedef void *look_up(void *library, const char *name);

/* The C library's: without its version the first of that name is our own wrapper. */
static look_up *find_look_up(void)
{
	look_up *found;

	*(void **)&found = own_symbol_of_libc("dlsym") ?: dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
	return found;
}

/* Every name is one that glibc 2.36 has: dlsym of a missing name would allocate. */
void real_resolve(void)
{
	look_up *look = find_look_up();

#define REAL_FIND(symbol, event, result, parameters) *(void **)&real_table.symbol = look(RTLD_NEXT, #symbol);
	CALLS(REAL_FIND)
#undef REAL_FIND
#define REAL_FIND(symbol) *(void **)&real_others.symbol = own_symbol_of_libc(#symbol) ?: look(RTLD_NEXT, #symbol);
	REAL_OTHERS(REAL_FIND)
#undef REAL_FIND
	real_syscall = real_table.syscall;
	__atomic_store_n(&real_resolved, true, __ATOMIC_RELEASE);
}

/* A sanitizer must know of every thread and lock, if it is to know of any. */
static bool is_everybodys(const char *name)
{
	return strncmp(name, "pthread_", 8) == 0;
}

void real_resolve_own(bool sanitized)
{
	static struct real own;
#define REAL_FIND(symbol, event, result, parameters)                                                                   \
	*(void **)&own.symbol = (sanitized && is_everybodys(#symbol) ? NULL : own_symbol_of_libc(#symbol))             \
					?: (void *)real_table.symbol;
	CALLS(REAL_FIND)
#undef REAL_FIND
	real_own_table = &own;
}

static const char *const names[] = {
#define REAL_NAME(symbol, event, result, parameters) #symbol,
	CALLS(REAL_NAME)
#undef REAL_NAME
};

bool real_is(const void *original, const char *name)
{
	const void *const *originals = (const void *)&real_table;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (originals[i] == original && strcmp(names[i], name) == 0)
			return true;
	return false;
}
