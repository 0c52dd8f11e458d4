/*
 * LTTng looks here for every function, then in the preload, and then in libc, past those that the program has by the same
 * names. But what libc allocates for it (strdup(3)) comes from the program's allocator: so what LTTng allocates and frees does.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#define ALLOCATOR(X)                                                                                                   \
	X(void *, malloc, (size_t size), (size))                                                                       \
	X(void *, calloc, (size_t count, size_t size), (count, size))                                                  \
	X(void *, realloc, (void *memory, size_t size), (memory, size))                                                \
	X(void, free, (void *memory), (memory))                                                                        \
	X(void *, memalign, (size_t alignment, size_t size), (alignment, size))                                        \
	X(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))                                   \
	X(int, posix_memalign, (void **memory, size_t alignment, size_t size), (memory, alignment, size))

#define MEMBER(result, name, parameters, arguments) result(*name) parameters;
static struct {
	ALLOCATOR(MEMBER)
} program;

/*
 * Of the program's scope: ours has these here first. The first call is of LTTng's constructor, while the loader loads it,
 * when no other thread knows of these; that of our own comes after it.
 */
static void find(void)
{
	static bool found;

	if (__builtin_expect(__atomic_load_n(&found, __ATOMIC_ACQUIRE), true))
		return;
	void *scope = dlopen(NULL, RTLD_LAZY);
#define FIND(result, name, parameters, arguments) *(void **)&program.name = dlsym(scope, #name);
	ALLOCATOR(FIND)
	__atomic_store_n(&found, true, __ATOMIC_RELEASE);
}

#define EXPORT(result, name, parameters, arguments)                                                                    \
	__attribute__((visibility("default"))) result name parameters;                                                 \
	result name parameters                                                                                         \
	{                                                                                                              \
		find();                                                                                                \
		return program.name arguments;                                                                         \
	}
ALLOCATOR(EXPORT)
