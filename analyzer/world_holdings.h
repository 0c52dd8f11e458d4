/* What a process holds: mappings, descriptors, and per stack how many it made and kept. */
#ifndef SHMGUARD_WORLD_HOLDINGS_H
#define SHMGUARD_WORLD_HOLDINGS_H

#include "map.h"
#include "series.h"
#include "world.h"

enum tally_of {
	TALLY_mapping,    /* mmap .. munmap */
	TALLY_descriptor, /* open, memfd_create, dup, recvmsg .. close */
	TALLY_object,     /* created .. its name removed */
	TALLY_KINDS
};

/* Of what a tally's objects were given up, those that the watcher sees alike. */
struct share {
	uint64_t part; /* as the watcher says */
	uint64_t count;
	struct object *object; /* of the latest */
	bool several;          /* others were of other objects */
};

/* Acquisitions of one kind at one stack by one process, without what it inherited. */
struct tally {
	enum tally_of of;
	uint32_t stack_id;
	uint64_t made, outstanding;
	uint64_t doubted;    /* of those that were made, and are no more counted as outstanding: see holdings_doubt() */
	uint64_t bytes;      /* outstanding; mappings only */
	int64_t first, last; /* acquisition */
	struct series series;
	struct share *shares; /* of descriptors none */
	size_t share_count;
	/* For churn: what passes from giving one up to having the next, where that is no pause of the program. */
	int64_t released_at; /* 0: another was acquired since */
	uint64_t gaps;
	int64_t gaps_time;
	/* The most acquisitions that were released within any one second counted from its first. */
	int64_t second_began;
	uint64_t second_count, busiest;
};

/* One mmap, until its last piece is gone. */
struct acquisition {
	unsigned references;
	unsigned pieces;
	struct object *object;
	struct tally *tally; /* NULL: inherited, or a semaphore */
	struct site site;
	uint64_t base;   /* address - offset in the object, modulo 2^64 */
	uint64_t length; /* bytes, whole pages */
	uint64_t size;   /* of the object, when it was made or got that length */
	uint64_t bytes;  /* still mapped */
	uint32_t seq;    /* 0: inherited */
	unsigned opens;  /* of a semaphore */
	bool semaphore;
	bool doubted; /* calls were let go since it was made, of which one may have ended it */
	bool shared;
	bool writable;   /* shared, and with PROT_WRITE at some time */
	struct site cut; /* the first munmap that left a rest; process NULL: none */
	struct acquisition *twin;
};

struct piece {
	uint64_t start, end;
	struct acquisition *from;
	bool dontfork;      /* a child by fork does not get it */
	uint32_t turned[2]; /* sequence numbers of the latest calls that changed that, latest first; 0: none */
};

struct descriptor {
	int fd;
	struct object *object;
	struct tally *tally; /* NULL: inherited, or it turned up unseen */
	struct site site;
	uint32_t seq;
	bool kept_by_exec; /* known to lack FD_CLOEXEC */
};

/* A process's dealings with one object. */
struct use {
	struct object *object;
	uint64_t mappings, descriptors;
	bool ever_mapped;
	uint64_t writable;     /* of the mappings */
	struct site inherited; /* who had made a writable mapping that this process got by fork; process NULL: none */
	uint64_t latest;       /* length of its own latest mapping, in whole pages; 0: none */
	bool views;            /* its own mappings differ in length or begin inside the object: it takes parts of it */
	uint64_t longest;      /* the longest mapping of its own that began at offset 0, in whole pages; 0: none */
	uint64_t longest_size; /* the object's size when that was made */
	struct site longest_site;
	/* For world_reach.c only. */
	uint64_t reach;        /* where in the object the highest of its mappings ends */
	size_t reaching;       /* pieces that end there; 0: not known */
	unsigned reach_merged; /* of the object, as it was looked up */
};

/* A release, kept for a while: it may be taken back, or a child may have been forked before it. */
enum release_of { RELEASE_piece, RELEASE_moved, RELEASE_descriptor, RELEASE_name, RELEASE_semaphore, RELEASE_size };

struct release {
	enum release_of of;
	uint32_t seq;
	struct piece piece;  /* piece, moved, semaphore */
	uint64_t moved_from; /* moved: where the old range begins, */
	uint64_t old_length, new_length;
	uint32_t flags, stack_id;     /* moved */
	struct descriptor descriptor; /* size: of which only the object */
	struct name_change *name;     /* owned */
};

#define RELEASES_MAX 1024
#define MOVING_MAX 64

struct holdings {
	struct piece *pieces; /* by address, highest first: mmap goes downwards, so new ones come last */
	size_t piece_count;
	uint64_t mapped; /* bytes of the pieces, inherited ones too, but not those of semaphores, and none in doubt */
	struct map descriptors;   /* (fd) -> struct descriptor */
	struct map uses;          /* (object) -> struct use */
	struct map tallies;       /* (of, stack id) -> struct tally */
	struct release *releases; /* a ring of the latest */
	size_t release_first, release_count, release_room;
	uint32_t forgotten; /* the highest sequence number that left the ring */
};

void holdings_map(struct process *process, struct object *object, uint64_t start, uint64_t length, uint64_t offset,
		  uint64_t size, uint32_t seq, const struct site *site);
void holdings_unmap(struct process *process, uint64_t start, uint64_t length, uint32_t seq, const struct site *site);
/* The mapping at `start` is shared; those in a range may be written from now on. */
void holdings_share(struct process *process, uint64_t start, bool writable, const struct site *site);
void holdings_writable(struct process *process, uint64_t start, uint64_t length, const struct site *site);
/* Both could write the object at one time. */
void writers_meet(struct object *object, const struct site *first, const struct site *second);
void holdings_move(struct process *process, const struct mremap_event *event, int64_t time);
/* The object whose mapping it was, or NULL. */
struct object *holdings_moved(struct process *process, const struct mremapped_event *event, int64_t time);
void holdings_semaphore(struct process *process, struct object *object, uint64_t address, uint32_t seq,
			const struct site *site);
void holdings_semaphore_close(struct process *process, uint64_t address, uint32_t seq, const struct site *site);

/* `own` without a tally is a descriptor that turned up at a call that did not make it. */
void holdings_open(struct process *process, struct object *object, int fd, bool own, bool kept_by_exec, uint32_t seq,
		   const struct site *site);
void holdings_close(struct process *process, int fd, uint32_t seq, const struct site *site);
const struct descriptor *holdings_descriptor(const struct process *process, int fd);

/* Calls were let go up to then: what was held before may have been given up, and stands for no more than that it was made. */
void holdings_doubt(struct process *process, int64_t until);

/* Takes over `change`. */
void holdings_log_name(struct process *process, uint32_t seq, struct name_change change);
/* Is it known that the event with that number took a name from an object? */
bool holdings_took_name(const struct process *process, uint32_t seq);
/* Takes back the release `of`; a name's change is returned, to be freed, else NULL. */
struct name_change *holdings_failed(struct process *process, uint32_t of, int64_t time);

/* This stack made an object; one that it made has lost its name. */
void holdings_object_made(struct process *process, const struct site *site);
void holdings_object_gone(struct process *process, struct object *object, uint32_t stack_id, int64_t time);

/* Whether a child by fork is to get what is mapped in the range. */
void holdings_dontfork(struct process *process, uint64_t start, uint64_t length, bool dontfork, uint32_t seq);
/* Of what its parent held or had given up, that which was held after the parent's event number `seq`. */
void holdings_inherit(struct process *child, const struct holdings *parent, uint32_t seq);
/* After an exec of which nothing else tells: the descriptors known to survive it. */
void holdings_keep_over_exec(struct process *image, const struct process *before);
/* The image began with it. */
void holdings_found(struct process *image, struct object *object, int fd, const struct site *site);
/* It holds nothing any more, of which the watcher hears: what it held is returned, to be freed. */
struct holdings *holdings_leave(struct world *world, struct process *process);
void holdings_free(struct holdings *holdings);

/* What its event with that number gave up, of a piece; NULL: nothing, or that is forgotten. */
struct object *holdings_given_up(const struct process *process, uint32_t seq);

/* The mapping at an address, or NULL. */
const struct piece *holdings_piece(const struct process *process, uint64_t address);
/* The semaphore that sem_open(3) answered the address for, or NULL. */
struct object *holdings_semaphore_at(const struct process *process, uint64_t address);
/* Where in the object its highest mapping in that process ends, bytes; 0: none. */
uint64_t holdings_end(const struct process *process, const struct object *object);
/* Who made its mapping of the object's last byte before `end`: of several that which ends nearest, of those the first. */
struct site holdings_mapped(const struct process *process, const struct object *object, uint64_t end);

bool holdings_maps(const struct process *process, const struct object *object);
struct use *holdings_use(const struct process *process, const struct object *object);

#endif
