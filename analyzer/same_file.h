/* Whether what is written by two ways would go into one file. */
#ifndef SHMGUARD_SAME_FILE_H
#define SHMGUARD_SAME_FILE_H

#include <stdbool.h>

/* By whatever path, links included, whether it is there yet or not. NULL: standard output. /dev/null takes any number. */
bool same_file(const char *one, const char *other);

#endif
