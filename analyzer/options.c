#include "analyzer/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"

/* More than any table has, --help and the end included. */
enum { ROWS_MAX = 32, HELP_COLUMN = 26, HELP_WIDTH = 118 };

static void options_row(const struct option_row *row, FILE *out)
{
	char *option =
		memory_format("--%s%s%s", row->name, row->argument ? "=" : "", row->argument ? row->argument : "");
	const char *text = row->help;
	int column = fprintf(out, "  %s", option);

	free(option);
	fprintf(out, "%*s", column < HELP_COLUMN - 1 ? HELP_COLUMN - column : 1, "");
	column = column < HELP_COLUMN - 1 ? HELP_COLUMN : column + 1;
	while (*text) {
		int length = (int)strcspn(text, " ");

		if (column + length > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		}
		column += fprintf(out, "%.*s", length, text);
		text += length;
		if (*text == ' ') {
			column += fprintf(out, " ");
			text++;
		}
	}
	fputc('\n', out);
}

static void options_help(const struct option_table *table, FILE *out)
{
	const struct option_row *row;

	fprintf(out, "Usage: shmguard %s [OPTION...] %s\n%s\n\n", table->verb, table->operands, table->summary);
	for (row = table->rows; row->name; row++)
		options_row(row, out);
	options_row(&(struct option_row){"help", 0, NULL, "print this"}, out);
	fprintf(out, "\n%s\n", table->after);
}

int options_usage(const struct option_table *table, int status)
{
	fprintf(stderr, "shmguard: try `shmguard %s --help`\n", table->verb);
	return status;
}

int options_next(const struct option_table *table, int argc, char **argv)
{
	struct option longs[ROWS_MAX] = {0};
	char shorts[2 * ROWS_MAX + 2] = "h", *to = shorts + 1;
	size_t count;
	int value;

	for (count = 0; table->rows[count].name && count < ROWS_MAX - 2; count++) {
		const struct option_row *row = &table->rows[count];

		longs[count] =
			(struct option){row->name, row->argument ? required_argument : no_argument, NULL, row->value};
		if (isprint(row->value)) {
			*to++ = (char)row->value;
			if (row->argument)
				*to++ = ':';
		}
	}
	*to = '\0';
	longs[count] = (struct option){"help", no_argument, NULL, 'h'};
	value = getopt_long(argc, argv, shorts, longs, NULL);
	if (value == 'h') {
		options_help(table, stdout);
		return OPTIONS_HELP;
	}
	if (value == '?') {
		options_usage(table, 0);
		return OPTIONS_BAD;
	}
	return value;
}

static void options_roff(const char *text, FILE *out)
{
	for (; *text; text++)
		fprintf(out, *text == '-' || *text == '\\' ? "\\%c" : "%c", *text);
}

void options_manual(const struct option_table *table, FILE *out)
{
	const struct option_row *row;
	const char *at;

	fputs(".SH OPTIONS OF ", out);
	for (at = table->verb; *at; at++)
		fputc(toupper((unsigned char)*at), out);
	fputc('\n', out);
	options_roff(table->summary, out);
	fputc('\n', out);
	for (row = table->rows; row->name; row++) {
		fputs(".TP\n.B ", out);
		options_roff("--", out);
		options_roff(row->name, out);
		if (row->argument) {
			fputs("\\fR=\\fI", out);
			options_roff(row->argument, out);
		}
		fputs("\\fR\n", out);
		options_roff(row->help, out);
		fputs(".\n", out);
	}
}
