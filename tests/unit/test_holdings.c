/* The model, fed by hand: what a process maps and opens, what moves, and what failed and was taken back. */
#include "analyzer/holders.h"
#include "tests/unit/world_by_hand.h"

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

/* A child tells of itself when its parent has gone on: what mremap(2) did since the fork is not the child's. */
static void check_mremap_after_fork(void)
{
	static const struct {
		uint64_t new_length, to;
		uint32_t flags;
		const char *what;
	} ways[] = {
		{PAGE, BASE, 0, "made shorter"},
		{16 * PAGE, BASE, 0, "made longer where it is"},
		{8 * PAGE, BASE + 64 * PAGE, MREMAP_MAYMOVE, "moved"},
		{8 * PAGE, BASE + 128 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, "moved onto another"},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		uint32_t forked, of;
		const struct piece *piece, *other;

		begin();
		start_maker(10);
		map_at(10, 1, BASE, 8 * PAGE);
		forked = map_at(10, 1, BASE + 128 * PAGE, 8 * PAGE);
		of = FEED(mremap, 10, .addr = BASE, .length = 8 * PAGE, .new_length = ways[i].new_length,
			  .flags = ways[i].flags, .object = 1);
		FEED(mremapped, 10, .of = of, .result = ways[i].to);
		start(11, BEGAN_fork, 10, forked);
		piece = holdings_piece(process_of(11), BASE);
		other = holdings_piece(process_of(11), BASE + 128 * PAGE);
		check(bytes_of(11) == 16 * PAGE && piece && piece->end == BASE + 8 * PAGE && other &&
			      other->end == BASE + 136 * PAGE,
		      ways[i].what);
		start(12, BEGAN_fork, 10, seqs[10]);
		check(bytes_of(12) == bytes_of(10), "a child that was forked after it has what its parent has");
		check(world->objects[0]->mappers == pieces_of(10) + pieces_of(11) + pieces_of(12),
		      "and all are counted");
		end();
	}
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
	start_maker(10);
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

static void check_holders(void)
{
	const struct object *object = begin_shared();
	const struct holder *of;
	struct holders holders;
	size_t count;

	map_at(11, 1, BASE + 8 * PAGE, PAGE);
	map_at(11, 2, BASE, PAGE);
	define(11, 2, 77);
	define(11, 3, 78);
	map_at(11, 3, BASE + 16 * PAGE, PAGE);
	holders = holders_collect(world);
	of = holders_of(&holders, object, &count);
	check(count == 3 && of[0].process->pid == 10 && of[0].descriptor->fd == 3, "who has an object open holds it");
	check(of[1].piece && of[1].piece->start == BASE && of[2].piece->start == BASE + 8 * PAGE,
	      "who maps it, by address, whatever it was called before it was known to be the same");
	holders_of(&holders, world->objects[2], &count);
	check(count == 1, "another has its own");
	holders_of(&holders, NULL, &count);
	check(count == 0, "nothing is held by nobody");
	holders_free(&holders);
	end();
}

int main(void)
{
	check_intervals();
	check_mremap();
	check_mremap_after_fork();
	check_mremap_of_several();
	check_long_mremap();
	check_failed();
	check_dontfork();
	check_holders();
	printf("1..%d\n", number);
	return failures != 0;
}
