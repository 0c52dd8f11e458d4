#include "preload/module_watch.h"

#include <link.h>
#include <stdatomic.h>
#include <stdint.h>

#include "preload/kernel.h"
#include "preload/loader.h"

/* struct link_namespaces begins with a pointer to the first module, and how many there are. */
enum { LOADED = 1 };

struct observation {
	unsigned long long adds, loaded;
	uint64_t words[];
};

static const _Atomic uint64_t *words;
static size_t word_count;
static struct observation *before;
static const _Atomic uint64_t *adds_at;

/* Under the loader's lock, so that all of it is of one moment. */
static int observe(struct dl_phdr_info *info, size_t size, void *context)
{
	struct observation *o = context;

	(void)size;
	o->adds = info->dlpi_adds;
	o->loaded = info->dlpi_adds - info->dlpi_subs;
	for (size_t i = 0; i < word_count; i++)
		o->words[i] = atomic_load_explicit(&words[i], memory_order_relaxed);
	return 1;
}

static size_t room(void)
{
	return sizeof *before + word_count * sizeof *words;
}

void module_watch_begin(void)
{
	size_t bytes;

	words = loader_data(&bytes);
	word_count = bytes / sizeof *words;
	before = words ? kernel_memory(room()) : NULL;
	if (before)
		dl_iterate_phdr(observe, before);
}

static const _Atomic uint64_t *found(const struct observation *after)
{
	const _Atomic uint64_t *at = NULL;

	if (before->adds == after->adds || word_count <= LOADED || (uint32_t)before->words[LOADED] != before->loaded ||
	    (uint32_t)after->words[LOADED] != after->loaded)
		return NULL;
	for (size_t i = LOADED + 1; i < word_count; i++) {
		if (before->words[i] != before->adds || after->words[i] != after->adds)
			continue;
		if (at)
			return NULL;
		at = &words[i];
	}
	return at;
}

void module_watch_end(void)
{
	struct observation *after = before ? kernel_memory(room()) : NULL;

	if (after) {
		dl_iterate_phdr(observe, after);
		adds_at = found(after);
		kernel_memory_free(after, room());
	}
	if (before)
		kernel_memory_free(before, room());
	before = NULL;
}

bool module_watch_works(void)
{
	return adds_at != NULL;
}

unsigned long long module_watch_state(void)
{
	uint32_t loaded = (uint32_t)atomic_load_explicit(&words[LOADED], memory_order_relaxed);

	return atomic_load_explicit(adds_at, memory_order_relaxed) << 32 | loaded;
}
