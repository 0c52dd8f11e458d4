/*
 * The rules that can be seen at a call. A check knows the call's event, what the kernel says of the object before it and
 * what this process did with the object so far; it knows neither LTTng nor whether the call was made or is about to be.
 * It reports through check_found(), which whoever links the checks supplies. Of the rules about one matter (the size, the
 * mode, the name, whose object it is, ...) it may break several: they are looked at in the catalogue's order of precedence,
 * until one is told.
 */
#ifndef SHMGUARD_CHECK_H
#define SHMGUARD_CHECK_H

#include "preload/identity.h"
#include "tracepoints/events.h"
#include "tracepoints/rules.h"

/* What this process knows of an object. */
enum check_marks {
	MARK_CREATED = 1,       /* it made the object */
	MARK_RESIZE_FAILED = 2, /* its last ftruncate or fallocate of it failed */
	MARK_RESERVED = 4,      /* it allocated pages by fallocate */
	MARK_SPARSE_TOLD = 8,   /* sparse-unreserved was found once: that is enough */
	MARK_PRIVATE = 16,      /* it mapped the object MAP_PRIVATE */
	MARK_LEFT_TOLD = 64,    /* secret-left was found at its last unmap */
	MARK_UNDUMPABLE = 128,  /* MADV_DONTDUMP or mlock was seen */
	MARK_DUMPABLE_TOLD = 256,
	MARK_BYTES_SEEN = 512,  /* the policy looked at what it held when it was attached to */
	MARK_POOL_HELD = 32,    /* it mapped huge pages that the kernel reserved: they stay the object's (mmap(2)) */
	MARK_CLOSED = 1024,     /* it mapped the object without PROT_WRITE, which mprotect(2) may give later */
	MARK_INHERITED = 2048,  /* it was forked from the process that made the object */
	MARK_SECRET = 4096,     /* by an earlier name, or of an earlier user, the policy calls it a secret */
	MARK_WIPED_LAST = 8192, /* likewise it is to be wiped after its last use */
	MARK_PAST_END = 16384,  /* it mapped more than the object had */
	MARK_HEIR = 32768,      /* the program found it open when it began */
	MARK_ATTACHED = 65536,  /* the policy asks what it held, and it was opened by a name without O_CREAT */
	MARK_USED = 131072,     /* it has had the object open or mapped, and not only named it */
	MARK_SIZED = 262144,    /* it was the first to give the object a size */
};

/* The numbers as in FIELDS_finding; of the rules that are not about sizes as said beside each. */
struct check_finding {
	enum rule_id rule;
	enum severity severity;
	int64_t offset;
	uint64_t length, size, limit;
	int32_t other;
	int16_t error; /* of the call */
	int16_t unseen; /* of what could not be looked at: more may be wrong. The trace has it in place of none of the call */
	uint64_t dev, ino; /* of an object that the call's event knows nothing of; else 0 */
};

/* Is it told, so that of the same matter nothing else is to be? */
bool check_found(const struct check_finding *finding);

/* Is its owner none of those whom the policy or, without one, the user trusts? Supplied likewise. */
bool check_foreign(const struct identity *identity);

/* Where in the object the highest mapping of this process ends, bytes; 0: none. Supplied by whoever links the checks. */
uint64_t check_mapped_end(const struct identity *identity);

/* The marks that a call leaves, whether anybody hears of findings or not. */
unsigned check_mapped(const struct mmap_event *e, const struct identity *identity);
unsigned check_truncated(const struct ftruncate_event *e, const struct identity *identity);
unsigned check_allocated(const struct fallocate_event *e, const struct identity *identity);

/* identity: before the call. Of what was found some answer marks to set. */
unsigned check_mmap(const struct mmap_event *e, const struct identity *identity, unsigned marks);
/* An unmapping that would cut a huge page, which munmap(2) refuses: from that offset in the object, so many bytes. */
void check_munmap(uint64_t offset, uint64_t length, uint64_t page);
void check_ftruncate(const struct ftruncate_event *e, const struct identity *identity, unsigned marks);
void check_fallocate(const struct fallocate_event *e, const struct identity *identity, unsigned marks);
/* A mapping that grew or moved: [offset, offset + length) of the object, as protected as the mapping is. */
unsigned check_remapped(const struct identity *identity, uint64_t offset, uint64_t length, int prot);
/* [offset, offset + length) of the object, mapped before with MARK_CLOSED, has got this protection. */
unsigned check_mprotect(const struct identity *identity, uint64_t offset, uint64_t length, int prot, unsigned marks);
void check_opened(uint32_t flags, uint64_t size_before, bool created, bool failed);
/* offset: in the object, of the first byte. */
void check_madvise(const struct madvise_event *e, uint64_t offset, unsigned marks);
void check_mlock(const struct mlock_event *e);

/* An object opened by its name. */
struct check_opening {
	enum event_id by; /* shm_open, open, sem_open */
	enum symbol symbol;
	int32_t pid;
	int dirfd;
	const char *name;
	uint32_t flags, mode;
	int32_t result; /* descriptor; sem_open: 0 for success */
	bool created;
	uint64_t size_before;
	int16_t error;
	uint32_t clamped; /* bits of the mode that the policy took away */
};

/* Did this process make the object that lies at the path? Supplied by whoever links the checks. */
bool check_made(const char *path);

/* check_permission.c; identity: what was opened, NULL if that is no object. */
void check_permission_opened(const struct check_opening *o, const struct identity *identity);
void check_permission_chmod(const struct chmod_event *e, const struct identity *identity);
/* Renamed, or given its first name; from: NULL for what had none. Within one directory nothing changes. */
void check_permission_moved(const char *from, const char *to, int16_t error, const struct identity *identity);
void check_permission_mmap(const struct mmap_event *e, const struct identity *identity);
void check_permission_mprotect(const struct mprotect_event *e);
void check_permission_memfd(const struct memfd_create_event *e, const struct identity *identity);
void check_permission_dup(const struct dup_event *e, const struct identity *identity);
void check_permission_sendmsg(const struct sendmsg_event *e, const struct identity *identity);

/* check_name.c */
void check_name_opened(const struct check_opening *o, const struct identity *identity);
/* Random bits that the name seems to hold; numbers that others can know, such as the pid, are none. */
unsigned check_name_bits(const char *name);
/* Does the name hold the number, as a whole number? */
bool check_name_holds(const char *name, uint64_t number);

/* check_zeroing.c */
void check_zeroing_opened(const struct check_opening *o, const struct identity *identity, unsigned marks);
void check_zeroing_ftruncate(const struct ftruncate_event *e, const struct identity *identity);
void check_zeroing_fallocate(const struct fallocate_event *e, const struct identity *identity);
void check_zeroing_madvise(const struct madvise_event *e, unsigned marks);

/* check_lifetime.c */
void check_lifetime_opened(const struct check_opening *o, const struct identity *identity, unsigned marks);
void check_lifetime_unlink(const struct unlink_event *e, const struct identity *identity, unsigned marks);
void check_lifetime_mmap(const struct mmap_event *e);
void check_lifetime_mutex(const struct mutex_event *e);

#endif
