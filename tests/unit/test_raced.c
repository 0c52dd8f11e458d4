/* The model, fed by hand: names that several processes change at one time, and that are told in another order. */
#include <fcntl.h>
#include <stdlib.h>

#include "tests/unit/world_by_hand.h"

static bool has_no_name(const struct object *object, int pid)
{
	return object->unlinked.process == process_of(pid) && !object_has_name(object);
}

static void two_users(void)
{
	begin();
	start_maker(10);
	start(11, BEGAN_exec, 1, 0);
	start(12, BEGAN_exec, 1, 0);
	define(11, 1, 77);
}

/* The second object: 11 has it open. */
static void make_nameless(void)
{
	FEED(object, 11, .id = 2, .kind = KIND_shm, .dev = 25, .ino = 78, .name = "/dev/shm/#78 (deleted)");
	FEED(open, 11, .name = "/dev/shm", .flags = O_TMPFILE | O_RDWR, .result = 3, .object = 2);
}

/* What was looked at is removed, and its maker makes the next, which is what is renamed: told is either of them first. */
static void check_next_is_renamed(bool told)
{
	two_users();
	FEED(unlink, 10, .symbol = SYMBOL_unlink, .name = "/dev/shm/x", .object = 1);
	define(10, 2, 78);
	if (told)
		open_object(10, "/x", 2, 3, true);
	define(11, 2, 78);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/y", .flags = RENAME_ANOTHER,
	     .object = 1, .replaced = 2);
	if (!told)
		open_object(10, "/x", 2, 3, true);
	check(has_no_name(world->objects[0], 10) && world->objects[0]->name_count == 1,
	      "what was removed by its maker has no other name");
	check(object_is_called(world->objects[1], "/y") && !object_is_called(world->objects[1], "/x"),
	      told ? "what has the name by then was renamed" : "or what is told to be made of that name next");
	FEED(unlink, 11, .symbol = SYMBOL_unlink, .name = "/dev/shm/y", .object = 2);
	check(has_no_name(world->objects[1], 11), "until that name is removed");
	end();
}

/* Somebody else was faster to rename what both had seen. */
static void check_renamed_by_two(void)
{
	two_users();
	define(12, 1, 77);
	define(12, 2, 78);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/y", .object = 1);
	FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/z", .flags = RENAME_ANOTHER,
	     .object = 1, .replaced = 2);
	check(object_is_called(world->objects[0], "/y") && !object_is_called(world->objects[0], "/z"),
	      "of two that rename what both had seen one did");
	check(object_is_called(world->objects[1], "/z"), "and the other what was made since");
	end();
}

static void check_opened_late(void)
{
	two_users();
	define(12, 1, 77);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/y", .object = 1);
	open_object(12, "/x", 1, 3, false);
	check(!object_is_called(world->objects[0], "/x") && object_is_called(world->objects[0], "/y"),
	      "who tells late by which name he opened it gives that not back");
	now += 2000000000;
	open_object(12, "/x", 1, 4, false);
	check(object_is_called(world->objects[0], "/x"), "who does so later has found it");
	FEED(unlink, 11, .symbol = SYMBOL_unlink, .name = "/dev/shm/z");
	FEED(object, 12, .id = 2, .kind = KIND_shm, .dev = 25, .ino = 78, .name = "/dev/shm/z (deleted)");
	open_object(12, "/z", 2, 5, true);
	check(has_no_name(world->objects[1], 11), "what its maker finds gone was removed by who told that before");
	end();
}

static void check_next_keeps_name(void)
{
	two_users();
	FEED(unlink, 10, .symbol = SYMBOL_unlink, .name = "/dev/shm/x", .object = 1);
	for (uint32_t id = 2; id < 4; id++) {
		define(10, id, 76 + id);
		open_object(10, "/x", id, 3, true);
	}
	define(11, 2, 78);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/y", .flags = RENAME_ANOTHER,
	     .object = 1, .replaced = 2);
	check(object_is_called(world->objects[1], "/y"), "what is told late to be renamed is what had the name");
	check(object_is_called(world->objects[2], "/x"), "and what was made of it since keeps it");
	end();
}

/* Each moves its own to one name, over what the others have moved there. */
static void check_published(bool told)
{
	two_users();
	define(11, 2, 78);
	open_object(11, "/a", 2, 3, true);
	define(12, 1, 79);
	open_object(12, "/b", 1, 3, true);
	define(11, 3, 79);
	define(12, 2, 78);
	if (told)
		FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/b", .to = "/dev/shm/x", .object = 1,
		     .replaced = 2);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/a", .to = "/dev/shm/x", .flags = RENAME_ANOTHER,
	     .object = 2, .replaced = 3);
	if (!told)
		FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/b", .to = "/dev/shm/x", .object = 1,
		     .replaced = 2);
	check(world->objects[0]->unlinked.process && !object_has_name(world->objects[0]),
	      "what had the name before has lost it");
	check(world->objects[1]->unlinked.process && !object_has_name(world->objects[1]),
	      told ? "and what is told late to have been moved there" : "and what something was moved over");
	check(object_is_called(world->objects[2], "/x") && !world->objects[2]->unlinked.process,
	      "and what is seen there at last has it");
	end();
}

/* Nobody has told yet that what is replaced, or removed, had that name. */
static void check_lost_early(bool removed)
{
	two_users();
	define(11, 2, 78);
	open_object(11, "/a", 2, 3, true);
	define(12, 2, 78);
	define(12, 3, 79);
	open_object(12, "/b", 3, 3, true);
	if (removed)
		FEED(unlink, 12, .symbol = SYMBOL_unlink, .name = "/dev/shm/x", .object = 2);
	else
		FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/b", .to = "/dev/shm/x", .object = 3,
		     .replaced = 2);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/a", .to = "/dev/shm/x", .object = 2, .replaced = 1);
	check(!object_has_name(world->objects[0]) && world->objects[0]->unlinked.process,
	      "what had the name first has lost it");
	check(!object_has_name(world->objects[1]) && world->objects[1]->unlinked.process,
	      removed ? "what is removed is what is told later to have been moved there" : "or what is replaced");
	check(object_is_called(world->objects[2], removed ? "/b" : "/x"), "nobody else has");
	end();
}

/* What gets a name by link(2) may have lost it before that is told: to who saw it there, or who did not. */
static void check_linked_late(bool seen)
{
	two_users();
	FEED(unlink, 12, .symbol = SYMBOL_unlink, .name = "/dev/shm/p", .error = ENOENT);
	make_nameless();
	if (seen)
		FEED(object, 12, .id = 2, .kind = KIND_shm, .dev = 25, .ino = 78, .name = "/dev/shm/p");
	FEED(unlink, 12, .symbol = SYMBOL_unlink, .name = "/dev/shm/p", .object = seen ? 2 : 0);
	FEED(link, 11, .symbol = SYMBOL_linkat, .from = "/proc/self/fd/3", .to = "/dev/shm/p", .object = 2);
	check(has_no_name(world->objects[1], 12),
	      seen ? "a link is told after its name was removed" : "or was removed unseen");
	FEED(link, 11, .symbol = SYMBOL_linkat, .from = "/proc/self/fd/3", .to = "/dev/shm/q", .object = 2);
	check(object_is_called(world->objects[1], "/q"), "another name that it gets is its own");
	end();
}

static void check_linked_and_moved(void)
{
	two_users();
	make_nameless();
	FEED(object, 12, .id = 2, .kind = KIND_shm, .dev = 25, .ino = 78, .name = "/dev/shm/p");
	FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/p", .to = "/dev/shm/q", .object = 2);
	FEED(link, 11, .symbol = SYMBOL_linkat, .from = "/proc/self/fd/3", .to = "/dev/shm/p", .object = 2);
	check(!object_is_called(world->objects[1], "/p") && object_is_called(world->objects[1], "/q"),
	      "or after it was renamed");
	FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/q", .to = "/dev/shm/p", .object = 2);
	check(object_is_called(world->objects[1], "/p"), "who renamed it gives the name back");
	end();
}

/* The removal is told before its call, which finds nothing more. */
static void check_renamed_before_removal(void)
{
	uint32_t of;

	two_users();
	of = FEED(unlink, 10, .symbol = SYMBOL_unlink, .name = "/dev/shm/x", .object = 1);
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/y", .object = 1);
	FEED(unlink, 11, .symbol = SYMBOL_unlink, .name = "/dev/shm/y", .object = 1);
	FEED(failed, 10, .of = of, .error = ENOENT);
	check(has_no_name(world->objects[0], 11), "what was renamed and removed since is, though another failed to");
	end();
}

/* Its own removal finds nothing: who removed another of that name just before has removed this one instead. */
static void check_removed_instead(void)
{
	uint32_t of;

	two_users();
	define(12, 3, 79);
	open_object(12, "/b", 3, 3, true);
	define(12, 1, 77);
	FEED(unlink, 11, .symbol = SYMBOL_unlink, .name = "/dev/shm/x", .object = 1);
	FEED(rename, 12, .symbol = SYMBOL_rename, .from = "/dev/shm/b", .to = "/dev/shm/x", .object = 3, .replaced = 1);
	of = FEED(unlink, 12, .symbol = SYMBOL_unlink, .name = "/dev/shm/x", .object = 3);
	FEED(failed, 12, .of = of, .error = ENOENT);
	check(has_no_name(world->objects[1], 11), "what is seen and gone by the call was removed by who came before");
	end();
}

/* A hard link that nobody told of. */
static void check_other_name_removed(void)
{
	two_users();
	FEED(object, 12, .id = 2, .kind = KIND_file, .dev = 25, .ino = 78, .name = "/dev/shm/new");
	FEED(link, 12, .symbol = SYMBOL_link, .from = "/dev/shm/old", .to = "/dev/shm/new", .object = 2);
	FEED(unlink, 12, .symbol = SYMBOL_unlink, .name = "/dev/shm/old", .object = 2);
	check(object_is_called(world->objects[1], "/new") && !world->objects[1]->unlinked.process,
	      "a name that was not known is removed, and takes no other with it");
	FEED(unlink, 12, .symbol = SYMBOL_unlink, .name = "new", .object = 2);
	check(has_no_name(world->objects[1], 12), "that of a path that leads nobody knows where is the only one");
	end();
}

/* Which of two changes came first the trace cannot tell, where they are as close as this. */
static void check_contended(void)
{
	two_users();
	FEED(rename, 10, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/y", .object = 1);
	check(!world->objects[0]->contended, "one that changes a name alone does so in its order");
	now += 20000000;
	FEED(rename, 11, .symbol = SYMBOL_rename, .from = "/dev/shm/y", .to = "/dev/shm/z", .object = 1);
	check(!world->objects[0]->contended, "as does another much later");
	define(12, 1, 77);
	FEED(unlink, 12, .symbol = SYMBOL_unlink, .name = "/dev/shm/z", .object = 1);
	check(world->objects[0]->contended, "of two at one time the order is not known");
	end();
}

int main(void)
{
	check_next_is_renamed(false);
	check_next_is_renamed(true);
	check_opened_late();
	check_next_keeps_name();
	check_renamed_by_two();
	check_published(false);
	check_published(true);
	check_lost_early(false);
	check_lost_early(true);
	check_linked_late(false);
	check_linked_late(true);
	check_linked_and_moved();
	check_renamed_before_removal();
	check_removed_instead();
	check_other_name_removed();
	check_contended();
	printf("1..%d\n", number);
	return failures != 0;
}
