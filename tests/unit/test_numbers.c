/* The numbers of a process's events, fed by hand: what is missing, late or damaged. */
#include "tests/unit/world_by_hand.h"

static void check_lost(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	seqs[10] += 5;
	map_at(10, 1, BASE, PAGE);
	start(11, BEGAN_exec, 1, 0);
	FEED(lost, 11, .events = 7);
	world_finish(world);
	check(process_of(10)->lost == 5, "a gap in the numbers is counted");
	check(process_of(11)->lost == 7, "and what the process itself says it lost");
	check(world->lost == 12, "and summed up");
	world_free(world);
}

/* An event so many numbers and nanoseconds after the one before. */
static void jump(uint32_t numbers, int64_t time)
{
	seqs[10] += numbers - 1;
	now += time - 1;
	unmap(10, BASE, PAGE);
}

static void check_numbers(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	jump(1, 1);
	jump(20001, 1000000);
	jump(1, 1);
	world_finish(world);
	check(process_of(10)->lost == 20000 && world->misnumbered == 0, "a gap from which the numbers go on is one");
	world_free(world);

	begin();
	start(10, BEGAN_exec, 1, 0);
	jump(1, 1);
	jump(20001, 1000000);
	world_finish(world);
	check(process_of(10)->lost == 20000 && world->misnumbered == 0, "before the last event, too");
	world_free(world);

	begin();
	start(10, BEGAN_exec, 1, 0);
	jump(1, 1);
	jump(1u << 24, 10000000000);
	seqs[10] = 3;
	jump(1, 1);
	jump(1, 1);
	world_finish(world);
	check(process_of(10)->lost == 0 && world->misnumbered == 1, "a number from which they do not go on is damaged");
	world_free(world);

	begin();
	start(10, BEGAN_exec, 1, 0);
	jump(1, 1);
	jump(1u << 24, 10000000000);
	seqs[10] = 5;
	jump(1, 1);
	world_finish(world);
	check(process_of(10)->lost == 2 && world->misnumbered == 1, "and hides no gap that there is beside it");
	world_free(world);

	begin();
	start(10, BEGAN_exec, 1, 0);
	jump(1, 1);
	jump(1u << 24, 1000000);
	world_finish(world);
	check(process_of(10)->lost == 0 && world->misnumbered == 1,
	      "as is one that no process could have reached in the time");
	world_free(world);
}

/* The first of two threads told its event after the second one had lost its own. */
static void check_numbers_late(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	jump(1, 1);
	jump(2, 1);
	jump(20001, 1000000);
	seqs[10] = 2;
	jump(1, 1);
	seqs[10] = 20005;
	jump(1, 1);
	world_finish(world);
	check(process_of(10)->lost == 20000 && world->misnumbered == 0, "an event that comes late does not deny a gap");
	world_free(world);
}

int main(void)
{
	check_lost();
	check_numbers();
	check_numbers_late();
	printf("1..%d\n", number);
	return failures != 0;
}
