/* What one process of /proc shows of an object: whether it maps it, or has a descriptor of it. */
#ifndef SHMGUARD_FACTS_PROCESS_H
#define SHMGUARD_FACTS_PROCESS_H

#include "preload/facts.h"

/* Bytes of the memory that a look needs. */
enum { FACTS_SCRATCH = 256 * 1024 };

/* Whose descriptors of the object count as well? guarded: of those into which the loader has brought our library, or will. */
enum facts_holders { HOLDERS_none, HOLDERS_guarded, HOLDERS_all };

/* What is looked for, and what was seen. */
struct facts_wanted {
	const struct identity *identity;
	uint64_t beyond;
	bool touched;  /* no mapping that is PROT_NONE counts */
	bool furthest; /* all are looked at, and `beyond` goes along: what is seen last reaches furthest */
	enum facts_holders holders;
	char library[64]; /* "/" and the last part of our own path */
	uint64_t end;     /* of the mapping seen last: where in the object */
	bool empty;       /* there was no line */
	bool guarded;     /* our library was there */
	bool loader;      /* the loader was */
	unsigned files;   /* that are mapped, one after the other */
	uint64_t dev, ino;
};

/* Reads the table of mappings behind the descriptor: is the object there, as it is wanted? */
bool facts_process_maps(int fd, char *scratch, struct facts_wanted *wanted);

/* name: of an entry of /proc, which may be none of a process; self: the one that is not looked at. */
void facts_process_look(const char *name, const char *self, char *scratch, struct facts_wanted *wanted,
			struct facts_mappers *found);

#endif
