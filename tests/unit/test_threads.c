/*
 * Eight threads at what the preload shares between threads: the ledger, the queue of events, the table of descriptors.
 * Mostly for ThreadSanitizer (make tsan), which sees a race that does no harm here.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/account.c"
#include "preload/arena.c"
#include "preload/identity.c"
#include "preload/place.c"
#include "preload/text.c"
#include "preload/mounts.c"
#include "preload/intervals.c"
#include "preload/ledger.c"
#include "preload/ledger_fd.c"
#include "preload/ledger_lock.c"
#include "preload/moves.c"
#include "preload/objects.c"
#include "preload/above.c"
#include "preload/own.c"
#include "preload/own_symbol.c"
#include "preload/queue.c"
#include "preload/real.c"
#include "tests/unit/apart_stand_in.h"

atomic_bool recorder_blocks;
__thread struct thread recorder_thread;
atomic_bool recorder_filtered;
void enforce_hand_over(struct enforce_told *told, const void *caller)
{
	(void)caller;
	told->count = 0;
}
void recorder_count_lost(void)
{
}

enum { THREADS = 8, PAGE = 4096, ROUNDS = 3000, PAGES = 64, NUMBERS = 8 };

static const uint64_t base = 0x7f0000000000u;
static unsigned tests, failures;
static atomic_uint put, settled, settling, out_of_order;

static void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

static void settle(struct queued *queued)
{
	static unsigned last[THREADS];
	unsigned thread = (unsigned)queued->event.munmap.addr, number = (unsigned)queued->event.munmap.length;

	out_of_order += number <= last[thread];
	last[thread] = number;
	settled++;
}

/* As observe.c does: one settles at a time, whoever comes. */
static void settle_all(void)
{
	unsigned nobody = 0;

	while (queue_any() && atomic_compare_exchange_strong(&settling, &nobody, 1)) {
		bool more = queue_settle(settle);
		atomic_store(&settling, 0);
		if (!more)
			break;
	}
}

static void queue_one(unsigned thread, unsigned number)
{
	union any_event event = {.munmap = {.addr = thread, .length = number}};
	uint64_t frames[STACK_ROOM] = {0};

	while (!queue_put(EVENT_munmap, &event, NULL, NULL, NULL, frames, 1))
		settle_all();
	put++;
	if (number % 16 == 0)
		settle_all();
}

/* Its own pages and numbers, and objects that all share, some of which are forgotten meanwhile. */
static void hold_some(uint64_t own, unsigned thread, unsigned *seed)
{
	uint64_t at = own + (unsigned)rand_r(seed) % PAGES * PAGE, length = (1 + (unsigned)rand_r(seed) % 8) * PAGE;
	struct identity identity = {.dev = 27, .ino = 1 + (unsigned)rand_r(seed) % 9000, .page = PAGE, .fd = -1};
	int fd = (int)(thread * NUMBERS + (unsigned)rand_r(seed) % NUMBERS);
	struct account_pieces pieces = {0};
	struct accounted accounted;
	union any_event map = {.mmap = {.result = at, .length = length, .fd = fd}},
			unmap = {.munmap = {.addr = at, .length = length}};

	account_event(EVENT_mmap, &map, &identity, NULL, &accounted);
	ledger_fd_set(fd, &identity);
	ledger_mark(&identity, 1, 2);
	ledger_mapped_end(&identity);
	if (rand_r(seed) % 2)
		account_event(EVENT_munmap, &unmap, NULL, &pieces, &accounted);
	for (unsigned i = 0; i < pieces.count && rand_r(seed) % 2; i++)
		ledger_restore(&pieces.piece[i]);
	account_pieces_done(&pieces);
	if (rand_r(seed) % 2)
		ledger_fd_clear(fd);
	ledger_fd_next(0, ~0u);
}

static void *work(void *context)
{
	unsigned thread = (unsigned)(size_t)context, seed = thread;
	uint64_t own = base + thread * 2ull * PAGES * PAGE;

	for (unsigned i = 1; i <= ROUNDS; i++) {
		hold_some(own, thread, &seed);
		queue_one(thread, i);
	}
	ledger_unmap(own, 2ull * PAGES * PAGE, NULL, NULL);
	for (unsigned i = 0; i < NUMBERS; i++)
		ledger_fd_clear((int)(thread * NUMBERS + i));
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct object object;
	unsigned held = 0;

	real_resolve();
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	settle_all();
	check(put == THREADS * ROUNDS && settled == put && !queue_any(), "every queued event is settled, once");
	check(out_of_order == 0, "and those of a thread in their order");
	for (unsigned i = 0; ledger_object_at(i, &object); i++)
		held += object.holders + object.pins;
	check(!mappings.root && ledger_fd_next(0, ~0u) < 0 && held == 0, "nothing is held when all gave up theirs");
	printf("1..%u\n", tests);
	return failures != 0;
}
