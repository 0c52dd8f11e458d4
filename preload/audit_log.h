/* Where the audit trail goes: a file, syslog, or standard error. */
#ifndef SHMGUARD_AUDIT_LOG_H
#define SHMGUARD_AUDIT_LOG_H

#include <stdbool.h>

#include "tracepoints/policy.h"

/* False: it cannot be opened, or may not be written, and `why` tells so of it. path: of a file. */
bool audit_log_open(enum policy_log log, const char *path, char why[static 256]);

extern enum policy_log audit_log_kind;

/*
 * Writes the line, which ends with its newline, by one write(2). False: not all of it is there. A descriptor that the program
 * took is opened again.
 */
bool audit_log_write(const char *line);
/* In a forked child. */
void audit_log_fork_reset(void);

#endif
