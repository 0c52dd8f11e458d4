#include "analyzer/terminal.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "analyzer/memory.h"

enum { WIDTH_DEFAULT = 100, WIDTH_LEAST = 40, WIDTH_MOST = 200 };

static const char *const ink_codes[] = {
	[INK_plain] = "",           [INK_strong] = "\033[1m",     [INK_faint] = "\033[2m",
	[INK_error] = "\033[1;31m", [INK_warning] = "\033[1;33m", [INK_note] = "\033[1;36m",
	[INK_good] = "\033[1;32m",
};

static int terminal_width(int columns)
{
	const char *wanted = getenv("COLUMNS");
	int width = wanted ? atoi(wanted) : 0;

	if (width <= 0)
		width = columns;
	if (width <= 0)
		return WIDTH_DEFAULT;
	return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
}

struct terminal terminal_on(FILE *out)
{
	const char *plain = getenv("NO_COLOR"), *kind = getenv("TERM");
	struct winsize size = {0};
	bool is_terminal = isatty(fileno(out));

	if (is_terminal && ioctl(fileno(out), TIOCGWINSZ, &size))
		size = (struct winsize){0};
	return (struct terminal){
		.out = out,
		.width = terminal_width(size.ws_col),
		.rows = size.ws_row,
		.colour = is_terminal && !(plain && *plain) && kind && *kind && strcmp(kind, "dumb") != 0,
	};
}

/* Takes one character of valid UTF-8. */
static wchar_t terminal_character(const char **text)
{
	const unsigned char *from = (const unsigned char *)*text;
	int more = *from < 0x80 ? 0 : *from < 0xe0 ? 1 : *from < 0xf0 ? 2 : 3;
	uint32_t character = more ? *from & (0x3fu >> more) : *from;

	for (from++; more && *from; more--)
		character = character << 6 | (*from++ & 0x3f);
	*text = (const char *)from;
	return (wchar_t)character;
}

static int terminal_character_columns(wchar_t c)
{
	int columns = wcwidth(c);

	return columns < 0 ? 1 : columns;
}

int terminal_columns(const char *text)
{
	int columns = 0;

	while (*text)
		columns += terminal_character_columns(terminal_character(&text));
	return columns;
}

static void terminal_begin(const struct terminal *terminal, enum ink ink)
{
	if (terminal->colour)
		fputs(ink_codes[ink], terminal->out);
}

static void terminal_end(const struct terminal *terminal, enum ink ink)
{
	if (terminal->colour && ink != INK_plain)
		fputs("\033[0m", terminal->out);
}

void terminal_put(const struct terminal *terminal, enum ink ink, const char *text)
{
	terminal_begin(terminal, ink);
	fputs(text, terminal->out);
	terminal_end(terminal, ink);
}

char *terminal_cut(const char *text, int columns, bool keep_end)
{
	int all = terminal_columns(text), taken = 0;
	const char *at = text, *next = text;

	if (all <= columns)
		return memory_text(text);
	if (columns <= 3)
		return memory_text("...");
	if (keep_end) {
		while (*at && all - taken > columns - 3)
			taken += terminal_character_columns(terminal_character(&at));
		return memory_format("...%s", at);
	}
	while (*at && (taken += terminal_character_columns(terminal_character(&next))) <= columns - 3)
		at = next;
	return memory_format("%.*s...", (int)(at - text), text);
}

void terminal_cell(const struct terminal *terminal, enum ink ink, const char *text, int columns)
{
	char *cut = terminal_cut(text, columns, false);

	terminal_put(terminal, ink, cut);
	fprintf(terminal->out, "%*s", columns - terminal_columns(cut) + 2, "");
	free(cut);
}

void terminal_paragraph(const struct terminal *terminal, enum ink ink, const char *text, int at, int indent)
{
	bool first = true;

	terminal_begin(terminal, ink);
	while (*text) {
		/* A name may have several in a row, which are of it. */
		int blanks = (int)strspn(text, " ");
		size_t length = strcspn(text + blanks, " ");
		char *word = memory_format("%.*s", (int)length, text + blanks);
		int columns = terminal_columns(word);

		if (!first && at + blanks + columns > terminal->width) {
			terminal_end(terminal, ink);
			fprintf(terminal->out, "\n%*s", indent, "");
			terminal_begin(terminal, ink);
			at = indent;
		} else {
			fprintf(terminal->out, "%*s", blanks, "");
			at += blanks;
		}
		fputs(word, terminal->out);
		at += columns;
		first = false;
		free(word);
		text += (size_t)blanks + length;
	}
	terminal_end(terminal, ink);
	fputc('\n', terminal->out);
}
