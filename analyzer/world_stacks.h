/* What a process's events refer to: stacks, modules and objects, as it or its forefathers defined them. */
#ifndef SHMGUARD_WORLD_STACKS_H
#define SHMGUARD_WORLD_STACKS_H

#include "map.h"
#include "world.h"

struct stack_entry {
	uint32_t seq;
	int64_t time;
	struct frames frames;      /* addresses, owned */
	const struct stack *stack; /* resolved, or NULL */
};

/* A module at a place from a time on; until 0: to the end. */
struct placement {
	const struct module *module;
	uint64_t base, end;
	uint32_t seq;
	int64_t from, until;
};

struct object_entry {
	uint32_t seq; /* of the definition; 0: only mentioned so far */
	struct object *object;
};

struct definitions {
	struct map stacks;  /* (id) -> struct stack_entry */
	struct map objects; /* (id) -> struct object_entry */
	struct placement *placements;
	size_t placement_count;
	struct known_stack {
		uint32_t id, seq;
		const struct stack *stack;
	} * known; /* all of them, by id, once the process is retired; the rest is empty then */
	size_t known_count;
};

void stacks_define(struct process *process, const struct stack_definition_event *event, int64_t time);
void stacks_module(struct world *world, struct process *process, const struct module_event *event, int64_t time);
void stacks_module_gone(struct process *process, const struct module_gone_event *event, int64_t time);
/* Nothing more is defined by it: what its stacks are is noted down; after that, all that this took can be dropped. */
void stacks_note(struct world *world, struct process *process);
void stacks_drop(struct process *process);
void stacks_free(struct definitions *definitions);

#endif
