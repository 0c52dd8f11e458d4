/* `shmguard diff`: what is new, fixed or changed from one report to another. */
#ifndef SHMGUARD_CMD_DIFF_H
#define SHMGUARD_CMD_DIFF_H

#include "analyzer/options.h"

extern const struct option_table diff_option_table;

/* argv[0] is "diff". Returns 0; 1 with new findings at --fail-on; 2 for wrong usage; 3 if something is unreadable. */
int cmd_diff(int argc, char **argv);

#endif
