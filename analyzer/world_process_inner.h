/* What world_process.c and world_lines.c share. */
#ifndef SHMGUARD_WORLD_PROCESS_INNER_H
#define SHMGUARD_WORLD_PROCESS_INNER_H

#include "world_inner.h"

/* By so much the clocks of the trace and of the lines may disagree after their conversion to the time of day. */
#define CLOCK_SLACK 2000000

/* With a recording.json all is of one recording on one machine, whatever the trace calls it. */
const char *process_host(struct world *world, uint32_t id, const char *host);
/* Who has the pid now, or had it last; NULL: nobody had. */
struct process *process_current(const struct world *world, const char *host, uint32_t recording, pid_t pid);
/* The next one that has the pid of `process`, or NULL: another image of it, or another process. */
struct process *process_successor(struct world *world, struct process *process, const char *host, uint32_t recording,
				  pid_t pid, bool exec, int64_t time);
struct process *process_parent(struct world *world, const struct process *process, uint32_t recording, pid_t ppid);
/* If none of its own recording is its parent: one of another may be. */
void process_look_elsewhere(struct world *world, struct process *process);
/* It begins with what the parent, or NULL, held after its event of that number. */
void process_inherit(struct process *process, struct process *parent, uint32_t parent_seq);

#endif
