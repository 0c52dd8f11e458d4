/* The model, fed by hand: names that were taken away without a look at what had them. */
#include <stdlib.h>

#include "tests/unit/world_by_hand.h"

/* Who removes what was made since it looked does not know which object that was; its maker may tell of it later. */
static void check_removed_unseen(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	start(11, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	open_object(10, "/x", 1, 3, true);
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x");
	check(world->objects[0]->unlinked.process == process_of(11) && world->objects[0]->names[0].until,
	      "a removal of nobody knows what is that of what had the name");
	FEED(shm_open, 10, .name = "/x", .result = -1, .error = ENOENT);
	check(misses == 0, "nothing is strange about a name that is gone since");
	FEED(unlink, 11, .symbol = SYMBOL_unlink, .name = "/dev/shm/x");
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x", .error = ENOENT);
	define(10, 2, 78);
	open_object(10, "/x", 2, 4, true);
	check(world->objects[1]->unlinked.process == process_of(11) && world->objects[1]->names[0].until,
	      "or of what its maker tells of next");
	define(10, 3, 79);
	open_object(10, "/x", 3, 5, true);
	check(!world->objects[2]->names[0].until, "of one, and no more");
	define(10, 4, 80);
	open_object(10, "/x", 4, 6, true);
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x");
	check(world->objects[2]->unlinked.process && !world->objects[3]->names[0].until,
	      "what the next of that name tells is gone was removed, not the next");
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x", .error = ENOENT);
	check(!world->objects[3]->names[0].until, "a removal that failed removes nothing");
	end();
}

static void check_removed_unseen_long_ago(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	start(11, BEGAN_exec, 1, 0);
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x");
	now += 2000000000;
	define(10, 1, 77);
	open_object(10, "/x", 1, 3, true);
	check(!world->objects[0]->names[0].until, "nobody is held up so long: it is another one");
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/y");
	define(11, 2, 78);
	open_object(11, "/y", 2, 3, false);
	define(10, 2, 78);
	open_object(10, "/y", 2, 3, true);
	check(world->objects[1]->names[0].until, "an opener may tell of it before its maker");
	define(11, 3, 79);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/z", .to = "/dev/shm/away", .object = 3);
	define(10, 3, 79);
	open_object(10, "/z", 3, 3, true);
	check(!strcmp(object_name(world->objects[2]), "/away"),
	      "what was renamed before its making is told is known by that");
	FEED(unlink, 11, .symbol = SYMBOL_sem_unlink, .name = "/s");
	FEED(sem_open, 10, .name = "/s", .result = 1, .created = true);
	FEED(sem_open, 10, .name = "/s", .result = 1, .created = true);
	FEED(unlink, 11, .symbol = SYMBOL_sem_unlink, .name = "/s");
	define(10, 4, 80);
	FEED(sem_open, 10, .name = "/s", .result = 1, .object = 4, .created = true);
	check(!world->objects[3]->names[0].until,
	      "what nobody knows that was made and removed takes nothing from the next");
	end();
}

static void check_replaced_unseen(void)
{
	begin();
	start_maker(10);
	start(11, BEGAN_exec, 1, 0);
	define(11, 1, 78);
	open_object(11, "/new", 1, 3, true);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/new", .to = "/dev/shm/x", .object = 1);
	check(world->objects[0]->unlinked.process == process_of(11) && world->objects[0]->names[0].until,
	      "what was made just before something was renamed over it has lost its name");
	define(11, 2, 79);
	open_object(11, "/new", 2, 3, true);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/new", .to = "/dev/shm/y", .object = 2);
	define(10, 2, 80);
	open_object(10, "/y", 2, 3, true);
	check(world->objects[3]->unlinked.process == process_of(11) && world->objects[3]->names[0].until,
	      "whenever its maker tells of it");
	check(!strcmp(object_name(world->objects[2]), "/y") && !world->objects[2]->names[1].until,
	      "and the other has the name");
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/y", .to = "/dev/shm/z", .object = 2);
	define(10, 3, 81);
	open_object(10, "/y", 3, 3, true);
	check(!world->objects[4]->names[0].until, "once that has moved on, the name is free");
	define(11, 4, 90);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/old", .to = "/dev/shm/v", .object = 4);
	define(10, 4, 90);
	open_object(10, "/v", 4, 3, true);
	check(!world->objects[5]->names[0].until, "who would have made one and found that has taken nothing from it");
	end();
}

/* Both found the same there when they looked. */
static void check_replaced_by_two(void)
{
	begin();
	start_maker(10);
	for (int pid = 11; pid < 13; pid++) {
		start(pid, BEGAN_exec, 1, 0);
		define(pid, 1, (uint64_t)pid);
		open_object(pid, pid == 11 ? "/a" : "/b", 1, 3, true);
		define(pid, 2, 77);
	}
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/a", .to = "/dev/shm/x", .object = 1, .replaced = 2);
	FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/b", .to = "/dev/shm/x", .object = 1, .replaced = 2);
	check(world->objects[0]->unlinked.process == process_of(11) &&
		      world->objects[1]->unlinked.process == process_of(12),
	      "of two that rename over an object the second replaces what the first has left there");
	check(!world->objects[2]->unlinked.process && !strcmp(object_name(world->objects[2]), "/x"),
	      "and has the name");
	end();
}

/* Both found the same there when they looked, and what the second removes is made since. Or it fails. */
static void check_removed_by_two(bool fails)
{
	begin();
	start_maker(10);
	for (int pid = 11; pid < 14; pid++) {
		start(pid, BEGAN_exec, 1, 0);
		define(pid, 1, 77);
	}
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	uint32_t seq = FEED(unlink, 12, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	define(13, 2, 78);
	open_object(13, "/x", 2, 4, true);
	if (fails)
		FEED(failed, 12, .of = seq, .error = ENOENT);
	check(world->objects[0]->unlinked.process == process_of(11), "of two that remove one object the first did");
	check(world->objects[1]->unlinked.process == (fails ? NULL : process_of(12)) &&
		      object_has_name(world->objects[1]) == fails,
	      fails ? "if the second failed, what was made since keeps the name" : "the second what was made since");
	end();
}

/* One that is told to have failed after all: the next of that name keeps it. */
static void check_removal_undone(void)
{
	uint32_t of;

	begin();
	start_maker(10);
	start(11, BEGAN_exec, 1, 0);
	define(10, 2, 78);
	open_object(10, "/x", 2, 4, true);
	of = FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x");
	check(world->objects[0]->unlinked.process && !world->objects[1]->names[0].until, "the former one was removed");
	FEED(failed, 11, .of = of, .error = EACCES);
	check(!world->objects[1]->names[0].until && world->objects[0]->names[0].until,
	      "the next has the name all the same");
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 2);
	check(world->objects[1]->unlinked.process == process_of(10) && world->objects[1]->names[0].until,
	      "until it is removed");
	end();
}

/* An opener tells of it when it comes to, with the name by which it had found it. */
static void check_opened_late(void)
{
	begin();
	start_maker(10);
	start(11, BEGAN_exec, 1, 0);
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	define(11, 1, 77);
	open_object(11, "/x", 1, 3, false);
	check(world->objects[0]->unlinked.process == process_of(10) && world->objects[0]->name_count == 1 &&
		      world->objects[0]->names[0].until,
	      "what is opened by a name gives none back that was removed");
	define(10, 2, 78);
	open_object(10, "/x", 2, 4, true);
	open_object(11, "/x", 1, 4, false);
	check(!world->objects[1]->names[0].until, "nor does it take it from the next");
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 2);
	FEED(link, 10, .symbol = SYMBOL_linkat, .from = "/proc/self/fd/3", .to = "/dev/shm/x", .object = 1);
	open_object(11, "/x", 1, 5, false);
	check(object_has_name(world->objects[0]), "a link does");
	end();
}

int main(void)
{
	check_removed_unseen();
	check_replaced_by_two();
	check_removed_by_two(false);
	check_removed_by_two(true);
	check_removal_undone();
	check_opened_late();
	check_removed_unseen_long_ago();
	check_replaced_unseen();
	printf("1..%d\n", number);
	return failures != 0;
}
