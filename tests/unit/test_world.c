/* The model, fed by hand: mappings, forks, what failed and was taken back, what is missing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "analyzer/world_feed.h"
#include "analyzer/world_holdings.h"

#define PAGE 4096u
#define BASE 0x7f0000000000u
#define PIDS 1000

static int number, failures;
static struct world *world;
static uint32_t seqs[PIDS];
static int64_t now;
static int forgotten, endings, renewals, misses, double_unlinks;

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static void on_ending(void *context, struct process *process)
{
	(void)context;
	(void)process;
	endings++;
}

static void on_used(void *context, struct process *process, const struct use *use)
{
	(void)context;
	(void)process;
	(void)use;
}

static void on_renewed(void *context, struct process *process, const struct name_state *name, const struct site *site)
{
	(void)context;
	(void)process;
	(void)name;
	(void)site;
	renewals++;
}

static void on_missed(void *context, struct process *process, const struct name_state *name, const struct site *site)
{
	(void)context;
	(void)process;
	(void)site;
	misses += name->object != NULL;
}

static void on_unlink_missed(void *context, struct process *process, const struct name_state *name,
			     const struct site *site)
{
	(void)context;
	(void)process;
	(void)site;
	double_unlinks += name->removed.process != NULL;
}

static void on_forgotten(void *context, const struct object *object)
{
	(void)context;
	(void)object;
	forgotten++;
}

static const struct watcher watcher = {.ending = on_ending,
				       .used = on_used,
				       .renewed = on_renewed,
				       .missed = on_missed,
				       .unlink_missed = on_unlink_missed,
				       .forgotten = on_forgotten};

static void begin(void)
{
	memset(seqs, 0, sizeof(seqs));
	forgotten = endings = renewals = misses = double_unlinks = 0;
	now = 1000;
	world = world_new(NULL, &watcher);
}

static void end(void)
{
	world_finish(world);
	world_free(world);
}

/* The head is filled in here; returns the event's sequence number. */
static uint32_t feed(enum event_id id, int pid, union any_event event)
{
	struct trace_event out = {.id = id, .time = ++now, .host = "box", .event = event};

	out.event.head.recording = 1;
	out.event.head.pid = out.event.head.tid = pid;
	out.event.head.seq = ++seqs[pid];
	if (out.event.head.stack == 0)
		out.event.head.stack = 1;
	world_take(world, &out);
	return seqs[pid];
}

#define FEED(name, pid, ...) feed(EVENT_##name, pid, (union any_event){.name = (struct name##_event){__VA_ARGS__}})

static void start(int pid, enum began began, int parent, uint32_t parent_seq)
{
	seqs[pid] = 0;
	FEED(process, pid, .began = (uint8_t)began, .parent = parent, .parent_seq = parent_seq, .exe = "/bin/p",
	     .argv = "p");
}

static void define(int pid, uint32_t id, uint64_t ino)
{
	FEED(object, pid, .id = id, .kind = KIND_shm, .dev = 25, .ino = ino, .name = "");
}

static void open_object(int pid, const char *name, uint32_t id, int fd, bool created)
{
	FEED(shm_open, pid, .name = name, .result = fd, .object = id, .created = created);
}

static uint32_t map_at(int pid, uint32_t id, uint64_t address, uint64_t length)
{
	return FEED(mmap, pid, .length = length, .prot = 3, .flags = MAP_SHARED, .fd = -1, .result = address,
		    .object = id, .size = length);
}

static uint32_t unmap(int pid, uint64_t address, uint64_t length)
{
	return FEED(munmap, pid, .addr = address, .length = length);
}

static const struct process *process_of(int pid)
{
	const struct process *found = NULL;

	for (size_t i = 0; i < world->process_count; i++)
		if (world->processes[i]->pid == pid)
			found = world->processes[i];
	return found;
}

static uint64_t bytes_of(int pid)
{
	const struct holdings *holdings = process_of(pid)->holdings;
	uint64_t bytes = 0;

	for (size_t i = 0; i < holdings->piece_count; i++)
		bytes += holdings->pieces[i].end - holdings->pieces[i].start;
	return bytes;
}

static uint64_t pieces_of(int pid)
{
	return process_of(pid)->holdings->piece_count;
}

static uint64_t outstanding(int pid)
{
	const struct tally *tally = map_get(&process_of(pid)->holdings->tallies, TALLY_mapping, 1);

	return tally ? tally->outstanding : 0;
}

static void check_intervals(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	map_at(10, 1, BASE, 4 * PAGE);
	check(bytes_of(10) == 4 * PAGE && outstanding(10) == 1, "a mapping is held");
	unmap(10, BASE + PAGE, PAGE);
	check(pieces_of(10) == 2 && bytes_of(10) == 3 * PAGE, "a hole in its middle leaves two pieces");
	check(outstanding(10) == 1 && world->objects[0]->mappers == 1, "which still are one mapping");
	unmap(10, BASE, PAGE);
	unmap(10, BASE + 2 * PAGE, 1);
	check(pieces_of(10) == 1 && bytes_of(10) == PAGE, "lengths are rounded up to pages");
	unmap(10, BASE - 16 * PAGE, 64 * PAGE);
	check(pieces_of(10) == 0 && outstanding(10) == 0 && world->objects[0]->mappers == 0,
	      "a wide munmap takes the rest");
	for (unsigned i = 0; i < 8; i++)
		map_at(10, 1, BASE + 2 * i * PAGE, PAGE);
	unmap(10, BASE + PAGE, 10 * PAGE);
	check(pieces_of(10) == 3 && outstanding(10) == 3, "a munmap over several takes just those inside");
	map_at(10, 1, BASE, 16 * PAGE);
	check(pieces_of(10) == 1 && outstanding(10) == 1, "a mapping over what is held replaces it");
	unmap(10, UINT64_MAX - PAGE, UINT64_MAX);
	check(pieces_of(10) == 1, "an absurd range takes nothing");
	end();
}

static void check_mremap(void)
{
	uint32_t of;

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	map_at(10, 1, BASE, 2 * PAGE);
	of = FEED(mremap, 10, .addr = BASE, .length = 2 * PAGE, .new_length = 8 * PAGE, .flags = MREMAP_MAYMOVE,
		  .object = 1);
	check(pieces_of(10) == 0, "while it moves it is nowhere");
	FEED(mremapped, 10, .of = of, .result = BASE + 64 * PAGE);
	check(bytes_of(10) == 8 * PAGE && outstanding(10) == 1, "a moved mapping has its new length");
	of = FEED(mremap, 10, .addr = BASE + 64 * PAGE, .length = 8 * PAGE, .new_length = 16 * PAGE, .object = 1);
	FEED(mremapped, 10, .of = of, .result = UINT64_MAX, .error = ENOMEM);
	check(bytes_of(10) == 8 * PAGE && outstanding(10) == 1, "one that could not grow stays what it was");
	of = FEED(mremap, 10, .addr = BASE + 64 * PAGE, .length = 0, .new_length = PAGE, .flags = MREMAP_MAYMOVE,
		  .object = 1);
	FEED(mremapped, 10, .of = of, .result = BASE);
	check(bytes_of(10) == 9 * PAGE, "mremap from length 0 maps a second time");
	end();
}

/* Shrinking is all that mremap(2) does to a range of several mappings. */
static void check_mremap_of_several(void)
{
	const struct piece *piece;
	uint32_t of;

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	define(10, 2, 78);
	map_at(10, 1, BASE, 4 * PAGE);
	map_at(10, 2, BASE + 2 * PAGE, 4 * PAGE);
	of = FEED(mremap, 10, .addr = BASE + PAGE, .length = 5 * PAGE, .new_length = 3 * PAGE, .object = 1);
	FEED(mremapped, 10, .of = of, .result = BASE + PAGE);
	piece = holdings_piece(process_of(10), BASE + 3 * PAGE);
	check(piece && piece->from->object->ino == 78 && piece->start - piece->from->base == 0 &&
		      piece->end == BASE + 4 * PAGE,
	      "each part of a range that shrinks stays its object's");
	piece = holdings_piece(process_of(10), BASE + PAGE);
	check(piece && piece->from->object->ino == 77 && piece->start - piece->from->base == PAGE &&
		      bytes_of(10) == 4 * PAGE && outstanding(10) >= 2,
	      "the part of one that was not moved stays where it is");
	of = FEED(mremap, 10, .addr = BASE - PAGE, .length = 3 * PAGE, .new_length = PAGE, .object = 1);
	FEED(mremapped, 10, .of = of, .result = BASE - PAGE);
	check(bytes_of(10) == 2 * PAGE && !holdings_piece(process_of(10), BASE),
	      "what is cut off is gone, though the range began before it");
	unmap(10, BASE, BASE + 8 * PAGE);
	check(pieces_of(10) == 0 && outstanding(10) == 0, "and all of it can be unmapped");
	end();
}

/* Others go on while the kernel has not come back to the thread that moves one. */
static void check_long_mremap(void)
{
	uint32_t of;

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	map_at(10, 1, BASE, 2 * PAGE);
	of = FEED(mremap, 10, .addr = BASE, .length = 2 * PAGE, .new_length = 2 * PAGE, .object = 1);
	for (int i = 0; i < 5000; i++) {
		map_at(10, 1, BASE + 8 * PAGE, PAGE);
		unmap(10, BASE + 8 * PAGE, PAGE);
	}
	FEED(mremapped, 10, .of = of, .result = BASE + 64 * PAGE);
	check(bytes_of(10) == 2 * PAGE && outstanding(10) == 1, "a mapping that moves for long is not forgotten");
	for (int i = 0; i < 5000; i++) {
		map_at(10, 1, BASE + 8 * PAGE, 2 * PAGE);
		FEED(mremap, 10, .addr = BASE + 8 * PAGE, .length = PAGE, .new_length = PAGE, .object = 1);
	}
	unmap(10, BASE, 128 * PAGE);
	check(pieces_of(10) == 0, "nor do those whose end is missing stay for ever");
	end();
}

static void check_failed(void)
{
	uint32_t of;

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	open_object(10, "/x", 1, 3, true);
	map_at(10, 1, BASE, 4 * PAGE);
	of = unmap(10, BASE, 4 * PAGE);
	FEED(failed, 10, .of = of, .error = EINVAL);
	check(bytes_of(10) == 4 * PAGE && outstanding(10) == 1 && world->objects[0]->mappers == 1,
	      "a munmap that failed is taken back");
	of = FEED(close, 10, .fd = 3, .object = 1);
	check(world->objects[0]->openers == 0, "a descriptor is closed");
	FEED(failed, 10, .of = of, .error = EIO);
	check(world->objects[0]->openers == 1, "and open again when close failed");
	of = FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	check(world->objects[0]->names[0].until && world->objects[0]->unlinked.process, "a name is removed");
	FEED(failed, 10, .of = of, .error = EACCES);
	check(!world->objects[0]->names[0].until && !world->objects[0]->unlinked.process,
	      "and back again when unlink failed");
	FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x", .object = 1);
	of = FEED(unlink, 10, .symbol = SYMBOL_shm_unlink, .name = "/x");
	FEED(failed, 10, .of = of, .error = ENOENT);
	check(double_unlinks == 1, "the second unlink of a name is told");
	FEED(failed, 10, .of = 4000, .error = EINVAL);
	check(bytes_of(10) == 4 * PAGE, "the failure of something unknown changes nothing");
	end();
}

static void check_fork(void)
{
	uint32_t forked;

	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	open_object(10, "/x", 1, 3, true);
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

static uint32_t advise(uint64_t address, int advice, int16_t error)
{
	return FEED(madvise, 10, .addr = address, .length = 2 * PAGE - 1, .advice = (uint32_t)advice, .error = error);
}

static void check_dontfork(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	map_at(10, 1, BASE, 4 * PAGE);
	start(11, BEGAN_fork, 10, advise(BASE + 3 * PAGE, MADV_DONTFORK, ENOMEM));
	check(bytes_of(11) == 3 * PAGE && bytes_of(10) == 4 * PAGE, "a child lacks what is MADV_DONTFORK");
	advise(BASE, MADV_DONTFORK, 0);
	advise(BASE, MADV_DOFORK, 0);
	start(12, BEGAN_fork, 10, seqs[10] - 1);
	check(bytes_of(12) == PAGE, "as it was at the fork");
	unmap(10, BASE, 4 * PAGE);
	check(outstanding(10) == 0 && bytes_of(10) == 0, "it is one mapping all the same");
	start(13, BEGAN_fork, 10, seqs[10] - 1);
	check(bytes_of(13) == 3 * PAGE, "MADV_DOFORK lets a child have it");
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

static void check_names(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	open_object(10, "/x", 1, 3, true);
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

int main(void)
{
	check_intervals();
	check_mremap();
	check_mremap_of_several();
	check_long_mremap();
	check_failed();
	check_fork();
	check_dontfork();
	check_late_definition();
	check_images();
	check_lost();
	check_names();
	check_forgetting();
	printf("1..%d\n", number);
	return failures != 0;
}
