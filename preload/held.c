#include "preload/held.h"

#include <errno.h>
#include <limits.h>

#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/maps.h"
#include "preload/recorder.h"

bool held_allows(int fd, int access)
{
	long flags = kernel_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);

	return flags >= 0 && !(flags & O_PATH) &&
	       ((flags & O_ACCMODE) == O_RDWR || (flags & O_ACCMODE) == (access & O_ACCMODE));
}

int held_descriptor(const struct identity *identity, int access)
{
	struct identity now;

	for (int fd = ledger_fd_next(0, INT_MAX); fd >= 0; fd = ledger_fd_next((unsigned)fd + 1, INT_MAX))
		if (held_allows(fd, access) && identity_of_fd(fd, &now) && now.ino == identity->ino &&
		    now.dev == identity->dev)
			return fd;
	return -1;
}

struct sought {
	const struct identity *identity;
	uint64_t at;   /* of the object */
	uint64_t next; /* where, past that, the next mapping begins; what it was where there is none before */
	struct maps_line line;
};

static bool is_of(const struct maps_line *line, const struct sought *s)
{
	return line->shared && (line->prot & PROT_WRITE) && line->ino == s->identity->ino &&
	       line->dev == s->identity->dev;
}

static bool shows(const struct maps_line *line, const struct sought *s)
{
	return is_of(line, s) && line->offset <= s->at && s->at - line->offset < line->end - line->start;
}

static bool find(const struct maps_line *line, void *context)
{
	struct sought *s = context;
	bool found = shows(line, s);

	if (found)
		s->line = *line;
	else if (is_of(line, s) && line->offset > s->at && line->offset < s->next)
		s->next = line->offset;
	return found;
}

/* At once: as much more may be mapped, and locked, as a limit must leave. */
enum { PIECE = 1 << 20 };

/*
 * Another thread may have put something else in the place of a mapping by now: the pages are freed by a second one of ours,
 * which nobody replaces once it is known to show them, and which no child inherits. Of what is locked in memory the kernel
 * frees nothing.
 */
static long punch_shown(struct sought *s, uint64_t to, char *buffer)
{
	const uint64_t into = s->at - s->line.offset, rest = s->line.end - s->line.start - into;
	uint64_t bytes = s->identity->page > PIECE ? s->identity->page : PIECE;

	bytes = rest < bytes ? rest : bytes;
	bytes = to - s->at < bytes ? to - s->at : bytes;
	long ours = kernel_call(SYS_mremap, (long)(s->line.start + into), 0, (long)bytes, MREMAP_MAYMOVE, 0, 0),
	     result = -ESTALE;

	if (kernel_is_error(ours))
		return ours;
	kernel_call(SYS_madvise, ours, (long)bytes, MADV_DONTFORK, 0, 0, 0);
	if (maps_find((uint64_t)ours, buffer, &s->line) && shows(&s->line, s) &&
	    s->line.offset + ((uint64_t)ours - s->line.start) == s->at) {
		kernel_call(SYS_munlock, ours, (long)bytes, 0, 0, 0, 0);
		result = kernel_call(SYS_madvise, ours, (long)bytes, MADV_REMOVE, 0, 0, 0);
	}
	kernel_call(SYS_munmap, ours, (long)bytes, 0, 0, 0, 0);
	return result < 0 ? result : (long)bytes;
}

/* What no mapping shows stays as it is, and what lies behind it does not. */
static long punch(struct sought *s, uint64_t to, char *buffer)
{
	long result = 0;

	while (s->at < to) {
		s->next = to;
		bool shown = maps_any(find, s, buffer);
		long freed = shown ? punch_shown(s, to, buffer) : (long)(s->next - s->at);
		if (freed < 0)
			return freed;
		result = shown ? result : -EACCES;
		s->at += (uint64_t)freed;
	}
	return result;
}

static bool is_any(const struct maps_line *line, void *context)
{
	return is_of(line, context);
}

static bool is_mapped(const struct identity *identity, char *buffer)
{
	return maps_any(is_any, &(struct sought){.identity = identity}, buffer);
}

long held_punch(const struct identity *identity, uint64_t from, uint64_t to)
{
	/* A filter may kill for the calls. */
	char *buffer = recorder_filtered ? NULL : kernel_memory(MAPS_LINE);

	if (!buffer)
		return -EACCES;
	long result = punch(&(struct sought){.identity = identity, .at = from}, to, buffer);
	kernel_memory_free(buffer, MAPS_LINE);
	return result;
}

bool held_reaches(int fd)
{
	struct identity identity;

	if (!identity_of_fd(fd, &identity))
		return false;
	if (held_descriptor(&identity, O_WRONLY) >= 0)
		return true;
	char *buffer = recorder_filtered ? NULL : kernel_memory(MAPS_LINE);
	bool mapped = buffer && is_mapped(&identity, buffer);
	if (buffer)
		kernel_memory_free(buffer, MAPS_LINE);
	return mapped;
}
