/* What libshmguard.so exports under a name, by its own tables (elf(5)): nothing is loaded, locked or allocated for it. */
#ifndef SHMGUARD_OWN_SYMBOL_H
#define SHMGUARD_OWN_SYMBOL_H

/* NULL: nothing. */
void *own_symbol(const char *name);

#endif
