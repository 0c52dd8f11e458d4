#include "preload/turns.h"

#include <stdatomic.h>

#include "preload/observe.h"
#include "preload/own.h"
#include "preload/recorder.h"

enum { MEANS_unknown, MEANS_seen, MEANS_told };

static atomic_uchar means[SYMBOL_COUNT];

/* One of two threads, or the one that loads the recorder, gets to tell it. */
static bool is_mine(enum symbol symbol)
{
	unsigned char seen = MEANS_seen;

	return atomic_compare_exchange_strong(&means[symbol], &seen, MEANS_told);
}

void turns_taken(enum symbol symbol, const void *addr, const void *caller)
{
	struct visit visit;

	if (atomic_load_explicit(&means[symbol], memory_order_relaxed) != MEANS_unknown ||
	    atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_OFF || own_caller(caller))
		return;
	atomic_store(&means[symbol], MEANS_seen);
	if (atomic_load(&recorder_state) != RECORDER_READY || !observe_enter(&visit, caller))
		return;
	if (is_mine(symbol))
		RECORD(&visit, sync, NULL, .symbol = (uint16_t)symbol, .addr = (uint64_t)(uintptr_t)addr);
	observe_leave(&visit);
}

void turns_tell(void)
{
	for (unsigned symbol = 0; symbol < SYMBOL_COUNT; symbol++) {
		struct sync_event e = {.symbol = (uint16_t)symbol};

		if (!is_mine((enum symbol)symbol))
			continue;
		recorder_head((struct event_head *)&e);
		recorder_emit->sync(&e);
	}
}
