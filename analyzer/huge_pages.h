/* Where huge pages for shared memory could come from on this machine. */
#ifndef SHMGUARD_HUGE_PAGES_H
#define SHMGUARD_HUGE_PAGES_H

#include <jansson.h>
#include <sys/types.h>

/*
 * Adds to the object "pool", bytes of huge pages that are free in the pool of the usual size; "thp", the mode by which
 * the file system of the device gets transparent ones (tmpfs(5): never, advise, within_size, always; or deny, force for
 * all of them); and "mount", where it is mounted, unless it is the kernel's own, of memfd_create(2).
 */
void huge_pages_describe(json_t *object, dev_t device);

#endif
