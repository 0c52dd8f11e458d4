/* The modules (executable, shared objects) of this process, told to the trace as they come and go. */
#ifndef SHMGUARD_MODULE_H
#define SHMGUARD_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "tracepoints/events.h"

/* Have modules come or gone since module_tell? Takes the loader's lock unless module_watch_works(). */
bool module_changed(void);

/*
 * Hands each module that went to `gone` and each that came to `came`; one caller at a time. True: one came to where another
 * was, so that an address may now mean something else.
 */
bool module_tell(void (*came)(const struct module_event *), void (*gone)(const struct module_gone_event *));

#endif
