/* What a subcommand prints, and its end. */
#ifndef SHMGUARD_OUTPUT_H
#define SHMGUARD_OUTPUT_H

#include <stdbool.h>

/* Whether stdout took all so far; remembers why not, so ask right behind what was printed. */
bool output_failed(void);

/*
 * Returns `status` when stdout took all of it. A reader that has gone before the end, as head(1) does, has what it wanted:
 * the process ends of SIGPIPE without a word, so nothing may be left to be put back; what a shell makes of that is returned
 * where it does not end. Another failure is told on stderr, and `failed` is returned.
 */
int output_end(int status, int failed);

#endif
