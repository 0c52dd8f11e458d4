/* The model, fed by hand: forks, images, names, what came late, is missing or is forgotten. */
#include <stdlib.h>

#include "tests/unit/world_by_hand.h"

static void check_fork(void)
{
	uint32_t forked;

	begin();
	start_maker(10);
	map_at(10, 1, BASE, PAGE);
	forked = map_at(10, 1, BASE + 8 * PAGE, PAGE);
	unmap(10, BASE, PAGE);
	FEED(close, 10, .fd = 3, .object = 1);
	map_at(10, 1, BASE + 16 * PAGE, 4 * PAGE);
	start(11, BEGAN_fork, 10, forked);
	check(process_of(11)->parent == process_of(10), "a child has its parent");
	check(bytes_of(11) == 2 * PAGE, "it holds what the parent held at the fork, not what it holds now");
	check(holdings_descriptor(process_of(11), 3) && !holdings_descriptor(process_of(10), 3),
	      "and the descriptor that the parent closed since");
	check(outstanding(11) == 0, "none of it is its own");
	check(world->objects[0]->mappers == 4, "both count as mappers");
	unmap(11, BASE, PAGE);
	check(bytes_of(11) == PAGE && bytes_of(10) == 5 * PAGE, "what the child unmaps, the parent keeps");
	map_at(11, 1, BASE + 32 * PAGE, PAGE);
	check(world->object_count == 1 && outstanding(11) == 1, "the child uses its parent's definitions");
	FEED(wait, 10, .child = 11, .status = 9);
	check(process_of(11)->ended == ENDED_signal && process_of(11)->signal == 9, "its death is known by the wait");
	check(world->objects[0]->mappers == 2, "and it holds nothing any more");
	end();
}

/* Two forks in a row, as daemons make: the process between them may be over before the last one tells of itself. */
static void check_parent_over(void)
{
	uint32_t forked;

	begin();
	start_maker(10);
	forked = map_at(10, 1, BASE, PAGE);
	start(11, BEGAN_fork, 10, forked);
	forked = map_at(11, 1, BASE + 8 * PAGE, 2 * PAGE);
	unmap(11, BASE, PAGE);
	FEED(close, 11, .fd = 3, .object = 1);
	map_at(11, 1, BASE + 16 * PAGE, PAGE);
	FEED(exit, 11, .status = 0);
	FEED(wait, 10, .child = 11, .status = 0);
	check(bytes_of(11) == 0 && world->objects[0]->mappers == 1 && world->objects[0]->openers == 1,
	      "who is over holds nothing");
	start(12, BEGAN_fork, 11, forked);
	check(bytes_of(12) == 3 * PAGE && holdings_descriptor(process_of(12), 3),
	      "a child that tells of itself when its parent is over holds what that held at the fork");
	check(world->objects[0]->mappers == 3 && world->objects[0]->openers == 2, "and is counted");
	FEED(wait, 10, .child = 12, .status = 9);
	check(world->objects[0]->mappers == 1 && world->objects[0]->openers == 1, "until it is over, too");
	end();
}

/* A parent long over is forgotten: else those of a shell would gather. */
static void check_parents_over(void)
{
	uint32_t first = 0, last = 0;

	begin();
	for (int i = 0; i < 40000; i++) {
		int pid = i ? 100 + i % 800 : 10;

		start(pid, BEGAN_exec, 1, 0);
		define(pid, 1, 77);
		last = map_at(pid, 1, BASE, PAGE);
		first = i ? first : last;
		FEED(wait, 20, .child = pid, .status = 0);
	}
	start(11, BEGAN_fork, 10, first);
	start(12, BEGAN_fork, 100 + 39999 % 800, last);
	check(bytes_of(11) == 0 && bytes_of(12) == PAGE, "of many that are over the latest are remembered");
	end();
}

/* A process tells of an object again when its size turned out to be another. */
static void check_defined_again(void)
{
	uint32_t forked;

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	forked = map_at(10, 1, BASE, PAGE);
	start(11, BEGAN_fork, 10, forked);
	define(10, 1, 77);
	define(10, 2, 78);
	open_object(11, "/x", 1, 4, false);
	check(world->object_count == 2 && holdings_descriptor(process_of(11), 4)->object->ino == 77,
	      "what a parent tells of again its child goes on knowing");
	define(11, 2, 79);
	map_at(11, 2, BASE + 8 * PAGE, PAGE);
	check(holdings_piece(process_of(11), BASE + 8 * PAGE)->from->object->ino == 79,
	      "what it tells of for the first time after the fork is not its child's");
	end();
}

static void check_late_definition(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	start(12, BEGAN_exec, 1, 0);
	define(12, 5, 77);
	map_at(12, 5, BASE, PAGE);
	map_at(10, 1, BASE, PAGE);
	define(10, 1, 77);
	map_at(10, 1, BASE + PAGE, PAGE);
	unmap(10, BASE, 2 * PAGE);
	world_finish(world);
	check(world->object_count == 1, "an object whose definition came late is the one it turns out to be");
	check(world->objects[0]->maps == 3, "with all that was done to it");
	world_free(world);
}

static void check_images(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	map_at(10, 1, BASE, PAGE);
	start(10, BEGAN_exec, 1, 0);
	check(world->process_count == 2 && world->processes[0]->ended == ENDED_exec, "exec makes a new image");
	check(bytes_of(10) == 0 && world->objects[0]->mappers == 0, "that maps nothing");
	check(strcmp(world->processes[0]->id, world->processes[1]->id) != 0, "and has an id of its own");
	FEED(wait, 20, .child = 10, .status = 0);
	start(10, BEGAN_fork, 20, 1);
	check(process_of(10)->previous == NULL && process_of(10)->parent == process_of(20),
	      "a pid used again is another process");
	FEED(exit, 10, .status = 3);
	world_finish(world);
	check(process_of(10)->ended == ENDED_exit && process_of(10)->status == 3, "an exit status is kept");
	check(endings == 4, "each image is judged once");
	world_free(world);
}

/* A child that comes to run when its parent has gone on to another image is a child of the one before. */
static void check_late_child(void)
{
	uint32_t forked;

	begin();
	start_maker(10);
	forked = map_at(10, 1, BASE, PAGE);
	start(10, BEGAN_exec, 1, 0);
	start(11, BEGAN_fork, 10, forked);
	map_at(11, 1, BASE + PAGE, PAGE);
	check(process_of(11)->parent == world->processes[0] && bytes_of(11) == 2 * PAGE && world->object_count == 1,
	      "the new one had not got so far");
	seqs[10] = 0;
	FEED(process, 10, .began = BEGAN_exec, .parent = 1, .exe = "/bin/other", .argv = "other");
	for (int i = 0; i < 8; i++)
		define(10, 1, 78);
	start(12, BEGAN_fork, 10, forked);
	check(process_of(12)->parent == world->processes[0] && bytes_of(12) == PAGE, "or is another program");
	start(13, BEGAN_fork, 11, 20);
	check(process_of(13)->parent == process_of(11), "where its events are lost there is no other");
	end();
}

static void check_names(void)
{
	begin();
	start_maker(10);
	FEED(shm_open, 10, .name = "x", .result = -1, .error = ENOENT);
	check(misses == 1, "a name that leads somewhere and is not found is told");
	FEED(unlink, 10, .symbol = SYMBOL_unlink, .name = "/dev/shm/x", .object = 1);
	check(world->objects[0]->names[0].until, "one name however it is spelled");
	FEED(shm_open, 10, .name = "/x", .result = -1, .error = ENOENT);
	check(misses == 1, "after its removal nothing is strange about that");
	define(10, 2, 78);
	open_object(10, "/x", 2, 4, true);
	check(renewals == 1, "a name that leads to another object is told");
	FEED(rename, 10, .symbol = SYMBOL_rename, .from = "/dev/shm/x", .to = "/dev/shm/y", .object = 2);
	check(!strcmp(object_name(world->objects[1]), "/y"), "a renamed object has its new name");
	check(world->objects[1]->unlinked.process == NULL, "and was not unlinked");
	end();
}

/* Who waits for a name may remove it before its maker, who was held up, has told of it. */
static void check_removed_early(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	start(11, BEGAN_exec, 1, 0);
	define(11, 1, 77);
	FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	define(10, 1, 77);
	open_object(10, "/x", 1, 3, true);
	check(world->object_count == 1 && world->objects[0]->created.process == process_of(10),
	      "what is removed before its making is told is one object");
	check(world->objects[0]->unlinked.process == process_of(11) && world->objects[0]->names[0].until,
	      "and has lost its name");
	define(10, 2, 78);
	open_object(10, "/x", 2, 4, true);
	check(!world->objects[1]->names[0].until, "the next of that name has it");
	end();
}

static uint32_t removal_found(int pid, uint32_t of, const char *name)
{
	return FEED(finding, pid, .rule = RULE_unlink_by_stranger, .of = of, .object = 1, .name = name);
}

/* Of a removal that was let go the finding is left, of a failed one that it failed may be; what is told of both counts once. */
static void check_removal_found(void)
{
	const struct object *object;
	uint32_t of;

	object = begin_shared();
	removal_found(11, ++seqs[11], "");
	check(!object->unlinked.process, "a finding without a name, as of a rename, tells of no removal");
	of = removal_found(11, ++seqs[11], "/dev/shm/x") - 1;
	check(object->unlinked.process == process_of(11) && !object_has_name(object),
	      "who removed an object is known by what was found at a call that was let go");
	FEED(failed, 11, .of = of, .error = EACCES);
	check(!object->unlinked.process && object_is_called(object, "/x"), "it may have failed");
	of = FEED(unlink, 11, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	removal_found(11, of, "/x");
	check(object->unlinked.process == process_of(11) && object->unlinked.time == now - 1,
	      "of one that is kept the call tells");
	FEED(failed, 11, .of = of, .error = EACCES);
	check(!object->unlinked.process && object_is_called(object, "/x"), "and is taken back once");
	removal_found(11, ++seqs[11], "/x");
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	check(object->unlinked.process == process_of(10), "a removal that is told later is the one that did not fail");
	end();
}

/* Without O_EXCL two that open at one time both looked before, and tell that they made it. */
static void check_made_by_two(void)
{
	begin();
	start_maker(10);
	start_maker(11);
	check(world->object_count == 1 && world->objects[0]->created.process == process_of(10),
	      "what two tell that they made is one object, of who told first");
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	start_maker(12);
	check(world->object_count == 1, "also once its name is gone, as long as somebody has it open");
	start(13, BEGAN_exec, 1, 0);
	define(13, 1, 77);
	FEED(shm_open, 13, .name = "/x", .result = 3, .object = 1, .flags = O_CREAT | O_EXCL, .created = true);
	check(world->object_count == 1 && world->objects[0]->created.process == process_of(13),
	      "who has made it with O_EXCL has made it");
	for (int pid = 10; pid < 14; pid++)
		FEED(close, pid, .fd = 3, .object = 1);
	start_maker(14);
	check(world->object_count == 1, "a tmpfs uses no inode number twice");
	for (int pid = 15; pid < 18; pid++) {
		start(pid, BEGAN_exec, 1, 0);
		define(pid, 1, 99);
		FEED(open, pid, .symbol = SYMBOL_open, .name = "/dev/shm/ext4/x", .result = 3, .object = 1,
		     .created = true);
		if (pid == 15)
			FEED(unlink, 15, .symbol = SYMBOL_unlink, .name = "/dev/shm/ext4/x", .object = 1);
		if (pid > 15) {
			check(world->object_count == (pid == 16 ? 2 : 3),
			      "what is mounted below does once nobody has it open");
			FEED(close, 15, .fd = 3, .object = 1);
			FEED(close, 16, .fd = 3, .object = 1);
		}
	}
	end();
}

static void check_forgetting(void)
{
	char name[32];

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	open_object(10, "/stays", 1, 3, true);
	map_at(10, 1, BASE, PAGE);
	for (uint32_t i = 2; i < 50000; i++) {
		snprintf(name, sizeof(name), "/x%u", i);
		define(10, i, 100 + i);
		open_object(10, name, i, 4, true);
		FEED(close, 10, .fd = 4, .object = i);
		FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = name, .object = i);
	}
	check(forgotten > 30000, "of many objects that are over most are forgotten");
	check(world->object_count + world->objects_forgotten == 49999, "and counted");
	unmap(10, BASE, PAGE);
	check(world->objects[0]->ino == 77 && world->objects[0]->maps == 1 && world->objects[0]->mappers == 0,
	      "one that is in use stays");
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x2");
	define(10, 2, 102);
	open_object(10, "/x2", 2, 4, true);
	check(!strcmp(object_name(world->objects[world->object_count - 1]), "/x2"), "a name can come again");
	end();
}

/* A finding that waits for what happens to an object keeps it no longer than anything can. */
static void check_charged(void)
{
	char name[32];

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	open_object(10, "/current", 1, 3, true);
	map_at(10, 1, BASE, PAGE);
	world->objects[0]->charges = 1;
	for (uint32_t i = 2; i < 20000; i++) {
		snprintf(name, sizeof(name), "/dev/shm/x%u", i);
		define(10, i, 100 + i);
		open_object(10, name, i, 4, true);
		world->objects[world->object_count - 1]->charges = 1;
		FEED(close, 10, .fd = 4, .object = i);
		FEED(rename, 10, .symbol = SYMBOL_rename, .from = name, .to = "/dev/shm/current", .object = i,
		     .replaced = i - 1);
	}
	check(forgotten > 5000 && overs >= forgotten,
	      "one that another was renamed over is over, whatever waits for it");
	check(world->objects[0]->ino == 77 && world->objects[0]->charges == 1, "not so one that is mapped");
	end();
}

/* Of a recording that let calls go, whose last look found nothing, the definitions alone of many objects are left. */
static void check_hearsay(void)
{
	struct recording recording = {.described = true, .newest = true, .lets_go = true, .looked = true, .device = 25};
	struct mentions *mentions = calloc(1, sizeof(*mentions));

	begin_of(&recording);
	map_put(&mentions->ids, 1, 0, mentions);
	map_put(&mentions->inodes, 79, 0, mentions);
	world_expect(world, mentions);
	start(10, BEGAN_exec, 1, 0);
	for (uint32_t i = 1; i < 20000; i++)
		FEED(object, 10, .id = i, .kind = KIND_shm, .dev = 25, .ino = 76 + i, .name = "/x", .mode = 0600);
	check(forgotten > 8000, "objects of which nothing but the definition is left are forgotten");
	check(world->objects[0]->ino == 77, "not so one of which a call is to come");
	check(world->objects[1]->ino == 79, "nor one that an image begins with");
	check(world->objects[2]->ino > 8000, "the latest stay");
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	check(world->objects[0]->unlinked.process == process_of(10), "the call finds it");
	check(world->object_count + world->objects_forgotten == 19999, "and all are counted");
	end();
}

int main(void)
{
	check_fork();
	check_parent_over();
	check_parents_over();
	check_defined_again();
	check_late_definition();
	check_images();
	check_late_child();
	check_names();
	check_removed_early();
	check_removal_found();
	check_made_by_two();
	check_forgetting();
	check_charged();
	check_hearsay();
	printf("1..%d\n", number);
	return failures != 0;
}
