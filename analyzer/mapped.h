/* What /proc tells just now of the mappings of one object: device and inode, as in struct stat. */
#ifndef SHMGUARD_MAPPED_H
#define SHMGUARD_MAPPED_H

#include <stdbool.h>
#include <stdint.h>

struct mapped {
	bool any;      /* it maps the object */
	bool shared;   /* so, and MAP_SHARED */
	uint64_t end;  /* the byte of the object up to which its mappings let it touch: none that is PROT_NONE counts */
	bool has_size; /* only who may follow /proc/PID/map_files is told (proc(5)) */
	uint64_t size; /* of the object, bytes */
};

struct mapped mapped_by(int32_t pid, uint64_t dev, uint64_t ino);

/* A process other than this one that maps the object, 0: none is to be seen. */
int32_t mapped_by_other(int32_t pid, uint64_t dev, uint64_t ino);
/* Does any process map it MAP_SHARED? */
bool mapped_shared(uint64_t dev, uint64_t ino);

#endif
