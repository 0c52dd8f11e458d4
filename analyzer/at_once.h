/* Standard error for who has more to do than to wait until somebody reads it. */
#ifndef SHMGUARD_AT_ONCE_H
#define SHMGUARD_AT_ONCE_H

#include <stdbool.h>

/* False: it has no room for the line, which ends with its newline, and of which a terminal may have got a part. */
bool at_once_tell(const char *line);

#endif
