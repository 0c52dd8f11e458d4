/*
 * What is judged before the program's own open of it: what may be locked (see enforce_locked.c), and what an earlier run may
 * have left. A descriptor that is closed again, as the open is denied, would be a user to whoever asks at that moment whether
 * there is any, and each of two that come together would let the other pass. O_PATH lets the kernel tell nobody that it is
 * open, and as the looks open it, too, those who judge one object take turns.
 */
#include <errno.h>
#include <unistd.h>

#include "preload/apart.h"
#include "preload/cancel.h"
#include "preload/claim.h"
#include "preload/enforce_inner.h"
#include "preload/kernel.h"
#include "preload/text.h"

/* So often a name leads to another object by the time that it is judged, or another process waits for who has it open. */
enum { ATTEMPTS = 8 };

/* The descriptors of one look: of /proc, of a process's threads, and of one's mappings. */
enum { LOOKS = 3 };

struct judging {
	const struct enforce_opening *o;
	const struct policy_decision *d;
	const char *path;
	struct enforce_judgement *judgement;
};

static int itself(const struct enforce_opening *o)
{
	return o->shm ? O_NOFOLLOW : o->flags & O_NOFOLLOW;
}

struct attempt {
	int fd, flags;
};

static long open_and_close(void *context)
{
	const struct attempt *attempt = context;
	long opened = text_reopen(attempt->fd, attempt->flags);

	if (opened >= 0)
		kernel_close((int)opened);
	return opened < 0 ? opened : 0;
}

/*
 * 0 where the kernel lets the program open it; -EAGAIN: somebody has a lease on it, and is not waited for. It is tried, as
 * rights are not all that open(2) asks for: what it refuses is neither to be wiped nor to lose its name.
 */
static long try_to_open(const struct enforce_opening *o, int fd)
{
	int flags = o->flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW);

	return apart_run(fd, open_and_close, &(struct attempt){fd, flags | O_NONBLOCK});
}

/* The looks take a few descriptors, and here they find no more elsewhere: where they are lacking it is opened first. */
static __attribute__((noinline)) bool has_room(int fd)
{
	long more[LOOKS], got = 0;

	while (got < LOOKS && (more[got] = kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0, 0, 0, 0)) >= 0)
		got++;
	for (long i = 0; i < got; i++)
		kernel_close((int)more[i]);
	return got == LOOKS;
}

static void judge_by(struct judging *j, int fd)
{
	struct enforce_judgement *judgement = j->judgement;

	judgement->verdict = enforce_judged(j->o, j->d, fd, &judgement->truncation);
	int error = errno;
	if (judgement->verdict != VERDICT_go)
		enforce_denied_for(&judgement->of);
	errno = error;
}

/* 0: it was judged. -ESTALE: the name leads to another object by now. */
static long judge_in_turn(struct judging *j)
{
	struct claim claim;
	const struct identity *judged = &j->judgement->of;
	bool turn = claim_turn(&claim, judged);
	int fd = (int)kernel_call(SYS_openat, j->o->dirfd, (long)j->path, O_PATH | O_CLOEXEC | itself(j->o), 0, 0, 0);
	long error = fd < 0                          ? fd
		     : !enforce_leads_to(fd, judged) ? -ESTALE
		     : !has_room(fd)                 ? -EMFILE
						     : try_to_open(j->o, fd);

	if (!error) {
		judge_by(j, fd);
		if (!turn && j->judgement->verdict == VERDICT_go)
			enforce_left_unknown(j->o, j->d, fd, judged);
	}
	if (fd >= 0)
		kernel_close(fd);
	if (turn)
		claim_give(&claim);
	return error;
}

/* Was it judged? No cancellation is to leave the turn behind. */
static long judge(void *context)
{
	struct judging *j = context;
	struct identity *judged = &j->judgement->of;
	int flags = itself(j->o) ? AT_SYMLINK_NOFOLLOW : 0;
	long error = -ESTALE;
	bool forbids = !cancel_is_forbidden();

	if (forbids)
		cancel_forbid();
	for (int i = 0;
	     i < ATTEMPTS && (error == -ESTALE || error == -EAGAIN) &&
	     identity_of_path(j->o->dirfd, j->path, flags, judged) && enforce_asks_of_left(j->o, j->d, judged);
	     i++) {
		if (error == -EAGAIN)
			kernel_rest(1000000);
		error = judge_in_turn(j);
	}
	if (forbids)
		cancel_allow();
	return !error;
}

bool enforce_judged_beforehand(const struct enforce_opening *o, const struct policy_decision *d, const char *path,
			       struct enforce_judgement *judgement)
{
	struct judging j = {o, d, path, judgement};
	struct identity *judged = &judgement->of;
	int flags = itself(o) ? AT_SYMLINK_NOFOLLOW : 0;
	bool done = identity_of_path(o->dirfd, path, flags, judged) && enforce_asks_of_left(o, d, judged) &&
		    apart_hidden(APART_ALL, judge, &j);
	int locked = enforce_locks && !done ? enforce_open_locked(o, path, judged) : -1;

	if (locked >= 0) {
		judge_by(&j, locked);
		/* The program is to get the number. */
		kernel_close(locked);
	}
	return done || locked >= 0;
}

bool enforce_is_to_be_judged(const struct enforce_opening *o, const struct policy_decision *d, int fd)
{
	struct identity identity;

	return !enforce_locks && identity_of_fd(fd, &identity) && enforce_asks_of_left(o, d, &identity);
}
