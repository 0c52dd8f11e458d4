/* Numbers of which the bits or the values have names, as strace prints them. */
#ifndef SHMGUARD_NOTATION_FLAGS_H
#define SHMGUARD_NOTATION_FLAGS_H

#include "trace_reader.h"

/*
 * An argument by the name of its field, in words where it has any; symbol: the function that was called. NULL: flags that
 * this function does not take. To be freed by the caller.
 */
char *notation_flags(const struct trace_event *event, const char *symbol, const char *name, int64_t value);

/* si_code of a SIGBUS. To be freed by the caller. */
char *notation_flags_code(uint32_t code);

#endif
