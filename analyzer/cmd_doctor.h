/* `shmguard doctor`: is this machine fit for shared memory, can a program be guarded here. */
#ifndef SHMGUARD_CMD_DOCTOR_H
#define SHMGUARD_CMD_DOCTOR_H

#include "analyzer/options.h"

extern const struct option_table doctor_option_table;

/* argv[0] is "doctor". */
int cmd_doctor(int argc, char **argv);

#endif
