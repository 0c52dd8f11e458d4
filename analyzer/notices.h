/* Tells on stderr, while the command runs, of what the processes found wrong, from their notes (tracepoints/notes.h). */
#ifndef SHMGUARD_NOTICES_H
#define SHMGUARD_NOTICES_H

#include <stdbool.h>

#include "tracepoints/notes.h"

struct notices;

struct notices *notices_new(void);

/* A note of type finding or fault. texts: the object's name, exe; "" if unknown. */
void notices_take(struct notices *notices, const struct note *note, const char *const texts[2]);

/* The process has ended, by a signal or with a status other than 0 if `badly`. */
void notices_ended(struct notices *notices, int32_t pid, bool badly);

/* Due every tenth of a second: tells what has waited for long enough. */
void notices_look(struct notices *notices);

/* What still waits is left to the report. */
void notices_free(struct notices *notices);

#endif
