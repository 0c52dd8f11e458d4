/* `shmguard policy`: what a policy says, before a program is held to it. */
#ifndef SHMGUARD_CMD_POLICY_H
#define SHMGUARD_CMD_POLICY_H

#include "analyzer/options.h"

enum { POLICY_GOOD = 0, POLICY_BAD = 2, POLICY_FAILED = 3 };

/* argv[0] is "policy". Exit status: 0; 2 wrong usage or an error in a policy; 3 unreadable recording or lost output. */
int cmd_policy(int argc, char **argv);

/* argv[0] is the verb, which has been parsed; the same exit statuses. */
extern const struct option_table policy_explain_option_table;
int policy_explain(int argc, char **argv);
int policy_learn(int argc, char **argv);
int policy_usage(void);

#endif
