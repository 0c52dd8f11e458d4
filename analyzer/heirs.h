/* Children by fork, which have what their parent had. */
#ifndef SHMGUARD_HEIRS_H
#define SHMGUARD_HEIRS_H

#include "world.h"

/*
 * The number of the latest call of the process after which a child was forked, by it or by its child, that is alive, and, if an
 * object is given, maps any of that; UINT32_MAX: not known. 0: there is none.
 */
uint32_t heirs_until(const struct world *world, const struct process *process, const struct object *object);

#endif
