/* Shared by the parts of world_holdings. */
#ifndef SHMGUARD_WORLD_HOLDINGS_INNER_H
#define SHMGUARD_WORLD_HOLDINGS_INNER_H

#include "world_holdings.h"
#include "world_inner.h"

#define TALLY_SECOND 1000000000
/* Nanoseconds: nobody needs so long from a munmap to a mmap unless there is something else to do. */
#define TALLY_PAUSE 1000000

struct tally *tally_of(struct process *process, enum tally_of of, uint32_t stack_id);
void tally_acquire(struct tally *tally, int64_t time);
/* object: NULL, if it need not be known whose was released. */
void tally_release(struct process *process, struct tally *tally, struct object *object, int64_t time);
void tally_take_back(struct process *process, struct tally *tally, struct object *object, int64_t time);
void tally_clear(struct tally *tally);

struct release *release_at(const struct holdings *holdings, size_t index);
/* Takes over the reference of its piece and its name. */
void release_log(struct holdings *holdings, const struct release *release);
/* Takes out the latest release with that sequence number. */
bool release_find(struct holdings *holdings, uint32_t seq, struct release *release);
void releases_free(struct holdings *holdings);

struct use *use_of(struct process *process, struct object *object);
void acquisition_put(struct acquisition *acquisition);
/* Puts back or hands on what was mapped: takes over a reference. */
void piece_add(struct process *process, struct piece piece);
/* How many pieces, from the highest down, end above `address`: the last of them is the first that may hold it. */
size_t pieces_above(const struct holdings *holdings, uint64_t address);
/* The piece that holds the address not at its start becomes two. */
void piece_divide(struct process *process, uint64_t address);
/* The reach of the process into the piece's object, kept by world_reach.c, takes note of it. */
void reach_added(const struct process *process, const struct piece *piece);
void reach_removed(const struct process *process, const struct piece *piece);
void piece_count_in(struct process *process, struct acquisition *acquisition);
void descriptor_add(struct process *process, const struct descriptor *descriptor);

#endif
