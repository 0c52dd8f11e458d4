/* `shmguard rules`. */
#ifndef SHMGUARD_CMD_RULES_H
#define SHMGUARD_CMD_RULES_H

#include "analyzer/options.h"

extern const struct option_table rules_option_table;

/* argv[0] is "rules". Returns the exit status: 0, 2 for wrong usage or an unknown rule, 3 if the output was lost. */
int cmd_rules(int argc, char **argv);

/* The id most like `id`, or NULL if none is at all like it. */
const char *rules_nearest(const char *id);

#endif
