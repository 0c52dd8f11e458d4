/* What the kernel says at this moment of room, quotas and other processes: for the checks. */
#ifndef SHMGUARD_FACTS_H
#define SHMGUARD_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/identity.h"

/*
 * Bytes that the object's tmpfs has left; false where there is no such limit (memfd, a tmpfs without size). Only for whom
 * gigabytes more than the need are left is an answer of the same tick of the clock good enough (see recent.h).
 */
bool facts_room(const struct identity *identity, uint64_t need, uint64_t *bytes);

/* RLIMIT_FSIZE, bytes; UINT64_MAX: unlimited. */
uint64_t facts_file_size_limit(void);

/* RLIMIT_AS: bytes that may still be mapped; UINT64_MAX: unlimited, or nothing tells. */
uint64_t facts_address_space(void);

/* Has this thread the capability in effect? */
bool facts_capable(unsigned capability);

/* Bytes that may still be locked into memory; UINT64_MAX with CAP_IPC_LOCK or without a limit. */
uint64_t facts_lockable(void);
/* Is RLIMIT_MEMLOCK 0? Without the capability the kernel then answers EPERM, whatever is to be locked. */
bool facts_may_lock_nothing(void);
/* Of that range the bytes that are not locked yet, in whole pages. Walks the page tables of all that is mapped. */
uint64_t facts_unlocked(uint64_t address, uint64_t length);

/*
 * Bytes until the closest memory cgroup limit of this process, every ancestor counted; UINT64_MAX: none. Asked of the
 * kernel at most once a second; false in between.
 */
bool facts_memory_left(uint64_t *bytes);

/* Free and not reserved pages of that huge page size, in bytes; false when the pool cannot be read. */
bool facts_huge_pages_free(uint64_t page, uint64_t *bytes);

/* Mappers of an object in other processes, found through /proc. */
struct facts_mappers {
	int32_t pid;         /* one that maps it beyond the offset asked for: who reaches furthest; 0: none */
	uint64_t end;        /* where in the object that mapping ends, bytes */
	unsigned unreadable; /* processes whose maps we may not read, kernel threads left out */
	unsigned strangers;  /* of them, those that are not root's */
	unsigned owners;     /* of those, the ones of the object's owner */
	int gave_up; /* 0: everybody was looked at; else why not: ETIMEDOUT, ENOENT (no /proc), EAGAIN (too often), EMFILE */
};

/* Only those count that let their process touch what lies beyond: not PROT_NONE. */
struct facts_mappers facts_other_mappers(const struct identity *identity, uint64_t beyond);
/* Where the furthest such mapping of this process ends, 0: it has none; `supposed` where that cannot be looked up. */
uint64_t facts_own_reach(const struct identity *identity, uint64_t beyond, uint64_t supposed);

/*
 * Does another process map the object? Of those that may not be looked at, the owner's may always do, another
 * user's where the object's mode lets others in: not known. Unseen: nobody was seen to, but there are processes of root's
 * that may not be looked at, or those of other pid namespaces, which are not listed.
 */
enum facts_use { FACTS_unused, FACTS_mapped, FACTS_unknown, FACTS_unseen };

enum facts_use facts_use_by_others(const struct identity *identity);
/* The same of what lies beyond the offset, as of facts_other_mappers(). */
enum facts_use facts_use_beyond(const struct identity *identity, uint64_t beyond);
/* The same, but who has a descriptor of it counts as well. */
enum facts_use facts_use_by_holders(const struct identity *identity);
/*
 * Does another process map the object, or have a descriptor of it into which the loader brings our library: then which one?
 * Of those that may not be looked at nothing is known, and none counts.
 */
enum facts_use facts_use_by_guarded(const struct identity *identity, int32_t *holder);
/* The process's parent, if that maps it, or has a descriptor of it, as far as may be seen; else 0. */
int32_t facts_user_parent(const struct identity *identity);
/* Is there no other process that is known to map the object or to have a descriptor of it, or likely to? */
bool facts_left_by_others(const struct identity *identity);
/* The same for this process, as the kernel says. */
enum facts_use facts_use_by_itself(const struct identity *identity);

#endif
