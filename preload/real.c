#include "preload/real.h"

#include <dlfcn.h>
#include <string.h>

struct real real_table;
const struct real *real_own_table = &real_table;
bool real_resolved;
long (*real_syscall)(long, ...);

/* Every name is one that glibc 2.36 has: dlsym of a missing name would allocate. */
void real_resolve(void)
{
#define REAL_FIND(symbol, event, result, parameters) *(void **)&real_table.symbol = dlsym(RTLD_NEXT, #symbol);
	CALLS(REAL_FIND)
#undef REAL_FIND
	real_syscall = real_table.syscall;
	__atomic_store_n(&real_resolved, true, __ATOMIC_RELEASE);
}

/* A sanitizer must know of every thread and lock, if it is to know of any. */
static bool is_everybodys(const char *name)
{
	return strncmp(name, "pthread_", 8) == 0;
}

void real_resolve_own(void)
{
	static struct real own;
	void *library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	if (!library)
		return;
#define REAL_FIND(symbol, event, result, parameters)                                                                   \
	*(void **)&own.symbol = is_everybodys(#symbol) ? *(void **)&real_table.symbol : dlsym(library, #symbol);
	CALLS(REAL_FIND)
#undef REAL_FIND
	real_own_table = &own;
}
