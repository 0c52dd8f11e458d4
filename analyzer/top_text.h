/* The cells of `shmguard top`'s table, for its screen and its --once. All texts are harmless on a terminal, and for free(3). */
#ifndef SHMGUARD_TOP_TEXT_H
#define SHMGUARD_TOP_TEXT_H

#include "analyzer/top.h"

/* The heading, and a line, of at most `width` columns. */
char *top_text_heading(const struct top_settings *settings, int width);
char *top_text_line(const struct top *top, const struct top_line *line, int width);

/* "/dev/shm  [####      ]  12M of 64M (19 %), +1.2M/s, full in 42 s" */
char *top_text_fs(const struct top_fs *fs);

/* "5 objects, 12M; 2 ghosts, 4.0K; 120 processes, 3 not seen" */
char *top_text_summary(const struct top *top);

#endif
