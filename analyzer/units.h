/* Sizes in words: "28 KiB", "1.5 MiB", the same in whatever is said of them. */
#ifndef SHMGUARD_UNITS_H
#define SHMGUARD_UNITS_H

#include <stdint.h>

/* To be freed. Below `exact` all of the bytes, with `unit`, behind a blank. */
char *units_bytes(uint64_t bytes, uint64_t exact, const char *unit);

#endif
