/*
 * The objects that the ledger knows, by (device, inode). The caller holds the ledger's lock; what is answered stays the
 * table's, and is valid while the lock is held or something holds the object.
 */
#ifndef SHMGUARD_OBJECTS_H
#define SHMGUARD_OBJECTS_H

#include "preload/ledger.h"

extern uint32_t objects_forks; /* of those that led to this process */

/* NULL: not known. */
struct object *objects_find_known(const struct identity *identity);
/* Makes it known if it is not: *is_new is set then. NULL: no memory. */
struct object *objects_find(const struct identity *identity, bool *is_new);
/* The same for what this thread's event is about, which keeps its number until the next one. */
struct object *objects_find_about(const struct identity *identity, bool *is_new);
/* NULL: past the last. */
const struct object *objects_at(unsigned index);
/* One that is marked so, or NULL. */
struct object *objects_let_go(void);

/* Was one of huge pages ever seen? Lock-free. */
bool objects_any_huge(void);

#endif
