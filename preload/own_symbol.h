/* What a library exports under a name, by its own tables (elf(5)): nothing is loaded, locked or allocated for it. */
#ifndef SHMGUARD_OWN_SYMBOL_H
#define SHMGUARD_OWN_SYMBOL_H

/* Our wrapper; NULL: there is none. */
void *own_symbol(const char *name);

/*
 * The C library's function of that name, whoever else has one; NULL: it has none, or the loader chooses among several
 * (STT_GNU_IFUNC).
 */
void *own_symbol_of_libc(const char *name);

#endif
