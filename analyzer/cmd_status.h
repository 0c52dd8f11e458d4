/* `shmguard status`: ld.so carries on without a word when it cannot preload, so whether it did is seen from outside. */
#ifndef SHMGUARD_CMD_STATUS_H
#define SHMGUARD_CMD_STATUS_H

/* argv[0] is "status". Exit status: 0 guarded, 1 not, 2 wrong usage, 3 it cannot be told. */
int cmd_status(int argc, char **argv);

#endif
