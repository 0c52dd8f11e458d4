/* /proc/self/maps, read without stdio or malloc. */
#ifndef SHMGUARD_MAPS_H
#define SHMGUARD_MAPS_H

#include <stdbool.h>
#include <stdint.h>

/* The longest line. */
enum { MAPS_LINE = 4096 + 256 };

struct maps_line {
	uint64_t start, end, offset, dev, ino;
	int prot;
	bool shared;
	const char *path; /* "" if there is none */
};

/* The line of the mapping that holds the address; its text stays in the buffer. */
bool maps_find(uint64_t address, char buffer[static MAPS_LINE], struct maps_line *line);

/* Calls `each` for one line after the other, as soon as it was read, until one answers true; false: none does. */
bool maps_any(bool (*each)(const struct maps_line *line, void *context), void *context, char buffer[static MAPS_LINE]);

#endif
