/* Text for people: the width it may have, colour where it helps, and nothing in it that a terminal would obey. */
#ifndef SHMGUARD_TERMINAL_H
#define SHMGUARD_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum ink { INK_plain, INK_strong, INK_faint, INK_error, INK_warning, INK_note, INK_good };

struct terminal {
	FILE *out;
	int width; /* columns */
	int rows;  /* 0: not a terminal, it has no end */
	bool colour;
};

/* Width: COLUMNS, else the terminal's, else 100. Colour: on a terminal that is not dumb, unless NO_COLOR is set. */
struct terminal terminal_on(FILE *out);

/* All texts below are what escape_terminal() returned, or our own. */

int terminal_columns(const char *text);
void terminal_put(const struct terminal *terminal, enum ink ink, const char *text);
/* At most `columns` of the text, its end (or, if `keep_end`, its beginning) replaced by "..."; to be freed. */
char *terminal_cut(const char *text, int columns, bool keep_end);
/* One cell of a table: the text cut or filled up to `columns`, and two blanks. */
void terminal_cell(const struct terminal *terminal, enum ink ink, const char *text, int columns);
/* Broken into lines at blanks; the cursor stands in column `at` now, later lines begin in column `indent`. */
void terminal_paragraph(const struct terminal *terminal, enum ink ink, const char *text, int at, int indent);

#endif
