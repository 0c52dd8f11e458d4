/*
 * AddressSanitizer's runtime, where it is a library, refuses to start behind another one, as it would not see what a library
 * before it allocates. We allocate nothing past it, and must be first: who creates a thread comes to us before the runtime, so
 * that it knows of the thread before we do anything in it.
 */
#include <dlfcn.h>

#include "preload/observe.h"

EXPORT const char *__asan_default_options(void);

/*
 * The runtime asks this while it starts, before its own functions work that stand for libc's: none of those is called here.
 * Another library before the runtime had to ask for the same, or the program would not start without us either.
 */
const char *__asan_default_options(void)
{
	void *(*look)(void *, const char *);
	const char *(*next)(void) = NULL;

	/* Without its version it would be our wrapper. */
	*(void **)&look = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
	if (look)
		*(void **)&next = look(RTLD_NEXT, "__asan_default_options");
	const char *theirs = next ? next() : "";
	return *theirs ? theirs : "verify_asan_link_order=0";
}
