/* `shmguard clean`: removes what nobody uses. */
#ifndef SHMGUARD_CMD_CLEAN_H
#define SHMGUARD_CMD_CLEAN_H

#include "analyzer/options.h"

extern const struct option_table clean_option_table;

/* argv[0] is "clean". */
int cmd_clean(int argc, char **argv);

#endif
