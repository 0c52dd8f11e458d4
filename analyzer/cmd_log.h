/* `shmguard log`: the calls themselves. */
#ifndef SHMGUARD_CMD_LOG_H
#define SHMGUARD_CMD_LOG_H

#include "analyzer/options.h"

extern const struct option_table log_option_table;

/*
 * argv[0] is "log". Returns 0; 2 for wrong usage; 3 if the recording could not be read or the output not written; 130 if
 * Ctrl-C ended the reading.
 */
int cmd_log(int argc, char **argv);

#endif
