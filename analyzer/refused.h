/* Ghosts that `clean` does not remove, and why: a line for each directory, file system or mount namespace. */
#ifndef SHMGUARD_REFUSED_H
#define SHMGUARD_REFUSED_H

#include <stdbool.h>

#include "analyzer/machine.h"
#include "analyzer/terminal.h"

/* takes: would it be removed if it lay on the top of our own /dev/shm? below: as in the option of that name, or NULL. */
void refused_tell(const struct machine *machine, const char *below,
		  bool (*takes)(const void *context, const struct machine_object *object), const void *context,
		  const struct terminal *terminal);

/* Does the object lie there: on the top of our own /dev/shm, or, with `below`, right in that directory of it? */
bool refused_lies(const struct machine_object *object, const char *below);

#endif
