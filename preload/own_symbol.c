#include "preload/own_symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* As the linker places them. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
extern const ElfW(Dyn) own_dynamic[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));

struct image {
	uintptr_t base;
	const ElfW(Dyn) * dynamic;
};

/* The loader has turned what the linker wrote there into addresses, if it could write there. */
static const void *table_of(const struct image *image, ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *at = image->dynamic; at->d_tag != DT_NULL; at++)
		if (at->d_tag == tag)
			return (const void *)(at->d_un.d_ptr < image->base ? at->d_un.d_ptr + image->base
									   : at->d_un.d_ptr);
	return NULL;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (const unsigned char *at = (const unsigned char *)name; *at; at++)
		hash = hash * 33 + *at;
	return hash;
}

/* Not one for programs that were linked long ago, nor one of which the loader is to ask which it is. */
static bool is_function(const ElfW(Sym) * symbol, const ElfW(Half) * version)
{
	enum { OLD = 0x8000 };

	return symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
	       !(version && *version & OLD);
}

/* DT_GNU_HASH: four words, a filter of words as long as an address, the first symbol of each list, and their hashes. */
static void *find_symbol(const struct image *image, const char *name)
{
	const uint32_t *words = table_of(image, DT_GNU_HASH);
	const ElfW(Sym) *symbols = table_of(image, DT_SYMTAB);
	const char *texts = table_of(image, DT_STRTAB);
	const ElfW(Half) *versions = table_of(image, DT_VERSYM);
	uint32_t hash = hash_of(name), filter = sizeof(ElfW(Addr)) / sizeof *words;

	if (!words || !symbols || !texts)
		return NULL;
	const uint32_t *lists = words + 4 + words[2] * filter, *hashes = lists + words[0];
	uint32_t first = words[1], at = lists[hash % words[0]];
	for (; at >= first; at++) {
		uint32_t here = hashes[at - first];

		if ((here | 1) == (hash | 1) && strcmp(texts + symbols[at].st_name, name) == 0 &&
		    is_function(&symbols[at], versions ? versions + at : NULL))
			return (void *)(image->base + symbols[at].st_value);
		if (here & 1)
			break;
	}
	return NULL;
}

void *own_symbol(const char *name)
{
	return find_symbol(&(struct image){(uintptr_t)&__ehdr_start, own_dynamic}, name);
}

void *own_symbol_of_libc(const char *name)
{
	struct dl_find_object libc;

	if (_dl_find_object((void *)(uintptr_t)__errno_location, &libc) != 0)
		return NULL;
	return find_symbol(&(struct image){libc.dlfo_link_map->l_addr, libc.dlfo_link_map->l_ld}, name);
}
