/* Bytes that came from a traced program, made fit for where they are printed. */
#ifndef SHMGUARD_ESCAPE_H
#define SHMGUARD_ESCAPE_H

#include <stdbool.h>

/*
 * The same text as valid UTF-8: a byte that is not part of any becomes \xNN, and backslashes are two each before such a
 * byte and before what looks like one, so that no two texts become one. To be freed by the caller.
 */
char *escape_utf8(const char *bytes);

/* What escape_utf8() was given. To be freed by the caller. */
char *escape_undo(const char *text);

/*
 * Whether a pattern of fnmatch(3) matches the text, as its bytes are or as escape_terminal() or escape_utf8() shows them:
 * \n, \t, \xNN and \u{NNNN} stand for the character as well.
 */
bool escape_matches(const char *pattern, const char *bytes);

/*
 * Harmless on one line of a terminal as well: control characters become \n, \t, \xNN, and those that reorder or hide
 * text \u{NNNN}; a backslash is two, so that no text looks like another one. To be freed by the caller.
 */
char *escape_terminal(const char *bytes);

/* The same for what has its own backslashes: a pattern, or a command line as a process event has it. */
char *escape_command(const char *argv);

/* As escape_terminal(), fit for text and attributes of XML. To be freed by the caller. */
char *escape_xml(const char *bytes);

/* As escape_terminal(), a quoted field of RFC 4180 that no spreadsheet takes for a formula. To be freed. */
char *escape_csv(const char *bytes);

#endif
