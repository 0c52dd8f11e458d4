#include "tests/ledger/ledger.h"

#include "preload/ledger.h"
#include "preload/ledger_lock.h"
#include "preload/observe.h"

EXPORT void ledger_show_descriptors(void (*show)(const struct held *))
{
	for (int fd = ledger_fd_next(0, ~0u); fd >= 0; fd = ledger_fd_next((unsigned)fd + 1, ~0u)) {
		struct object object = {0};
		uint32_t id = ledger_fd(fd);
		for (unsigned i = 0; object.id != id && ledger_object_at(i, &object); i++)
			;
		show(&(struct held){(uint64_t)fd, (uint64_t)fd + 1, 0, object.dev, object.ino});
	}
}

static void show_piece(const struct interval *piece, void *context)
{
	void (**show)(const struct held *) = context;

	(*show)(&(struct held){piece->start, piece->end, piece->offset, piece->object->dev, piece->object->ino});
}

EXPORT void ledger_show_mappings(void (*show)(const struct held *))
{
	ledger_unmap(0, UINT64_MAX, show_piece, &show);
}

EXPORT void ledger_show_locked(void (*handler)(void))
{
	ledger_lock_hold();
	handler();
	ledger_lock_free();
}
