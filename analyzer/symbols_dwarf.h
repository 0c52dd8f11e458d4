/* What DWARF knows of an address: the function there, those inlined into it, and the source lines. */
#ifndef SHMGUARD_SYMBOLS_DWARF_H
#define SHMGUARD_SYMBOLS_DWARF_H

#include <libelf.h>
#include <stdint.h>

#include "analyzer/symbols.h"

struct symbols_dwarf;

/* NULL: the file holds no usable DWARF. `elf` must outlive the result. */
struct symbols_dwarf *symbols_dwarf_open(Elf *elf);

/*
 * Frames, innermost first, in memory the caller owns, as are their texts; the number of them. A compilation unit without
 * functions (assembler) gives one frame with file and line and no function.
 */
size_t symbols_dwarf_look_up(struct symbols_dwarf *dwarf, uint64_t address, struct symbols_frame **frames);

void symbols_dwarf_close(struct symbols_dwarf *dwarf);

#endif
