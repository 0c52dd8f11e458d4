/* What lies at an address, and what the kernel says of it now. Async-signal-safe: nothing here waits for a lock for long. */
#ifndef SHMGUARD_FAULT_SITE_H
#define SHMGUARD_FAULT_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/identity.h"

struct fault_site {
	bool found;          /* an object of ours is mapped there */
	uint32_t object;     /* id, 0: the ledger did not tell */
	uint64_t start, end; /* of the mapping */
	uint64_t offset;     /* of the touched byte in the object */
	int prot;            /* of the mapping, or -1 */
	bool fresh;          /* identity is the object's as it is now; else its size is what was last seen of it */
	struct identity identity;
	char name[256]; /* as the program gave it, or as the kernel names it */
	char path[512]; /* as /proc/self/maps has it, or "" */
};

/* For a call, which waits for the ledger. */
void fault_site_at(struct fault_site *site, uint64_t address);
/* For the handler of a fault. milliseconds: how long to wait for it. thorough: ask /proc where the ledger knows nothing. */
void fault_site_find(struct fault_site *site, uint64_t address, unsigned milliseconds, bool thorough);

/* Asks for the object's size now by every way there is to it. */
void fault_site_refresh(struct fault_site *site, uint64_t address);

/* Protection of the mapping at the address, or -1 when /proc does not tell. */
int fault_site_protection(struct fault_site *site, uint64_t address);

/* Can the page be read now? */
bool fault_site_has_page(uint64_t address);

/*
 * Where the pages of the mapping end, found by asking the kernel to fetch some: bytes from the object's beginning, rounded
 * to the page; false when that is not to be had. Fills holes that it meets.
 */
bool fault_site_probe(const struct fault_site *site, uint64_t address, uint64_t *size);

#endif
