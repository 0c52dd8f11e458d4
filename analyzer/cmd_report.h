/* `shmguard report`. */
#ifndef SHMGUARD_CMD_REPORT_H
#define SHMGUARD_CMD_REPORT_H

#include <stdbool.h>

#include "analyzer/options.h"
#include "tracepoints/rules.h"

extern const struct option_table report_option_table;

/* argv[0] is "report". Returns the exit status, enum report_result of report.h. */
int cmd_report(int argc, char **argv);

/* Whether `name` is that of a severity. */
bool cmd_report_level(const char *name, enum severity *level);

#endif
