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

uintptr_t own_symbol_entry(const ElfW(Dyn) * dynamic, ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *at = dynamic; at->d_tag != DT_NULL; at++)
		if (at->d_tag == tag)
			return at->d_un.d_ptr;
	return 0;
}

/* The loader has turned what the linker wrote there into addresses, if it could write there. */
const void *own_symbol_table(uintptr_t base, const ElfW(Dyn) * dynamic, ElfW(Sxword) tag)
{
	uintptr_t value = own_symbol_entry(dynamic, tag);

	return (const void *)(value && value < base ? value + base : value);
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
static void *find_symbol(uintptr_t base, const ElfW(Dyn) * dynamic, const char *name)
{
	const uint32_t *words = own_symbol_table(base, dynamic, DT_GNU_HASH);
	const ElfW(Sym) *symbols = own_symbol_table(base, dynamic, DT_SYMTAB);
	const char *texts = own_symbol_table(base, dynamic, DT_STRTAB);
	const ElfW(Half) *versions = own_symbol_table(base, dynamic, DT_VERSYM);
	uint32_t hash = hash_of(name), filter = sizeof(ElfW(Addr)) / sizeof *words;

	if (!words || !symbols || !texts)
		return NULL;
	const uint32_t *lists = words + 4 + words[2] * filter, *hashes = lists + words[0];
	uint32_t first = words[1], at = lists[hash % words[0]];
	for (; at >= first; at++) {
		uint32_t here = hashes[at - first];

		if ((here | 1) == (hash | 1) && strcmp(texts + symbols[at].st_name, name) == 0 &&
		    is_function(&symbols[at], versions ? versions + at : NULL))
			return (void *)(base + symbols[at].st_value);
		if (here & 1)
			break;
	}
	return NULL;
}

void *own_symbol(const char *name)
{
	return find_symbol((uintptr_t)&__ehdr_start, own_dynamic, name);
}

const struct link_map *own_symbol_libc(void)
{
	struct dl_find_object libc;

	return _dl_find_object((void *)(uintptr_t)__errno_location, &libc) == 0 ? libc.dlfo_link_map : NULL;
}

void *own_symbol_of_libc(const char *name)
{
	const struct link_map *libc = own_symbol_libc();

	return libc ? find_symbol(libc->l_addr, libc->l_ld, name) : NULL;
}
