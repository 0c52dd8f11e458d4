/* One executable or library on this machine, and what its symbol tables and debug information know. */
#ifndef SHMGUARD_SYMBOLS_MODULE_H
#define SHMGUARD_SYMBOLS_MODULE_H

#include "analyzer/symbols.h"

struct symbols_module;

/* Never NULL: a module of which nothing was found answers every question with why. */
struct symbols_module *symbols_module_open(const char *path, const char *build_id);

/* Fills `symbol` with memory that the caller owns, except `why`, which is a constant. */
void symbols_module_look_up(struct symbols_module *module, uint64_t address, struct symbols_answer *symbol);

void symbols_module_close(struct symbols_module *module);

#endif
