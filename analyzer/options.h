/* The options of a subcommand as a table, from which come its parser, its help, its part of the manual page. */
#ifndef SHMGUARD_OPTIONS_H
#define SHMGUARD_OPTIONS_H

#include <stdio.h>

struct option_row {
	const char *name;
	int value;            /* what options_next() returns; a printable character is the short option as well */
	const char *argument; /* how the help calls it; NULL: it takes none */
	const char *help;
};

struct option_table {
	const char *verb, *operands, *summary;
	const struct option_row *rows; /* ends with a row whose name is NULL */
	const char *after;             /* what the help says behind the options */
};

enum { OPTIONS_END = -1, OPTIONS_BAD = -2, OPTIONS_HELP = -3 };

/*
 * The value of the next row given, its argument in optarg; OPTIONS_END: optind is the first operand. OPTIONS_BAD: wrong
 * usage, and stderr was told. OPTIONS_HELP: --help, which was printed. Set optind to 0 before the first call.
 */
int options_next(const struct option_table *table, int argc, char **argv);

/* Tells stderr where help is; returns `status`. */
int options_usage(const struct option_table *table, int status);

/* As a section of the manual page. */
void options_manual(const struct option_table *table, FILE *out);

#endif
