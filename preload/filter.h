/*
 * What a filter of system calls (seccomp(2)) would do to the calls that a recording makes, found out before the program
 * installs it.
 */
#ifndef SHMGUARD_FILTER_H
#define SHMGUARD_FILTER_H

#include <linux/filter.h>

/* The first call of ours, or of LTTng's, that the filter does not let pass, by name; NULL: it lets all of them pass. */
const char *filter_refuses(const struct sock_fprog *program);
/* The same of what LTTng calls but once, as it comes up in a process. */
const char *filter_refuses_to_come_up(const struct sock_fprog *program);

#endif
