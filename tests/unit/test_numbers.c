/* The numbers of a process's events, fed by hand: what is missing, late or damaged. */
#include "tests/unit/world_by_hand.h"

#include "analyzer/recording.h"

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

static void begin_at_one(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	jump(1, 1);
}

static void ends(uint64_t lost, uint64_t misnumbered, const char *what)
{
	world_finish(world);
	check(process_of(10)->lost == lost && world->misnumbered == misnumbered, what);
	world_free(world);
}

static void check_numbers(void)
{
	begin_at_one();
	jump(20001, 1000000);
	jump(1, 1);
	ends(20000, 0, "a gap from which the numbers go on is one");

	begin_at_one();
	jump(20001, 1000000);
	ends(20000, 0, "before the last event, too");

	begin_at_one();
	jump(1u << 24, 10000000000);
	seqs[10] = 3;
	jump(1, 1);
	jump(1, 1);
	ends(0, 1, "a number from which they do not go on is damaged");

	begin_at_one();
	jump(1u << 24, 10000000000);
	seqs[10] = 5;
	jump(1, 1);
	ends(2, 1, "and hides no gap that there is beside it");

	begin_at_one();
	jump(1u << 24, 1000000);
	ends(0, 1, "as is one that no process could have reached in the time");
}

/* The first of two threads told its event after the second one had lost its own. */
static void check_numbers_late(void)
{
	begin_at_one();
	jump(2, 1);
	jump(20001, 1000000);
	seqs[10] = 2;
	jump(1, 1);
	seqs[10] = 20005;
	jump(1, 1);
	ends(20000, 0, "an event that comes late does not deny a gap");
}

static void map_nth(uint32_t seq, unsigned nth)
{
	seqs[10] = seq - 1;
	map_at(10, 1, BASE + (uint64_t)nth * PAGE, PAGE);
}

static struct hole only_hole(const struct process *process)
{
	return process->hole_count == 1 ? process->holes[0] : (struct hole){0};
}

/* A recording that keeps the newest calls: what was held before a hole is not counted as held, what came later is. */
static void check_holes(void)
{
	struct recording recording = {.newest = true, .lets_go = true, .ended = 1};
	const uint32_t holes[] = {50, 5000};

	for (size_t i = 0; i < 2; i++) {
		begin_of(&recording);
		start(10, BEGAN_exec, 1, 0);
		define(10, 1, 77);
		map_nth(3, 0);
		map_nth(5, 1);
		map_nth(4, 2);
		map_nth(6, 3);
		check(outstanding(10) == 4, "numbers out of their order are no hole");
		now += 1000000;
		map_nth(6 + holes[i], 4);
		map_nth(8 + holes[i], 5);
		map_nth(7 + holes[i], 6);
		for (uint32_t more = 0; more < 1100; more++)
			map_nth(9 + holes[i] + more, 7);
		check(only_hole(process_of(10)).missing == holes[i] - 1, "a hole is one, with what is missing in it");
		check(outstanding(10) == 4 && bytes_of(10) == 8 * PAGE,
		      "what was held before it is known, and not counted as held");
		world_finish(world);
		check(process_of(10)->let_go == holes[i] - 1 && process_of(10)->lost == 0 &&
			      process_of(10)->whole_from == only_hole(process_of(10)).until,
		      "nothing is missing from there on");
		world_free(world);
	}
}

/* What its latest calls refer to is written later than they, and by who was killed not at all. */
static void check_unwritten(int64_t ended)
{
	struct recording recording = {.newest = true, .lets_go = true, .ended = ended};

	begin_of(&recording);
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	map_nth(3, 0);
	now += 1000000;
	map_nth(60, 1);
	for (unsigned nth = 0; nth < 1000; nth++)
		map_nth(62 + 3 * nth, nth);
	world_finish(world);
	check(process_of(10)->hole_count == (ended ? 1001 : 1),
	      ended ? "each number that is missing is a hole" : "of who was killed a few are none");
	check(process_of(10)->let_go == (ended ? 56 + 1 + 2 * 999 : 56), "nor were they let go");
	world_free(world);
}

int main(void)
{
	check_lost();
	check_numbers();
	check_numbers_late();
	check_holes();
	check_unwritten(1);
	check_unwritten(0);
	printf("1..%d\n", number);
	return failures != 0;
}
