/*
 * The loader's lock, which dlopen(3) and dlclose(3) hold while they call the constructors and destructors of libraries:
 * who waits for it waits for those, and for ever where one of them waits for him.
 */
#ifndef SHMGUARD_LOADER_H
#define SHMGUARD_LOADER_H

#include <stdbool.h>
#include <stddef.h>

/* As long as there is one thread, which is in no dlopen(3). */
void loader_initialise(void);

/* What the loader knows (_rtld_global); NULL: it hides it. */
const void *loader_data(size_t *bytes);

/*
 * This thread has the loader for itself, and may call it, until it leaves; false: another has it now. True as well where
 * the lock was not found.
 */
bool loader_enter(void);
void loader_leave(void);

#endif
