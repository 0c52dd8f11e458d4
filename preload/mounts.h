/* What is mounted at /dev/shm and below it, as it is when the policy begins. */
#ifndef SHMGUARD_MOUNTS_H
#define SHMGUARD_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

enum mounts_kind { MOUNTS_none, MOUNTS_tmpfs, MOUNTS_hugetlbfs };

/* Of what lies at that path no object is known; why: a word. */
typedef void mounts_unheld(const char *path, const char *why);

/* directory: /dev/shm as the kernel names it, on that device. */
void mounts_keep(const char *directory, uint64_t dev, mounts_unheld *unheld);

/* Can nothing lie on the device of /dev/shm but what lies below it? If nothing tells, yes. */
bool mounts_whole(void);

/* Another file system that is mounted below /dev/shm, and nowhere else: all that lies on it lies there. */
enum mounts_kind mounts_below(uint64_t dev);

#endif
