/* What world_names*.c share. */
#ifndef SHMGUARD_WORLD_NAMES_INNER_H
#define SHMGUARD_WORLD_NAMES_INNER_H

#include "world_inner.h"

/* world_names_states.c; NULL: nothing was told of the name, or it is forgotten. */
struct name_state *name_state_find(const struct world *world, uint64_t place, const char *text);
struct name_state *name_state_of(struct world *world, uint64_t place, const char *text);
/* It leads nowhere: to be forgotten, once there are many such. */
void name_enqueue(struct world *world, struct name_state *state);
/* It leads somewhere again. */
void name_unqueue(struct world *world, struct name_state *state);

/* The entry of the name by which it is called; NULL: none. */
struct name *name_of(const struct object *object, const char *text);
/* It gets the name, or loses it: did another change that at the same time? */
void name_changed(struct name_state *state, struct object *object, const struct site *site);

/* The object has lost the name; where that leads now is another thing. */
void name_lose(const struct name_state *state, struct object *object, const struct site *site);
/* And the name leads nowhere. */
void name_removed(struct world *world, struct name_state *state, struct object *object, const struct site *site);

/* Its maker tells of an object: was it removed, or replaced, by who did not see it? Then it has lost the name. */
bool names_settled_unseen(struct world *world, struct name_state *state, struct object *object,
			  const struct site *made);
/* Who tells now that he opened it by the name did so before it lost that. */
bool names_opened_late(const struct object *object, const char *text, int64_t now);

#endif
