/*
 * What this process holds: objects by (device, inode), descriptors and mappings of them. Reads of "is anything there" are
 * lock-free and cost a load; all else takes the ledger's lock for a moment: a signal handler that interrupted that moment
 * is told that nothing is known.
 */
#ifndef SHMGUARD_LEDGER_H
#define SHMGUARD_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/identity.h"
#include "preload/intervals.h"

#define OBJECT_NAME_SIZE 256

struct object {
	uint64_t dev, ino;
	uint32_t id; /* from 1; unique in this process and its forked children */
	uint32_t holders;
	atomic_uint pins; /* who looks at it without the lock: it is not forgotten */
	uint32_t marks;   /* enum check_marks, of check.h, but that of ledger_forked() */
	uint32_t forks;   /* how many of them there had been when it became known, or that mark was cleared */
	uint64_t size;    /* bytes, when it was last seen */
	uint64_t page;    /* as in struct identity, as are huge and kind */
	bool huge;
	bool undefined; /* known, and to be defined in the trace all the same */
	bool made;      /* by this process, and it has the name yet by which the process comes back to it */
	bool let_go;    /* see ledger_let_go() */
	uint8_t kind;
	char name[OBJECT_NAME_SIZE]; /* as the program gave it, or "" */
	struct object *next;
};

/* Id of the object, its marks, and whether it was unknown until now, so that the caller defines it. 0: no memory. */
uint32_t ledger_object(const struct identity *identity, bool *is_new, uint32_t *marks);
/* Its definition was lost: who sees it next defines it. */
void ledger_undefined(const struct identity *identity);
void ledger_mark(const struct identity *identity, uint32_t set, uint32_t clear);
/* The process made the object, and is to know so for as long as it has a name; or it has none any more. */
void ledger_made(const struct identity *identity, bool made);
/* Marks of an object; 0 for one that is not known. */
uint32_t ledger_marks(const struct identity *identity);
/* What it was when this process came to know it: a descriptor does not tell how it was made. */
uint8_t ledger_kind(const struct identity *identity);
/* A name that the object got, or by which the kernel knows it. */
void ledger_rename(const struct identity *identity, const char *name);
/* The name by which this process knows the object; false, and "", if it is not known to have one. */
bool ledger_name(const struct identity *identity, char name[static OBJECT_NAME_SIZE]);
/* The same of the object that is mapped at the address. */
bool ledger_mapped_name(uint64_t address, char name[static OBJECT_NAME_SIZE]);
void ledger_mark_mapped(uint64_t address, uint32_t set);
/* Marks of the object that is mapped at the address; 0: none. */
uint32_t ledger_mapped_marks(uint64_t address);
/*
 * Hands out a copy of each object that this process maps or made, the lock not held meanwhile; false when `index` is past
 * the last.
 */
bool ledger_object_at(unsigned index, struct object *copy);
/* How many named objects this process made and has not removed. */
uint64_t ledger_created(void);
void ledger_count_created(int change);
/* Whether a child by fork(2) does not get what is mapped in the range: MADV_DONTFORK. */
void ledger_dontfork(uint64_t start, uint64_t length, bool dontfork);
/* In a child of fork(2): it has made nothing, and what is known so far has this mark until it is cleared. */
void ledger_forked(uint32_t mark);
/* Where in the object the highest mapping of it ends, bytes; 0: it is not mapped. Looks at every mapping. */
uint64_t ledger_mapped_end(const struct identity *identity);

/* Does this process map it, or have a descriptor of it other than that one, as far as it is known? */
bool ledger_holds(const struct identity *identity, int but);

/*
 * Of objects with one of these marks it is noticed when this process loses its last descriptor of one that it does not map:
 * each is then handed out once, unless it has the object again.
 */
void ledger_watch(uint32_t marks);
bool ledger_any_let_go(void);
bool ledger_let_go(struct object *copy);

/* A mapping is there whose event is queued: from here on the range may hold one. Lock-free. */
void ledger_expect(uint64_t start, uint64_t end);

/* May the range hold a tracked mapping? Never false when it does. */
bool ledger_may_map(const void *start, uint64_t length);
/* Id of the object of the lowest tracked mapping in the range; 0: none. */
uint32_t ledger_mapped(uint64_t start, uint64_t length);
void ledger_map(uint64_t start, uint64_t length, uint64_t offset, const struct identity *identity);
/* Forgets every piece in the range, and hands each to `piece`; answers how many there were. */
unsigned ledger_unmap(uint64_t start, uint64_t length, void (*piece)(const struct interval *, void *), void *context);
/* Hands out each whole mapping that the range touches, without a change. */
void ledger_look(uint64_t start, uint64_t length, void (*piece)(const struct interval *, void *), void *context);
/* Copies the mapping that holds the address, without a change; false when there is none. */
bool ledger_copy(uint64_t address, struct interval *piece);

/* Does the address lie within a huge page of a mapping, though not where one begins? Then that mapping and its page's size. */
bool ledger_cuts_huge(uint64_t address, struct interval *piece, uint64_t *page);
/* Does a tracked mapping hold the address? Copies it and its object; -1: not to be known now. */
int ledger_find(uint64_t address, struct interval *piece, struct object *object);
/* The same, and ledger_try_forget, for the handler of a fault, which may have interrupted the lock's holder: both give up. */
int ledger_try_find(uint64_t address, unsigned milliseconds, struct interval *piece, struct object *object);
/* Forgets the range. */
bool ledger_try_forget(uint64_t start, uint64_t length, unsigned milliseconds);
/* Adds a piece as it was handed out, its object pinned: an unmap that the kernel refused, or a mapping that moved. */
void ledger_restore(const struct interval *piece);

/* A descriptor is there whose event is queued: from here on it may lead to an object. Lock-free. */
void ledger_expect_fd(int fd);

/* May the descriptor lead to an object? Never false when it is known to. Lock-free. */
bool ledger_may_lead(int fd);
/* Object id that the descriptor was last seen to lead to; 0: none. libc closes behind our back: verify before use. */
uint32_t ledger_fd(int fd);
void ledger_fd_set(int fd, const struct identity *identity);
/* Answers what ledger_fd() answered before; 0 where the trace does not know that object. */
uint32_t ledger_fd_clear(int fd);
/* The lowest descriptor in [first, last] that may lead to an object, or -1. */
int ledger_fd_next(unsigned first, unsigned last);

#endif
