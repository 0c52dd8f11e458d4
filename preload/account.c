#include "preload/account.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "preload/check.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/moves.h"
#include "preload/page.h"

/* They ascend. What goes on where the last one ended is one mapping for the kernel, too. */
static void keep_piece(const struct interval *piece, void *context)
{
	struct account_pieces *pieces = context;
	struct interval *last = pieces && pieces->count ? &pieces->piece[pieces->count - 1] : NULL;

	if (last && last->end == piece->start && last->object == piece->object && last->dontfork == piece->dontfork &&
	    last->offset + (last->end - last->start) == piece->offset)
		last->end = piece->end;
	else if (pieces && pieces->count < sizeof pieces->piece / sizeof *pieces->piece) {
		atomic_fetch_add(&piece->object->pins, 1);
		pieces->piece[pieces->count++] = *piece;
	}
}

void account_pieces_done(struct account_pieces *pieces)
{
	while (pieces->count)
		atomic_fetch_sub(&pieces->piece[--pieces->count].object->pins, 1);
}

static bool account_unmap(uint64_t start, uint64_t length, uint32_t *object, struct account_pieces *pieces)
{
	*object = ledger_mapped(start, length);
	return ledger_unmap(start, length, keep_piece, pieces) > 0;
}

static void account_map(const struct mmap_event *e, const struct identity *identity)
{
	if (!e->error && identity)
		ledger_map(e->result, (e->length + identity->page - 1) & -identity->page, (uint64_t)e->offset,
			   identity);
}

/* What of the range is not mapped is an error, ENOMEM, and the rest has changed all the same. */
static void account_forking(const struct madvise_event *e)
{
	if ((e->advice == MADV_DONTFORK || e->advice == MADV_DOFORK) && (!e->error || e->error == ENOMEM))
		ledger_dontfork(e->addr, page_round(e->length), e->advice == MADV_DONTFORK);
}

/* The descriptor that the event says is there, or -1. */
static int32_t made_fd(enum event_id id, const union any_event *event)
{
	switch (id) {
	case EVENT_shm_open:
		return event->shm_open.result;
	case EVENT_open:
		return event->open.result;
	case EVENT_memfd_create:
		return event->memfd_create.result;
	case EVENT_recvmsg:
		return event->recvmsg.fd;
	case EVENT_dup:
		return event->dup.result;
	default:
		return -1;
	}
}

static void account_fd(int32_t fd, const struct identity *identity)
{
	if (fd >= 0 && identity)
		ledger_fd_set(fd, identity);
}

/*
 * The descriptor by which the call reached the object. That nothing told of before, a duplicate of what came over an exec or
 * one by a raw system call, is followed from now on: the trace has it, and is to have its end.
 */
static int32_t used_fd(enum event_id id, const union any_event *event)
{
	switch (id) {
	case EVENT_mmap:
		return event->mmap.fd;
	case EVENT_ftruncate:
		return event->ftruncate.fd;
	case EVENT_fallocate:
		return event->fallocate.fd;
	case EVENT_chmod:
		return event->chmod.fd;
	case EVENT_chown:
		return event->chown.fd;
	case EVENT_seal:
		return event->seal.fd;
	case EVENT_sendmsg:
		return event->sendmsg.fd;
	default:
		return -1;
	}
}

/* Its release may come before it is settled, and must not be taken for that of any memory or file. */
void account_expect(enum event_id id, const union any_event *event, const struct identity *identity)
{
	if (id == EVENT_mmap && !event->mmap.error)
		ledger_expect(event->mmap.result, event->mmap.result + event->mmap.length);
	if (identity) {
		ledger_expect_fd(made_fd(id, event));
		ledger_expect_fd(used_fd(id, event));
	}
}

static bool update(enum event_id id, union any_event *event, uint32_t object, const struct identity *identity,
		   struct account_pieces *pieces)
{
	uint64_t size = identity ? identity->size : 0;

	switch (id) {
#define HAS_OBJECT(name)                                                                                               \
	case EVENT_##name:                                                                                             \
		event->name.object = object;
#define HAS_SIZE(name)                                                                                                 \
	HAS_OBJECT(name)                                                                                               \
	event->name.size = size;
		HAS_SIZE(shm_open)
		account_fd(made_fd(EVENT_shm_open, event), identity);
		return true;
		HAS_SIZE(open)
		account_fd(made_fd(EVENT_open, event), identity);
		return true;
		HAS_OBJECT(memfd_create)
		account_fd(made_fd(EVENT_memfd_create, event), identity);
		return true;
		HAS_SIZE(recvmsg)
		account_fd(made_fd(EVENT_recvmsg, event), identity);
		return true;
		HAS_OBJECT(dup)
		account_fd(made_fd(EVENT_dup, event), identity);
		return true;
		HAS_SIZE(mmap)
		account_map(&event->mmap, identity);
		return true;
		HAS_SIZE(ftruncate)
		return true;
		HAS_SIZE(fallocate)
		return true;
		HAS_OBJECT(sem_open)
		return true;
		HAS_OBJECT(unlink)
		return true;
		HAS_OBJECT(rename)
		return true;
		HAS_OBJECT(link)
		return true;
		HAS_OBJECT(seal)
		return true;
		HAS_OBJECT(sendmsg)
		return true;
		HAS_OBJECT(chmod)
		return true;
		HAS_OBJECT(chown)
		return true;
	case EVENT_close:
		event->close.object = ledger_fd_clear(event->close.fd);
		return event->close.object != 0;
	case EVENT_munmap:
		return account_unmap(event->munmap.addr, page_round(event->munmap.length), &event->munmap.object,
				     pieces);
	case EVENT_mremap:
		event->mremap.object =
			ledger_mapped(event->mremap.addr, event->mremap.length ? event->mremap.length : 1);
		if (event->mremap.length)
			ledger_unmap(event->mremap.addr, page_round(event->mremap.length), keep_piece, pieces);
		else
			ledger_look(event->mremap.addr, 1, keep_piece, pieces);
		return event->mremap.object != 0;
	case EVENT_mremapped:
		move_resume(&event->mremapped);
		return true;
	case EVENT_mprotect:
		event->mprotect.object = ledger_mapped(event->mprotect.addr, event->mprotect.length);
		return event->mprotect.object != 0;
	case EVENT_madvise:
		event->madvise.object = ledger_mapped(event->madvise.addr, event->madvise.length);
		account_forking(&event->madvise);
		return event->madvise.object != 0;
	case EVENT_mlock:
		event->mlock.object = ledger_mapped(event->mlock.addr, event->mlock.length);
		return event->mlock.object != 0 || event->mlock.length == 0;
	case EVENT_mutex:
		event->mutex.object = ledger_mapped(event->mutex.addr, 1);
		return event->mutex.object != 0;
	case EVENT_sync:
		event->sync.object = event->sync.addr ? ledger_mapped(event->sync.addr, 1) : 0;
		return true;
	default:
		return true;
	}
}

/*
 * Who calls an object by its name alone, as chmod(2) does or what a policy denies, has not used it, nor has who may do no more
 * by the descriptor (O_PATH). sem_open(3) maps what it opens.
 */
static bool uses(enum event_id id, const struct identity *identity)
{
	if (identity->fd < 0)
		return id == EVENT_sem_open;
	long flags = kernel_call(SYS_fcntl, identity->fd, F_GETFL, 0, 0, 0, 0);
	return flags < 0 || !(flags & O_PATH);
}

bool account_event(enum event_id id, union any_event *event, const struct identity *identity,
		   struct account_pieces *pieces, struct accounted *accounted)
{
	*accounted = (struct accounted){0};
	if (identity) {
		int32_t fd = used_fd(id, event);

		accounted->object = ledger_object(identity, &accounted->is_new, &accounted->marks);
		if (fd >= 0 && ledger_fd(fd) != accounted->object)
			account_fd(fd, identity);
		if (!(accounted->marks & MARK_USED) && uses(id, identity))
			ledger_mark(identity, MARK_USED, 0);
	}
	return update(id, event, accounted->object, identity, pieces);
}
