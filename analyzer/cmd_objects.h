/* `shmguard objects`: the state of the world at a moment. */
#ifndef SHMGUARD_CMD_OBJECTS_H
#define SHMGUARD_CMD_OBJECTS_H

#include "analyzer/options.h"

extern const struct option_table objects_option_table;

/* argv[0] is "objects". Returns 0; 2 for wrong usage; 3 if the recording could not be read or the output not written. */
int cmd_objects(int argc, char **argv);

#endif
