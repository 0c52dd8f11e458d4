/* The dynamic loader as a command (ld.so(8)): the program is a word of it. */
#ifndef SHMGUARD_LOADER_H
#define SHMGUARD_LOADER_H

#include <stdbool.h>

struct image;

/* Is it the loader of a GNU C library, whichever? Asks for its soname. */
bool loader_is(const struct image *image);

/*
 * Of the words that follow it, the program's; NULL: it will run none. *only: the option for which it runs none; NULL: that is
 * its own to refuse.
 */
const char *loader_program(char *const *words, const char **only);

#endif
