/* The looks at the machine before and after a recording: every object with a name on /dev/shm, and who holds it. */
#ifndef SHMGUARD_LEFTOVERS_H
#define SHMGUARD_LEFTOVERS_H

#include <jansson.h>

/*
 * The content of DIR/shm-before.json and DIR/shm.json, or NULL and *error, a line for free(3). LTTng's own files are
 * left out.
 */
json_t *leftovers_look(char **error);

/*
 * Removes the pages of ours by which LTTng wakes the programs of a user, unless a process still has one mapped: nobody
 * waits there then, and the next to need one makes it.
 */
void leftovers_tidy(void);

#endif
