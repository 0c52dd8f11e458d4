#include "preload/own_symbol.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

/* As the linker places them. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
extern const ElfW(Dyn) own_dynamic[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));

/* The loader has turned what the linker wrote there into addresses, if it could write there. */
static const void *table(ElfW(Sxword) tag)
{
	uintptr_t base = (uintptr_t)&__ehdr_start;

	for (const ElfW(Dyn) *at = own_dynamic; at->d_tag != DT_NULL; at++)
		if (at->d_tag == tag)
			return (const void *)(at->d_un.d_ptr < base ? at->d_un.d_ptr + base : at->d_un.d_ptr);
	return NULL;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (const unsigned char *at = (const unsigned char *)name; *at; at++)
		hash = hash * 33 + *at;
	return hash;
}

/* DT_GNU_HASH: four words, a filter of words as long as an address, the first symbol of each bucket, and their hashes. */
void *own_symbol(const char *name)
{
	const uint32_t *words = table(DT_GNU_HASH);
	const ElfW(Sym) *symbols = table(DT_SYMTAB);
	const char *texts = table(DT_STRTAB);
	uint32_t hash = hash_of(name), filter = sizeof(ElfW(Addr)) / sizeof *words;

	if (!words || !symbols || !texts)
		return NULL;
	const uint32_t *buckets = words + 4 + words[2] * filter, *hashes = buckets + words[0];
	uint32_t first = words[1], at = buckets[hash % words[0]];
	for (; at >= first; at++) {
		uint32_t here = hashes[at - first];

		if ((here | 1) == (hash | 1) && strcmp(texts + symbols[at].st_name, name) == 0)
			return (void *)((uintptr_t)&__ehdr_start + symbols[at].st_value);
		if (here & 1)
			break;
	}
	return NULL;
}
