/* An event being taken, for the files of world_take(). */
#ifndef SHMGUARD_WORLD_TAKE_INNER_H
#define SHMGUARD_WORLD_TAKE_INNER_H

#include "world_inner.h"

/* The process, where, and the object it concerns. */
struct taking {
	struct world *world;
	struct process *process;
	struct site site;
	struct object *object;
};

/* A policy had the pages from there on freed, and the size kept. */
void take_kept(struct taking *t, uint64_t offset, uint64_t size, uint32_t seq);

/* world_take_names.c */
/* A call reached the object by this descriptor, or, -1, by none: it is open, whoever made it. */
void take_used(struct taking *t, int fd, uint32_t seq);
void take_shm_open(struct taking *t, const struct shm_open_event *e);
void take_open(struct taking *t, const struct open_event *e);
void take_memfd_create(struct taking *t, const struct memfd_create_event *e);
void take_sem_open(struct taking *t, const struct sem_open_event *e);
void take_sem_close(struct taking *t, const struct sem_close_event *e);
void take_unlink(struct taking *t, const struct unlink_event *e);
/* What the finding tells of a removal of t->object whose own event is missing, as it was let go or lost. */
void take_unlink_told(struct taking *t, const struct finding_event *e);
void take_rename(struct taking *t, const struct rename_event *e);
void take_link(struct taking *t, const struct link_event *e);
void take_close(struct taking *t, const struct close_event *e);
void take_dup(struct taking *t, const struct dup_event *e);
void take_seal(struct taking *t, const struct seal_event *e);
void take_sendmsg(struct taking *t, const struct sendmsg_event *e);
void take_recvmsg(struct taking *t, const struct recvmsg_event *e);

#endif
