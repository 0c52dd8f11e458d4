/*
 * The room that a recording takes of the process's limits of memory. Limits that the program sets later are the program's
 * own: the kernel is given so much more, and the program does not see it.
 */
#ifndef SHMGUARD_ROOM_H
#define SHMGUARD_ROOM_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* LTTng comes up: what it takes, in bytes. */
void room_taken(rlim_t address_space, rlim_t data);

/* Is more given for this limit of that process? */
bool room_concerns(pid_t pid, int resource);
/* What the kernel is to be given for `asked`. */
struct rlimit room_given(int resource, struct rlimit asked);
/* The kernel took it. */
void room_gave(int resource, struct rlimit asked, struct rlimit given);
/* What the program is to see of a limit that the kernel has. */
struct rlimit room_seen(int resource, struct rlimit limit);

/* Before an exec, after which there is no recording yet; it came back. The hard limit stays: it could not be undone. */
void room_leave(void);
void room_return(void);

#endif
