#include "preload/moves.h"

#include <sys/mman.h>

#include "preload/ledger.h"
#include "preload/page.h"
#include "preload/recorder.h"

/* As many calls as are under way on small stacks, or are interrupted by each other's handlers, at a time. */
enum { KEPT = 16 };

enum kept_state { KEPT_FREE, KEPT_CHANGES, KEPT_WAITS };

static struct {
	atomic_int state;
	uint32_t seq;
	struct move move;
} kept[KEPT];

static atomic_int waiting;

void move_begin(struct move *m, const struct mremap_event *e)
{
	m->start = e->addr;
	m->length = page_round(e->length);
	m->new_length = page_round(e->new_length);
	m->stays = e->flags & MREMAP_DONTUNMAP;
	m->pieces.count = 0;
}

/* Only a range that is one mapping can grow. To shrink is to unmap the rest, and that may begin and end anywhere. */
static void piece_moved(const struct move *m, struct interval piece, uint64_t to)
{
	uint64_t skipped = piece.start < m->start ? m->start - piece.start : 0;
	bool grows = m->length == 0 || (m->new_length > m->length && piece.end == m->start + m->length);

	piece.offset += skipped;
	piece.start = to + (piece.start + skipped - m->start);
	piece.end = to + (piece.end - m->start);
	if (grows || piece.end > to + m->new_length)
		piece.end = to + m->new_length;
	if (piece.start < piece.end)
		ledger_restore(&piece);
}

void move_end(struct move *m, uint64_t result, bool failed)
{
	const struct account_pieces *pieces = &m->pieces;

	for (unsigned i = 0; i < pieces->count && m->length && (failed || m->stays); i++)
		ledger_restore(&pieces->piece[i]);
	for (unsigned i = 0; i < pieces->count && !failed; i++)
		piece_moved(m, pieces->piece[i], result);
	account_pieces_done(&m->pieces);
}

static bool keep_at(unsigned i, int over, const struct move *m, uint32_t seq)
{
	if (!atomic_compare_exchange_strong(&kept[i].state, &over, KEPT_CHANGES))
		return false;
	if (over == KEPT_WAITS)
		account_pieces_done(&kept[i].move.pieces);
	else
		atomic_fetch_add(&waiting, 1);
	kept[i].seq = seq;
	kept[i].move = *m;
	atomic_store(&kept[i].state, KEPT_WAITS);
	return true;
}

void move_keep(const struct move *m, uint32_t seq)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (keep_at(i, KEPT_FREE, m, seq))
			return;
	/* Some wait in vain, as a handler jumped out of the call: one has to go, and its mapping with it, or this one. */
	recorder_count_lost();
	if (!keep_at(seq % KEPT, KEPT_WAITS, m, seq)) {
		struct move lost = *m;
		account_pieces_done(&lost.pieces);
	}
}

void move_resume(const struct mremapped_event *e)
{
	for (unsigned i = 0; i < KEPT && atomic_load_explicit(&waiting, memory_order_relaxed); i++) {
		int waits = KEPT_WAITS;

		if (kept[i].seq != e->of || !atomic_compare_exchange_strong(&kept[i].state, &waits, KEPT_CHANGES))
			continue;
		move_end(&kept[i].move, e->result, e->error != 0);
		atomic_fetch_sub(&waiting, 1);
		atomic_store(&kept[i].state, KEPT_FREE);
		return;
	}
}

void move_fork_reset(void)
{
	for (unsigned i = 0; i < KEPT && atomic_load(&waiting); i++)
		atomic_store(&kept[i].state, KEPT_FREE);
	atomic_store(&waiting, 0);
}
