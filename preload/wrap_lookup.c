/*
 * Functions that a program asks a library for by name, as bindings of other languages do (ctypes, JNA, P/Invoke): they are
 * the C library's own, and our wrappers stand in for them, as they do for every function that the loader finds. Only where
 * nobody stands between us and the C library: another interposer that asks it for what to go on to would come back to itself.
 */
#include <dlfcn.h>

#include "preload/jump.h"
#include "preload/observe.h"
#include "preload/own_symbol.h"
#include "preload/real.h"

static void *look_in_library(void *library, const char *name)
{
	void *found = REAL(dlsym)(library, name);
	/* Who asks may be an allocator, amid an allocation. */
	void *wrapper = found && real_is(found, name) ? own_symbol(name) : NULL;

	return wrapper ?: found;
}

/* RTLD_NEXT and RTLD_DEFAULT depend on who calls, dlsym(3), and have us on their way. */
__attribute__((used)) jump_target target_dlsym(void *library, const char *name);
jump_target target_dlsym(void *library, const char *name)
{
	(void)name;
	return library == RTLD_DEFAULT || library == RTLD_NEXT ? (jump_target)REAL(dlsym)
							       : (jump_target)look_in_library;
}
EXPORT_JUMP("dlsym")
