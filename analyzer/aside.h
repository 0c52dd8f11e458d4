/*
 * What the user has the loader bring into programs, LD_PRELOAD and LD_AUDIT, is meant for the command. In run itself such a
 * library can come between LTTng's threads and the loader's lock, or take the room that LTTng's libraries need.
 */
#ifndef SHMGUARD_ASIDE_H
#define SHMGUARD_ASIDE_H

/* Executes this program anew without them, which it keeps under other names; comes back where there are none, or it cannot. */
void aside_put(char **arguments);

/* An entry of the environment as it was before. */
const char *aside_entry(const char *entry);

/* The value of LD_PRELOAD as it was before, or NULL. */
const char *aside_preload(void);

#endif
