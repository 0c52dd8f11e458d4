/* `shmguard ls`: what is in shared memory on this machine now. */
#ifndef SHMGUARD_CMD_LS_H
#define SHMGUARD_CMD_LS_H

#include "analyzer/options.h"

extern const struct option_table ls_option_table;

/* argv[0] is "ls". */
int cmd_ls(int argc, char **argv);

#endif
