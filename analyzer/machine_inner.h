/* Between the files of the machine's look. */
#ifndef SHMGUARD_MACHINE_INNER_H
#define SHMGUARD_MACHINE_INNER_H

#include <sys/stat.h>

#include "analyzer/machine.h"

/* What identifies an object: the ids of System V segments would meet the inodes of memfds. */
struct machine_key {
	uint64_t device, inode;
};

/* One object, made when nobody has met it. */
struct machine_object *machine_meet(struct machine *machine, struct machine_key key, struct machine_fs *fs);
void machine_take_status(struct machine_object *object, const struct statx *status);
/* The process's part in the object; made when it has none yet. Only for the process that is being looked at. */
struct machine_holder *machine_hold(struct machine_object *object, struct machine_process *process);

/* machine_mounts.c */
/* All file systems of a mount namespace: ours if pid is 0. process: its directory in /proc, or AT_FDCWD for ours. */
void machine_mounts(struct machine *machine, int process, pid_t pid);
/* The kernel's own file systems, on which memfds, anonymous shared mappings and System V segments lie. */
void machine_own_mounts(struct machine *machine);
struct machine_fs *machine_fs_of(const struct machine *machine, dev_t device);
struct machine_fs *machine_fs_add(struct machine *machine, const struct machine_fs *fs);

/* machine_process.c */
void machine_processes(struct machine *machine);

/* machine_names.c: what has a name, after who holds what is known; System V segments. */
void machine_names(struct machine *machine);
void machine_sysv(struct machine *machine);
/* Of what is no memfd, by its name on the file system. */
enum machine_kind machine_kind_of(const struct machine_fs *fs, const char *name);

/* machine_state.c: state, findings, incomplete, kept, swapped. */
void machine_judge(struct machine *machine, int64_t recent);

/* machine_measure.c */
void machine_look_for_swap(struct machine *machine);

#endif
