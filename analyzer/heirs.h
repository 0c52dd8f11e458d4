/* Children by fork, which have what their parent had. */
#ifndef SHMGUARD_HEIRS_H
#define SHMGUARD_HEIRS_H

#include "world.h"

/*
 * The number of the latest call of the process after which a child was forked, by it or by its child, that is alive, and, if an
 * object is given, maps of that what lies beyond so many bytes, as far as is known; UINT32_MAX: not known. 0: there is none.
 */
uint32_t heirs_until(const struct world *world, const struct process *process, const struct object *object,
		     uint64_t beyond);
/* As heirs_until(), of the child, or child of a child, alone. */
uint32_t heirs_since(const struct process *heir, const struct process *from);

#endif
