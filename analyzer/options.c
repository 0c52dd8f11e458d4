#include "analyzer/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"

/* More than any table has, --help and the end included. */
enum { ROWS_MAX = 32, HELP_COLUMN = 26, HELP_WIDTH = 80 };

bool options_number(const char *text, uint64_t most, uint64_t *number)
{
	uint64_t sum = 0;
	size_t i;

	/* strtoul() takes blanks and signs, too. */
	for (i = 0; isdigit((unsigned char)text[i]) && sum <= most; i++)
		sum = sum > INT64_MAX / 10 ? UINT64_MAX : 10 * sum + (uint64_t)(text[i] - '0');
	*number = sum;
	return i && !text[i] && sum <= most;
}

void options_fill(const char *text, int column, int indent, FILE *out)
{
	const char *word, *end;

	for (word = text; *word && *word != '\n'; word = end + (*end == ' ')) {
		end = word + strcspn(word, " \n");
		if (word > text && column + 1 + (end - word) > HELP_WIDTH)
			column = fprintf(out, "\n%*s", indent, "") - 1;
		else if (word > text)
			column += fprintf(out, " ");
		column += fprintf(out, "%.*s", (int)(end - word), word);
	}
	fputc('\n', out);
}

static void options_row(const struct option_row *row, FILE *out)
{
	int column = isprint(row->value) ? fprintf(out, "  -%c, ", row->value) : fprintf(out, "  ");

	column += fprintf(out, "--%s%s%s", row->name, row->argument ? "=" : "", row->argument ? row->argument : "");
	fprintf(out, "%*s", column < HELP_COLUMN - 1 ? HELP_COLUMN - column : 1, "");
	options_fill(row->help, column < HELP_COLUMN - 1 ? HELP_COLUMN : column + 1, HELP_COLUMN, out);
}

/* Each line of the text from the left. */
static void options_prose(const char *text, FILE *out)
{
	for (; text; text = *text ? text + 1 : NULL) {
		options_fill(text, 0, 0, out);
		text += strcspn(text, "\n");
	}
}

void options_help(const struct option_table *table, FILE *out)
{
	const struct option_row *row;

	fprintf(out, "Usage: shmguard %s [OPTION...]%s%s\n", table->verb, *table->operands ? " " : "", table->operands);
	options_prose(table->summary, out);
	fputc('\n', out);
	for (row = table->rows; row->name; row++)
		options_row(row, out);
	options_row(&(struct option_row){"help", 'h', NULL, "print this"}, out);
	fputc('\n', out);
	options_prose(table->after, out);
}

void options_tell(const char *format, const char *given)
{
	char *safe = escape_terminal(given);

	fprintf(stderr, format, safe);
	free(safe);
}

int options_usage(const struct option_table *table, int status)
{
	fprintf(stderr, "shmguard: try `shmguard %s --help`\n", table->verb);
	return status;
}

/* What getopt_long(3) found wrong, in one line. */
static int options_bad(const struct option_table *table, int value, char **argv)
{
	const char *given = argv[optind - 1];
	bool whole = !strncmp(given, "--", 2);
	char letter[] = {'-', (char)optopt, '\0'};

	options_tell(value == ':'      ? "shmguard: an argument is missing behind '%s'"
		     : whole && optopt ? "shmguard: no argument belongs to '%s'"
				       : "shmguard: there is no option '%s'",
		     whole ? given : letter);
	fprintf(stderr, "; see `shmguard %s --help`\n", table->verb);
	return OPTIONS_BAD;
}

static int options_take(const struct option_table *table, bool command, int argc, char **argv)
{
	struct option longs[ROWS_MAX] = {0};
	char shorts[2 * ROWS_MAX + 4] = "", *to = shorts;
	size_t count;
	int value;

	if (command)
		*to++ = '+';
	*to++ = ':';
	*to++ = 'h';
	for (count = 0; count < ROWS_MAX - 2 && table->rows[count].name; count++) {
		const struct option_row *row = &table->rows[count];

		longs[count] =
			(struct option){row->name, row->argument ? required_argument : no_argument, NULL, row->value};
		if (isprint(row->value)) {
			*to++ = (char)row->value;
			if (row->argument)
				*to++ = ':';
		}
	}
	longs[count] = (struct option){"help", no_argument, NULL, 'h'};
	opterr = 0;
	optopt = 0;
	value = getopt_long(argc, argv, shorts, longs, NULL);
	if (value == 'h') {
		options_help(table, stdout);
		return OPTIONS_HELP;
	}
	return value == '?' || value == ':' ? options_bad(table, value, argv) : value;
}

int options_next(const struct option_table *table, int argc, char **argv)
{
	return options_take(table, false, argc, argv);
}

int options_next_before_command(const struct option_table *table, int argc, char **argv)
{
	return options_take(table, true, argc, argv);
}

static void options_roff(const char *text, FILE *out)
{
	for (; *text && *text != '\n'; text++)
		fprintf(out, *text == '-' || *text == '\\' ? "\\%c" : "%c", *text);
}

void options_manual(const struct option_table *table, FILE *out)
{
	const struct option_row *row;
	const char *at, *more;

	fputs(".SH OPTIONS OF ", out);
	for (at = table->verb; *at; at++)
		fputc(toupper((unsigned char)*at), out);
	fputc('\n', out);
	options_roff(table->summary, out);
	fputc('\n', out);
	for (row = table->rows; row->name; row++) {
		fputs(".TP\n.B ", out);
		if (isprint(row->value))
			fprintf(out, "\\-%c\\fR, \\fB", row->value);
		options_roff("--", out);
		options_roff(row->name, out);
		if (row->argument) {
			fputs("\\fR=\\fI", out);
			options_roff(row->argument, out);
		}
		fputs("\\fR\n", out);
		options_roff(row->help, out);
		fputs(".\n", out);
		more = strchr(row->help, '\n');
		if (more) {
			options_roff(more + 1, out);
			fputc('\n', out);
		}
	}
}
