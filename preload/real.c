#include "preload/real.h"

#include <dlfcn.h>

struct real real_table;
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
