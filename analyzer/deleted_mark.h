/* What the kernel adds to a path in /proc/PID/exe, fd and maps once nothing has that name any more. */
#ifndef SHMGUARD_DELETED_MARK_H
#define SHMGUARD_DELETED_MARK_H

#include <stddef.h>

/* Where it begins in the text, behind the path; without it, or where there is nothing before it, the text's end. */
size_t deleted_mark(const char *text);

#endif
