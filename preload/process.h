/* What the trace says of a process when it signs in. */
#ifndef SHMGUARD_PROCESS_H
#define SHMGUARD_PROCESS_H

#include <stddef.h>

#include "tracepoints/events.h"

/* Keeps executable and command line, as they were at start. */
void process_initialise(int argc, char **argv);

const char *process_exe(void);
/* The same, but of a program that the loader was told to run its own file. */
const char *process_program(void);
/*
 * The path behind such a link (/proc/PID/exe), without what the kernel adds to it once the file was removed or replaced: to a
 * policy's sections the program is the same. NUL-terminated, within `size`; answers as readlink(2).
 */
long process_exe_of(const char *link, char *path, size_t size);
/* The command line, escaped as in FIELDS_process, cut to 3 KiB. */
const char *process_argv(void);

/* Fills in identity, namespaces, exe and argv, as they are now. */
void process_describe(struct process_event *e);

/* This is now a forked child of that process. */
void process_forked(int32_t parent);

/* How this process began, and its parent then. */
enum began process_began(void);
int32_t process_parent(void);

#endif
