#include "preload/loader.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>

#include "preload/kernel.h"
#include "preload/real.h"

static const void *data;
static size_t data_bytes;
static pthread_mutex_t *lock;

static void find_data(void)
{
	Dl_info info = {0};
	const ElfW(Sym) *symbol = NULL;
	const void *global = LIBC(dlsym)(RTLD_DEFAULT, "_rtld_global");

	if (!global || !LIBC(dladdr1)(global, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
	    ((uintptr_t)global | symbol->st_size) % sizeof(uint64_t))
		return;
	data = global;
	data_bytes = symbol->st_size;
}

/* A mutex that counts how often its owner has locked it. */
static bool is_lock(const pthread_mutex_t *mutex, unsigned times, int owner)
{
	return mutex->__data.__kind == PTHREAD_MUTEX_RECURSIVE_NP && mutex->__data.__count == times &&
	       mutex->__data.__owner == owner && (unsigned)mutex->__data.__lock == times;
}

/*
 * dl_iterate_phdr(3) calls this with another lock of the loader's taken, that of the list of libraries. The one sought
 * lies before that (_dl_load_lock and _dl_load_write_lock, in each glibc that has both), and is free.
 */
static int find_lock(struct dl_phdr_info *info, size_t size, void *context)
{
	int self = (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
	pthread_mutex_t *found = NULL;

	(void)info;
	(void)size;
	(void)context;
	for (size_t at = 0; at + 2 * sizeof *found <= data_bytes; at += sizeof(uint64_t)) {
		pthread_mutex_t *pair = (void *)((uintptr_t)data + at);
		if (!is_lock(&pair[0], 0, 0) || !is_lock(&pair[1], 1, self))
			continue;
		if (found)
			return 1;
		found = pair;
	}
	lock = found;
	return 1;
}

void loader_initialise(void)
{
	find_data();
	if (data)
		LIBC(dl_iterate_phdr)(find_lock, NULL);
}

const void *loader_data(size_t *bytes)
{
	*bytes = data_bytes;
	return data;
}

bool loader_enter(void)
{
	return !lock || LIBC(pthread_mutex_trylock)(lock) == 0;
}

void loader_leave(void)
{
	if (lock)
		LIBC(pthread_mutex_unlock)(lock);
}
