/* `shmguard top`: what moves in shared memory on this machine. */
#ifndef SHMGUARD_CMD_TOP_H
#define SHMGUARD_CMD_TOP_H

#include "analyzer/options.h"

extern const struct option_table top_option_table;

/* argv[0] is "top". Returns 0; 2 for wrong usage or no terminal; 3 if this machine could not be looked at. */
int cmd_top(int argc, char **argv);

#endif
