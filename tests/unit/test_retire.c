/* Processes that are over, by the thousand: what they take is let go, what is told of them stays. */
#include <malloc.h>
#include <stdlib.h>

#include "analyzer/judge.h"
#include "analyzer/world_stacks.h"
#include "tests/unit/world_by_hand.h"

#define CHILDREN 6000
#define MANY 32000
#define CODE 0x400000u

static struct findings findings;
static struct court court;
static struct watcher judging;
static struct recording recording;
static int64_t started;

static void begin_judging(void)
{
	begin();
	world_free(world);
	findings = (struct findings){0};
	court = (struct court){.recording = &recording, .findings = &findings, .start = &started};
	court_watch(&court, &judging);
	court.world = world = world_new(&recording, &judging);
}

static void end_judging(void)
{
	world_finish(world);
	court_finish(&court);
}

static void drop_judging(void)
{
	findings_clear(&findings);
	court_free(&court);
	world_free(world);
}

static void load(int pid, uint64_t base, const char *path)
{
	FEED(module, pid, .base = base, .size = 0x10000, .build_id = "b1", .path = path);
}

static void stack(int pid, uint32_t id, uint64_t address)
{
	FEED(stack_definition, pid, .id = id, .frames = {1, &address});
}

/* It maps so many pages of an object and leaves them mapped. */
static void child(int pid, enum began began, int parent, uint32_t forked, uint64_t pages)
{
	start(pid, began, parent, forked);
	load(pid, CODE, "/bin/p");
	stack(pid, 1, CODE + 0x100);
	define(pid, 1, (uint64_t)pid);
	open_object(pid, "/x", 1, 3, true);
	map_at(pid, 1, BASE, pages * PAGE);
	FEED(close, pid, .fd = 3, .object = 1);
	FEED(unlink, pid, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	FEED(exit, pid, .status = 0);
	FEED(wait, 10, .child = pid, .status = 0);
}

static const struct process *image(size_t nth)
{
	return world->processes[nth];
}

static void check_children(void)
{
	size_t half = 0, whole;
	const struct definitions *own;

	begin_judging();
	start(10, BEGAN_exec, 1, 0);
	load(10, CODE, "/bin/p");
	/* The first thousands are kept. */
	for (int i = 0; i < MANY; i++) {
		if (i == MANY / 2)
			half = mallinfo2().uordblks;
		child(20 + i % 900, BEGAN_exec, 10, 0, 1);
	}
	whole = mallinfo2().uordblks;
	own = image(1)->definitions;
	check(image(1)->retired && own->stacks.count == 0 && own->objects.count == 0 && own->placement_count == 0,
	      "who is over for long keeps no definitions");
	check(world_stack(world, image(1), 1) == world_stack(world, image(MANY), 1) &&
		      world_stack(world, image(1), 1)->frames[0].module,
	      "but its stack is what it was");
	printf("# %zu bytes a process\n", (whole - half) / (MANY / 2));
	check((whole - half) / (MANY / 2) < 1024, "and takes less than a kilobyte");
	end_judging();
	drop_judging();
}

static void check_findings(void)
{
	const struct finding *leak = NULL;

	begin_judging();
	start(10, BEGAN_exec, 1, 0);
	for (int i = 0; i < CHILDREN; i++)
		child(20 + i % 900, BEGAN_exec, 10, 0, i == 17 ? 5 : 1);
	end_judging();
	for (size_t i = 0; i < findings.count; i++)
		if (findings.all[i].rule == RULE_mapping_leak)
			leak = &findings.all[i];
	check(leak && leak->count == CHILDREN && leak->bytes == (CHILDREN + 4) * PAGE,
	      "all that they left mapped is counted");
	check(leak && leak->largest == 5 * PAGE && leak->process == image(18) && leak->several && leak->stacks[0].stack,
	      "and told of the one that left most, with its stack");
	check(leak && !leak->uncertain, "in no doubt");
	drop_judging();
}

/* Who lives on may be a child's child, by two forks: what its forefathers had loaded is asked for. */
static void check_line(void)
{
	const struct stack *known;
	uint32_t forked;

	begin_judging();
	start(10, BEGAN_exec, 1, 0);
	start(11, BEGAN_exec, 10, 0);
	load(11, CODE, "/bin/daemon");
	stack(11, 7, CODE + 0x70);
	forked = seqs[11];
	start(12, BEGAN_fork, 11, forked);
	forked = seqs[12];
	start(13, BEGAN_fork, 12, forked);
	FEED(exit, 11, .status = 0);
	FEED(wait, 10, .child = 11, .status = 0);
	FEED(exit, 12, .status = 0);
	FEED(wait, 10, .child = 12, .status = 0);
	for (int i = 0; i < CHILDREN; i++)
		child(20 + i % 900, BEGAN_exec, 10, 0, 1);
	check(!process_of(11)->retired && process_of(20)->retired == false && image(5)->retired,
	      "those from whom somebody alive inherited do not retire");
	stack(13, 8, CODE + 0x80);
	known = world_stack(world, process_of(13), 8);
	check(known && known->frames[0].module && !strcmp(known->frames[0].module->path, "/bin/daemon"),
	      "a child's child long after them: its stack lies in what they had loaded");
	known = world_stack(world, process_of(13), 7);
	check(known && known->frames[0].module, "and their stacks are its own");
	end_judging();
	drop_judging();
}

/* Of whom an event is missing nothing is settled early: the end of the trace may tell how many they were. */
static void check_lost(void)
{
	bool uncertain = false;

	begin_judging();
	start(10, BEGAN_exec, 1, 0);
	start(11, BEGAN_exec, 10, 0);
	load(11, CODE, "/bin/q");
	stack(11, 1, CODE + 0x300);
	define(11, 1, 11);
	open_object(11, "/y", 1, 3, true);
	seqs[11] += 3;
	map_at(11, 1, BASE, PAGE);
	FEED(exit, 11, .status = 0);
	FEED(wait, 10, .child = 11, .status = 0);
	for (int i = 0; i < CHILDREN; i++)
		child(20 + i % 900, BEGAN_exec, 10, 0, 1);
	end_judging();
	for (size_t i = 0; i < findings.count; i++)
		if (findings.all[i].rule == RULE_mapping_leak && findings.all[i].process == process_of(11))
			uncertain = findings.all[i].uncertain;
	check(uncertain, "a leak of a process that lost events is in doubt");
	drop_judging();
}

/* Exit handlers may call when a second has passed: what one holds is not another's. */
static void check_late_calls(void)
{
	begin_judging();
	start(10, BEGAN_exec, 1, 0);
	for (int pid = 11; pid <= 12; pid++) {
		start(pid, BEGAN_exec, 10, 0);
		load(pid, CODE, "/bin/p");
		FEED(exit, pid, .status = 0);
	}
	now += 2000000000;
	for (int i = 0; i < CHILDREN; i++)
		child(20 + i % 900, BEGAN_exec, 10, 0, 1);
	check(process_of(11)->retired && process_of(12)->retired, "who said that it exits is over a second later");
	define(11, 1, 11);
	map_at(11, 1, BASE, PAGE);
	check(bytes_of(11) == PAGE && bytes_of(12) == 0 && image(5)->holdings->piece_count == 0,
	      "what it maps after that is nobody else's");
	end_judging();
	drop_judging();
}

/* A removal by a stranger that is told of, and failed long after: its finding is handed in by then. */
static void check_withdrawn_late(void)
{
	uint32_t of;
	size_t told = 0;

	begin_judging();
	start(10, BEGAN_exec, 1, 0);
	load(10, CODE, "/bin/q");
	stack(10, 1, CODE + 0x200);
	start(11, BEGAN_exec, 1, 0);
	load(11, CODE, "/bin/p");
	stack(11, 1, CODE + 0x100);
	define(10, 1, 77);
	open_object(10, "/x", 1, 3, true);
	define(11, 1, 77);
	of = FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	FEED(finding, 11, .rule = RULE_unlink_by_stranger, .severity = SEVERITY_WARNING, .of = of, .object = 1,
	     .name = "");
	FEED(exit, 11, .status = 0);
	now += 2000000000;
	for (int i = 0; i < CHILDREN; i++)
		child(20 + i % 900, BEGAN_exec, 10, 0, 1);
	check(process_of(11)->retired, "the remover is retired");
	FEED(failed, 11, .of = of, .error = EACCES);
	end_judging();
	for (size_t i = 0; i < findings.count; i++)
		told += findings.all[i].rule == RULE_unlink_by_stranger;
	check(told == 1, "and what is told of it stays: it was handed in");
	drop_judging();
}

int main(void)
{
	check_children();
	check_findings();
	check_line();
	check_lost();
	check_late_calls();
	check_withdrawn_late();
	printf("1..%d\n", number);
	return failures != 0;
}
