/* `shmguard profile`: what recorded programs need in /dev/shm, in the language of a security module. */
#ifndef SHMGUARD_CMD_PROFILE_H
#define SHMGUARD_CMD_PROFILE_H

#include "analyzer/options.h"

extern const struct option_table profile_option_table;

/* argv[0] is "profile". Returns 0; 2 for wrong usage; 3 if a recording could not be read or the output not written. */
int cmd_profile(int argc, char **argv);

#endif
