/* The screen of `shmguard top`: ncurses, which nothing else here knows. */
#ifndef SHMGUARD_TOP_SCREEN_H
#define SHMGUARD_TOP_SCREEN_H

#include <stdint.h>

#include "analyzer/top.h"

/*
 * Shows the machine until a key or a signal ends it, and leaves the terminal as it was. 0; the number of the signal; -1: the
 * terminal cannot do it; -2: this machine could not be looked at, stderr was told.
 */
int screen_run(struct top_settings *settings, int64_t delay);

#endif
