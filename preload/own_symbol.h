/* What a library exports under a name, by its own tables (elf(5)): nothing is loaded, locked or allocated for it. */
#ifndef SHMGUARD_OWN_SYMBOL_H
#define SHMGUARD_OWN_SYMBOL_H

#include <link.h>
#include <stdint.h>

/* What the table of a library, or of the program, has under the tag, 0: nothing. */
uintptr_t own_symbol_entry(const ElfW(Dyn) * dynamic, ElfW(Sxword) tag);
/* The same of a table that lies in it: its address. */
const void *own_symbol_table(uintptr_t base, const ElfW(Dyn) * dynamic, ElfW(Sxword) tag);

/* The C library, as the loader knows it; NULL: it does not. */
const struct link_map *own_symbol_libc(void);

/* Our wrapper; NULL: there is none. */
void *own_symbol(const char *name);

/*
 * The C library's function of that name, whoever else has one; NULL: it has none, or the loader chooses among several
 * (STT_GNU_IFUNC).
 */
void *own_symbol_of_libc(const char *name);

#endif
