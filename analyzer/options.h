/*
 * The options of a subcommand as a table, from which come its parser, its help, its part of the manual page and what bash
 * completes.
 */
#ifndef SHMGUARD_OPTIONS_H
#define SHMGUARD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct option_row {
	const char *name;
	int value;            /* what options_next() returns; a printable character is the short option as well */
	const char *argument; /* how the help calls it; NULL: it takes none */
	const char *help;     /* a line of up to 53 columns; behind a newline, sentences for the manual page alone */
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

/* The same where the first operand is a command, whose options are its own. */
int options_next_before_command(const struct option_table *table, int argc, char **argv);

/* A number of digits alone, up to `most`, which is at most INT64_MAX; false: the text is none. */
bool options_number(const char *text, uint64_t most, uint64_t *number);

/* As --help prints it: it fits a screen of 80 columns and 24 lines. */
void options_help(const struct option_table *table, FILE *out);

/*
 * Prints `text` from `column` on, up to its end or a newline, broken at blanks for a screen of 80 columns; the lines that
 * follow begin at `indent`.
 */
void options_fill(const char *text, int column, int indent, FILE *out);

/* Tells stderr what was given, in the place of the one %s of `format`, harmless on a terminal. */
void options_tell(const char *format, const char *given);

/* Tells stderr where help is; returns `status`. */
int options_usage(const struct option_table *table, int status);

/* As a section of the manual page. */
void options_manual(const struct option_table *table, FILE *out);

#endif
