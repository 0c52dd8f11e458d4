/* Limits of which we and LTTng's daemons need more than the command may have been given: raised for us, and not for it. */
#ifndef SHMGUARD_LIMITS_H
#define SHMGUARD_LIMITS_H

#include <stdbool.h>

enum limits_of { LIMITS_OF_run, LIMITS_OF_daemons };

/* For this process and its children, as far as it may. */
void limits_raise(void);

/* As they were, in a child. */
void limits_restore(void);

/* Whether one is still too small for them; tells so in `error` (LIMITED_TEXT bytes). */
bool limits_lack(enum limits_of of, char *error);

#endif
