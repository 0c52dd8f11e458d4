/* How often the kernel killed for want of memory in the memory cgroup that this process is in. */
#ifndef SHMGUARD_OOM_H
#define SHMGUARD_OOM_H

#include <stdint.h>

/* Kills so far, of cgroup version 2 or 1; -1: not to be known. */
int64_t oom_kills(void);

#endif
