/* `shmguard explain`: why a call failed here, or what a rule means. */
#ifndef SHMGUARD_CMD_EXPLAIN_H
#define SHMGUARD_CMD_EXPLAIN_H

#include "analyzer/options.h"

extern const struct option_table explain_option_table;

/* argv[0] is "explain". */
int cmd_explain(int argc, char **argv);

#endif
