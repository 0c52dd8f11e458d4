/* The modules (executable, shared objects) of this process, told to the trace as they come and go. */
#ifndef SHMGUARD_MODULE_H
#define SHMGUARD_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "tracepoints/events.h"

/* Have modules come or gone since modules_tell? Costs 11 ns. */
bool module_changed(void);

/* Hands each module that came to `came` and each that went to `gone`; one caller at a time. */
void module_tell(void (*came)(const struct module_event *), void (*gone)(const struct module_gone_event *));

#endif
