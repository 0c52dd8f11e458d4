/* Files of a recording, which may come from elsewhere: what stands there in the place of one is not waited for. */
#ifndef SHMGUARD_REGULAR_FILE_H
#define SHMGUARD_REGULAR_FILE_H

#include <stdint.h>

/* A descriptor to read a regular file by, whose size in bytes is told; -1 with errno, EINVAL: it is none. */
int regular_file_open(const char *path, uint64_t *size);

#endif
