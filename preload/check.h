/*
 * The rules that can be seen at a call. A check knows the call's event, what the kernel says of the object before it and
 * what this process did with the object so far; it knows neither LTTng nor whether the call was made or is about to be.
 * It reports through check_found(), which whoever links the checks supplies. One finding a call and object at most.
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
};

/* The numbers as in FIELDS_finding. */
struct check_finding {
	enum rule_id rule;
	enum severity severity;
	int64_t offset;
	uint64_t length, size, limit;
	int32_t other;
	int16_t error;
};

void check_found(const struct check_finding *finding);

/* Where in the object the highest mapping of this process ends, bytes; 0: none. Supplied by whoever links the checks. */
uint64_t check_mapped_end(const struct identity *identity);

/* identity: before the call. Each answers the marks to set. */
unsigned check_mmap(const struct mmap_event *e, const struct identity *identity, unsigned marks);
unsigned check_ftruncate(const struct ftruncate_event *e, const struct identity *identity, unsigned marks);
unsigned check_fallocate(const struct fallocate_event *e, const struct identity *identity, unsigned marks);
/* A mapping that grew or moved: [offset, offset + length) of the object. */
void check_remapped(const struct identity *identity, uint64_t offset, uint64_t length);
void check_opened(uint32_t flags, uint64_t size_before, bool created, bool failed);
void check_madvise(const struct madvise_event *e, unsigned marks);
void check_mlock(const struct mlock_event *e);

#endif
