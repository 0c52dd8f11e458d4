/*
 * What a guarded process hands to the programs it executes: LD_PRELOAD and the variables of environment.h, kept from its
 * own start, so that an emptied environment does not end the recording. Under a profile or policy a child gets no other one
 * than that, nor one besides it.
 */
#ifndef SHMGUARD_CARRIED_H
#define SHMGUARD_CARRIED_H

#include <stdbool.h>
#include <stddef.h>

/* Keeps the variables; none of them under AT_SECURE. */
void carried_initialise(void);

/* Value of a carried variable at start, or NULL. */
const char *carried_value(const char *name);

/* From here on none of them is handed on, nor is any that the program hands on itself: a library without them does nothing. */
void carried_drop(void);

/* Bytes of room that carried_merge needs for this environment; 0 when it needs no change. */
size_t carried_room(char *const environment[]);

/* The environment with ours merged in, built in `room`. */
char **carried_merge(char *const environment[], void *room);

/*
 * A shell that libc starts gets the environment as it stands then. Bytes of room for a command that has the shell set ours
 * before it runs the given one in its own place; 0 where the environment needs no change.
 */
size_t carried_command_room(const char *command);
char *carried_command(const char *command, void *room);
/* Is this that shell? What its environment says was not ours to say, and it does nothing but to execute the next. */
bool carried_is_command(int argc, char *const argv[]);

#endif
