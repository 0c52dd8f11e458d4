#include "preload/wipe.h"

#include <string.h>
#include <sys/stat.h>

#include "preload/apart.h"
#include "preload/held.h"
#include "preload/kernel.h"
#include "preload/page.h"
#include "preload/text.h"
#include "preload/unsignalled.h"

enum { PIECE = 64 * 1024, RESERVE_PIECE = 64 << 20, WIPE_PIECE = 64 << 20, LOOK_AGAIN_MS = 100 };

/* Where holes cannot be told, no more than so much is read. */
static const uint64_t READ_AT_MOST = 1 << 30;

/*
 * It is looked at through another descriptor, as the program's own may be unable to read, and has an offset that is the
 * program's. What opens one has gone through apart_run().
 */

/*
 * The number may be another file's by now, where the program closes what is not its own (-ESTALE). identity NULL: it is the
 * one of the very call that the program makes.
 */
static long reopen(int fd, const struct identity *identity, int flags)
{
	return identity ? text_reopen_same(fd, flags, identity->dev, identity->ino) : text_reopen(fd, flags);
}

static bool leads_to(int fd, const struct identity *identity, struct stat *st)
{
	return kernel_stat(fd, st) == 0 && (!identity || (st->st_dev == identity->dev && st->st_ino == identity->ino));
}

/*
 * The program's own will do if it may write: to open the object again there may be no right any more, nor a path. Only by a
 * place that is given, never by its offset: with O_APPEND what is written goes to the end. To be given to held_done().
 */
static long open_to_write(int fd, const struct identity *identity)
{
	struct stat st;

	return apart_has_own() && held_allows(fd, O_WRONLY) && leads_to(fd, identity, &st)
		       ? fd
		       : reopen(fd, identity, O_WRONLY);
}

/* Where its data lies is known to who may only write it, too. Who has a lease on it is not waited for (-EAGAIN). */
static long reopen_to_look(int fd, const struct identity *identity)
{
	long own = reopen(fd, identity, O_RDONLY | O_NONBLOCK);

	return own == -EACCES ? reopen(fd, identity, O_WRONLY | O_NONBLOCK) : own;
}

/* What has no pages at all is known without a right to it. */
static bool is_bare(int fd, const struct identity *identity)
{
	struct stat st;

	return leads_to(fd, identity, &st) && !st.st_blocks;
}

bool wipe_refused(int fd, int access)
{
	return kernel_call(SYS_faccessat2, fd, (long)"", access, AT_EACCESS | AT_EMPTY_PATH, 0, 0) == -EACCES;
}

int wipe_open(int dirfd, const char *path)
{
	long fd = kernel_call(SYS_openat, dirfd, (long)path, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, 0, 0);

	if (fd >= 0 && wipe_refused((int)fd, R_OK) && wipe_refused((int)fd, W_OK) && !is_bare((int)fd, NULL) &&
	    !held_reaches((int)fd)) {
		kernel_close((int)fd);
		return -EACCES;
	}
	return (int)fd;
}

static uint64_t round_up(uint64_t bytes, uint64_t page)
{
	return (bytes + page - 1) & -page;
}

typedef bool extent_function(int fd, uint64_t from, uint64_t to, char *buffer);

/* For every piece until one answers true. */
static bool any_piece(int fd, uint64_t at, uint64_t stop, extent_function *each, char *buffer)
{
	for (; at < stop; at += PIECE)
		if (each(fd, at, stop - at < PIECE ? stop : at + PIECE, buffer))
			return true;
	return false;
}

/* Calls `each` for every piece of every extent with data from `at` to `end` until one answers true. */
static bool any_extent(int fd, uint64_t at, uint64_t end, extent_function *each, char *buffer)
{
	while (at < end) {
		long data = kernel_call(SYS_lseek, fd, (long)at, SEEK_DATA, 0, 0, 0);
		if (data < 0)
			return false;
		long hole = kernel_call(SYS_lseek, fd, data, SEEK_HOLE, 0, 0, 0);
		uint64_t stop = hole < 0 || (uint64_t)hole > end ? end : (uint64_t)hole;
		/* A device has no extents. */
		if ((uint64_t)data < at || (stop <= (uint64_t)data && stop < end))
			return true;
		if (any_piece(fd, (uint64_t)data, stop, each, buffer))
			return true;
		at = stop;
	}
	return false;
}

static bool piece_has_data(int fd, uint64_t from, uint64_t to, char *buffer)
{
	long got = kernel_call(SYS_pread64, fd, (long)buffer, (long)(to - from), (long)from, 0, 0);

	for (long i = 0; i < got; i++)
		if (buffer[i])
			return true;
	/* What cannot be read must not be taken for empty. */
	return got < 0;
}

static bool piece_not_zeroed(int fd, uint64_t from, uint64_t to, char *buffer)
{
	while (from < to) {
		long put = unsignalled_pwrite(fd, buffer, to - from, from);
		if (put <= 0)
			return true;
		from += (uint64_t)put;
	}
	return false;
}

/* own: a new open file description, so that the program's file offset stays where it is, or -errno; it is closed. */
static bool over_extents(long own, uint64_t from, uint64_t to, extent_function *each)
{
	char *buffer = kernel_memory(PIECE);
	bool any = own < 0 || !buffer || any_extent((int)own, from, to, each, buffer);

	if (own >= 0)
		kernel_close((int)own);
	if (buffer)
		kernel_memory_free(buffer, PIECE);
	return any;
}

struct range {
	int fd;
	const struct identity *identity;
	uint64_t from, to;
};

static long has_data(void *context)
{
	const struct range *range = context;
	long own = reopen_to_look(range->fd, range->identity);

	if (own < 0)
		return is_bare(range->fd, range->identity) ? 0 : own;
	return over_extents(own, range->from, range->to, piece_has_data);
}

static long has_data_by_itself(void *context)
{
	const struct range *range = context;
	struct stat st;
	bool reads = range->to <= READ_AT_MOST && apart_has_own() && leads_to(range->fd, range->identity, &st);
	char *buffer = reads ? kernel_memory(PIECE) : NULL;
	bool any = !buffer || any_piece(range->fd, range->from, range->to, piece_has_data, buffer);

	if (buffer)
		kernel_memory_free(buffer, PIECE);
	return any;
}

bool wipe_has_data(int fd, const struct identity *identity)
{
	struct range range = {fd, identity, 0, identity->size};
	long found = identity->size ? apart_run(fd, has_data, &range) : 0;

	if (found < 0 && (range.fd = held_descriptor(identity, O_RDONLY)) >= 0)
		found = apart_run(range.fd, has_data_by_itself, &range);
	return found;
}

static long punch(int fd, const struct identity *identity, uint64_t from, uint64_t to)
{
	long own = open_to_write(fd, identity), result = own < 0 ? own : kernel_punch((int)own, from, to);

	held_done(own, fd);
	return result;
}

static long punch_range(void *context)
{
	const struct range *range = context;

	return punch(range->fd, range->identity, range->from, range->to);
}

long wipe_punch(int fd, uint64_t from, uint64_t to)
{
	return apart_run(fd, punch_range, &(struct range){fd, NULL, from, to});
}

static uint64_t now_ms(void)
{
	return kernel_clock(CLOCK_MONOTONIC) / 1000000;
}

/* Zeros over the data: the pages stay. Past the object's end a hole is made, which in a part of a page is zeros. */
static bool overwrite(int fd, const struct identity *identity, uint64_t from, uint64_t to)
{
	uint64_t size = identity->size;

	return !over_extents(reopen(fd, identity, O_WRONLY), from, to < size ? to : size, piece_not_zeroed) &&
	       (to <= size || punch(fd, identity, size, to) == 0);
}

/* Where the next data lies from *at on, by whole pages; false: nowhere. What cannot be known is passed by no step. */
static bool next_data(int fd, const struct identity *identity, uint64_t *at)
{
	long own = reopen_to_look(fd, identity),
	     data = own < 0 ? own : kernel_call(SYS_lseek, own, (long)*at, SEEK_DATA, 0, 0, 0);

	if (own >= 0)
		kernel_close((int)own);
	if (data >= 0)
		*at = (uint64_t)data & -identity->page;
	return data != -ENXIO;
}

struct wiping {
	int fd;
	const struct identity *identity;
	uint64_t at, end;
	bool reserved, found; /* data at `at` */
};

static bool find_more(struct wiping *w)
{
	return w->at < w->end && next_data(w->fd, w->identity, &w->at) && w->at < w->end;
}

/* The next piece of it that has data: -errno, or whether there is more. */
static long wipe_piece(void *context)
{
	struct wiping *w = context;

	if (!w->found && !find_more(w))
		return 0;
	uint64_t from = w->at, to = w->end - from < WIPE_PIECE ? w->end : from + WIPE_PIECE;
	long result = w->reserved && overwrite(w->fd, w->identity, from, to) ? 0 : punch(w->fd, w->identity, from, to);
	w->found = true;
	if (result < 0)
		return result;
	w->at = to;
	w->found = find_more(w);
	return w->found;
}

/* The same by what the program has of it, where it is refused by the descriptor that was given. */
static long wipe_piece_as_can_be(struct wiping *w)
{
	long more = apart_run(w->fd, wipe_piece, w), again = more;
	int own = more < 0 ? held_descriptor(w->identity, O_WRONLY) : -1;

	if (own >= 0 && own != w->fd) {
		w->fd = own;
		again = apart_run(own, wipe_piece, w);
	}
	if (again < 0 && held_punch(w->identity, w->at, w->end) == 0)
		again = 0;
	return again < 0 ? more : again;
}

int wipe_object(int fd, const struct identity *identity, bool goes_on, bool (*unused)(const struct identity *identity))
{
	/* Up to the page's end: what lies past the object's own end becomes readable when it grows. */
	uint64_t end = round_up(identity->size, identity->page), looked = now_ms();
	struct wiping w = {.fd = fd,
			   .identity = identity,
			   .end = end,
			   .reserved =
				   goes_on && !identity->huge && identity->allocated >= end && !wipe_refused(fd, R_OK)};
	long more;

	while ((more = wipe_piece_as_can_be(&w)) > 0) {
		if (unused && now_ms() - looked > LOOK_AGAIN_MS) {
			if (!unused(identity))
				return EBUSY;
			looked = now_ms();
		}
	}
	if (more < 0)
		return (int)-more;
	/* Of huge pages the kernel frees whole ones only, and says nothing of the others. */
	return wipe_has_data(w.fd, identity) ? EOPNOTSUPP : 0;
}

/* How much of [from, to) has data, by whole pages: what is reserved and untouched counts as a hole. */
static uint64_t data_within(int fd, uint64_t from, uint64_t to)
{
	uint64_t sum = 0;

	while (from < to) {
		long data = kernel_call(SYS_lseek, fd, (long)from, SEEK_DATA, 0, 0, 0);
		if (data < 0 || (uint64_t)data >= to)
			break;
		long hole = kernel_call(SYS_lseek, fd, data, SEEK_HOLE, 0, 0, 0);
		from = hole < 0 ? to : page_round((uint64_t)hole);
		from = from < to ? from : to;
		sum += from - (uint64_t)data;
	}
	return sum;
}

static long held(void *context)
{
	const struct range *range = context;
	long own = reopen_to_look(range->fd, range->identity);

	if (own < 0)
		return own;
	uint64_t bytes = data_within((int)own, range->from, range->to);
	kernel_close((int)own);
	return (long)bytes;
}

long wipe_held(int fd, const struct identity *identity, uint64_t from, uint64_t to)
{
	return apart_run(fd, held, &(struct range){fd, identity, from, to});
}

static void free_range(int fd, uint64_t from, uint64_t to)
{
	if (from < to)
		kernel_punch(fd, from, to);
}

/* Where somebody has stored something, if only meanwhile, there is no hole any more. */
static void free_holes(int fd, int looks, uint64_t from, uint64_t to)
{
	while (from < to) {
		long data = kernel_call(SYS_lseek, looks, (long)from, SEEK_DATA, 0, 0, 0);
		if (data < 0 && data != -ENXIO)
			return;
		uint64_t end = data < 0 || (uint64_t)data > to ? to : (uint64_t)data;
		free_range(fd, from, end);
		long hole = end < to ? kernel_call(SYS_lseek, looks, (long)end, SEEK_HOLE, 0, 0, 0) : -ENXIO;
		if (hole <= (long)end)
			return;
		from = page_round((uint64_t)hole);
	}
}

struct reserving {
	const struct range *range;
	int fd;
	uint64_t at; /* how far it came */
};

/*
 * Behind the end, whoever has moved that since, all that was reserved goes. Up to it only what is new: of what was reserved
 * before, and untouched, the kernel makes data when it is reserved once more.
 */
static void unreserve(const struct reserving *r)
{
	uint64_t from = r->range->from;
	struct stat st;

	if (kernel_stat(r->fd, &st) < 0)
		return;
	uint64_t end = round_up((uint64_t)st.st_size, (uint64_t)st.st_blksize), new_end = r->at < end ? r->at : end;
	free_range(r->fd, from > end ? from : end, r->range->to);
	/* By a file offset of its own. */
	long looks = from < new_end ? reopen_to_look(r->range->fd, r->range->identity) : -1;
	if (looks < 0)
		return;
	free_holes(r->fd, (int)looks, from, new_end);
	kernel_close((int)looks);
}

static uint64_t allocated(int fd)
{
	struct stat st;

	return kernel_stat(fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

static long reserve_pieces(struct reserving *r)
{
	uint64_t before = allocated(r->fd), to = r->range->to;
	long result = 0;

	while (r->at < to && !result) {
		uint64_t piece = to - r->at < RESERVE_PIECE ? to - r->at : RESERVE_PIECE;
		result = kernel_call(SYS_fallocate, r->fd, FALLOC_FL_KEEP_SIZE, (long)r->at, (long)piece, 0, 0);
		if (result == -EINTR)
			result = 0;
		else if (!result)
			r->at += piece;
	}
	if (result) {
		unreserve(r);
		return result;
	}
	uint64_t after = allocated(r->fd);
	return after > before ? (long)(after - before) : 0;
}

static long reserve(void *context)
{
	const struct range *range = context;
	long own = open_to_write(range->fd, range->identity);

	if (own < 0)
		return own;
	long result = reserve_pieces(&(struct reserving){.range = range, .fd = (int)own, .at = range->from});
	held_done(own, range->fd);
	return result;
}

long wipe_reserve(int fd, uint64_t from, uint64_t to)
{
	return apart_run(fd, reserve, &(struct range){fd, NULL, from, to});
}
