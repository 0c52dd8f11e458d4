#include "preload/enforce_inner.h"

#include <errno.h>

#include "preload/apart.h"
#include "preload/enforce_directory.h"
#include "preload/enforce_leave.h"
#include "preload/enforce_vain.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/recorder.h"
#include "preload/text.h"

/* An open that met a name which vanished or appeared meanwhile is tried again so often. */
enum { ATTEMPTS = 100 };

static int refused(int fd)
{
	struct identity identity;
	int error = errno;

	if (identity_of_fd(fd, &identity))
		enforce_denied_for(&identity);
	kernel_close(fd);
	errno = error;
	return -1;
}

/* What the policy does not want is gone from `wanted` already. Only what a umask can take is given back. */
static void widen(const struct policy_decision *d, int fd, mode_t wanted)
{
	struct stat st;

	if (kernel_stat(fd, &st) < 0 || !(wanted & ~st.st_mode & 0777))
		return;
	mode_t given = (st.st_mode & 07777) | (wanted & 0777);
	if (ENFORCE(d, umask_mismatch, .length = st.st_mode & 0777, .limit = wanted & 0777) == VERDICT_fix &&
	    kernel_call(SYS_fchmod, fd, given, 0, 0, 0, 0) < 0)
		enforce_not_fixed(RULE_umask_mismatch);
}

bool enforce_widens(const struct enforce_opening *o, const struct policy_decision *d)
{
	return o->shm && enforce_asks(d, RULE_umask_mismatch);
}

/* A refusal of what would be made is none where something is there by now, or nothing can be made. */
static int not_made(const struct enforce_opening *o)
{
	char text[512];
	struct stat st;
	const char *path = enforce_opening_path(o, text);
	int itself = o->flags & O_EXCL ? AT_SYMLINK_NOFOLLOW : 0, error = enforce_vain_flags(o);

	if (!error && kernel_stat_at(o->dirfd, path, itself, &st) == 0)
		error = enforce_made_twice(path, o->maker);
	enforce_refused_nothing(VERDICT_deny, error ? error : enforce_vain_creation(o, path));
	return -1;
}

static void made(const struct enforce_opening *o, const struct enforce_making *making, int fd, mode_t mode)
{
	char path[TEXT_DESCRIPTOR];

	enforce_made(making, o->maker == MAKER_mknod ? o->name : text_descriptor(path, fd), mode);
}

static void verified(const struct enforce_opening *o, const struct policy_decision *d, int fd)
{
	struct identity identity;

	if (enforce_asks(d, RULE_create_without_excl) && identity_of_fd(fd, &identity))
		enforce_verified(o, d, &identity, true);
}

/* The creation of what does not exist; with O_EXCL it fails with EEXIST if it came to exist meanwhile. */
static int create(const struct enforce_opening *o, const struct policy_decision *d, int exclusively)
{
	mode_t mode = o->mode;
	struct enforce_making making;
	unsigned decided = enforce_decided();
	char text[512];
	enum enforce_verdict verdict =
		enforce_makeable(d, enforce_whole_path(o, text), enforce_widens(o, d), &mode, &making);

	if (verdict == VERDICT_deny)
		return not_made(o);
	mode_t first = verdict == VERDICT_fix ? enforce_made_with(mode) : mode;
	int fd = o->call(o, (o->flags & ~O_TRUNC) | O_CREAT | exclusively, first);
	if (fd < 0) {
		/* Nothing was fixed. */
		enforce_forget_from(decided);
		return fd;
	}
	ledger_count_created(1);
	if (o->opened)
		o->opened->created = true;
	if (verdict == VERDICT_fix && exclusively)
		made(o, &making, fd, mode);
	if (enforce_widens(o, d))
		widen(d, fd, mode);
	verified(o, d, fd);
	return fd;
}

bool enforce_asks_at_opening(const struct policy_decision *d)
{
	static const enum rule_id asked[] = {
		RULE_world_writable, RULE_world_readable,   RULE_mode_too_open,       RULE_acl_grants,
		RULE_umask_mismatch, RULE_foreign_owner,    RULE_create_without_excl, RULE_stale_bytes,
		RULE_stale_reattach, RULE_truncate_on_open, RULE_too_many_objects,
	};

	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
		if (enforce_asks(d, asked[i]))
			return true;
	return enforce_counts || d->max_mode != 07777 || (d->zero & ZERO_on_attach);
}

/* An open without O_CREAT was refused: with it the errno may be another one. */
static bool goes_by_now(const struct enforce_opening *o)
{
	int fd = o->call(o, o->flags & ~O_TRUNC, o->mode & 0600);

	if (fd >= 0)
		kernel_close(fd);
	return fd >= 0;
}

/* What could not even be opened without O_TRUNC: with it a directory, or a read-only mount, is what the kernel refuses. */
static __attribute__((noinline)) int not_opened(const struct enforce_opening *o)
{
	char text[512];
	int kept = errno, error = 0;

	if (kept == EACCES && (o->flags & O_TRUNC))
		error = enforce_vain_opening(o, enforce_opening_path(o, text));
	errno = error ? error : kept;
	return -1;
}

/* What was not opened (-1) is nothing to judge; what is not to be used is closed, errno kept. */
static enum enforce_verdict judged_or_closed(const struct enforce_opening *o, const struct policy_decision *d, int fd)
{
	enum enforce_verdict verdict = fd < 0 ? VERDICT_go : enforce_attached(o, d, fd);

	if (verdict != VERDICT_go)
		refused(fd);
	return verdict;
}

/*
 * What is no regular file is opened once, and as the program asks for it: with O_CREAT the kernel refuses another's in a
 * sticky directory (fs.protected_fifos, proc(5)), and to ask it beside would wake, or wait for, the other end of a FIFO. What
 * this makes, should there be nothing by now, nobody but its owner can open.
 */
static enum enforce_verdict open_special(const struct enforce_opening *o, const struct policy_decision *d, int *fd)
{
	*fd = o->call(o, o->flags & ~O_TRUNC, o->mode & 0600);
	return judged_or_closed(o, d, *fd);
}

/* Opens what exists. VERDICT_go: *fd is -1, and errno set, where the kernel refuses it. */
static enum enforce_verdict attach(const struct enforce_opening *o, const struct policy_decision *d, int *fd)
{
	char text[512];
	unsigned decided = enforce_decided();
	struct enforce_judgement judgement;
	bool beforehand = enforce_judged_beforehand(o, d, enforce_opening_path(o, text), &judgement);

	if (beforehand && judgement.verdict != VERDICT_go)
		return judgement.verdict;
	*fd = o->call(o, o->flags & ~(O_CREAT | O_EXCL | O_TRUNC), o->mode);
	if (beforehand && enforce_leads_to(*fd, &judgement.of)) {
		if (judgement.truncation != VERDICT_deny)
			enforce_truncate(*fd, judgement.truncation);
		return VERDICT_go;
	}
	/* Another object has the name by now, or none. */
	if (beforehand)
		enforce_forget_from(decided);
	if (*fd < 0 || !(enforce_meets_special(o, *fd) || (beforehand && enforce_is_to_be_judged(o, d, *fd))))
		return judged_or_closed(o, d, *fd);
	refused(*fd);
	return VERDICT_fix;
}

/* Either an existing object or, exclusively, a new one: so it is known which of the two it was, without a race. */
static int create_or_attach(const struct enforce_opening *o, const struct policy_decision *d)
{
	bool creates = o->flags & O_CREAT, exclusive = creates && (o->flags & O_EXCL);
	int fd;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		bool special = !exclusive && enforce_meets_special(o, -1);
		enum enforce_verdict verdict = exclusive ? VERDICT_fix
					       : special ? open_special(o, d, &fd)
							 : attach(o, d, &fd);
		if (verdict == VERDICT_deny)
			return -1;
		if (verdict == VERDICT_go && fd >= 0)
			return fd;
		if (verdict == VERDICT_go && (errno != ENOENT || !creates)) {
			if (!creates || special || errno == EINTR || !goes_by_now(o))
				return not_opened(o);
			continue;
		}
		fd = create(o, d, O_EXCL);
		if (fd >= 0 || errno != EEXIST || exclusive)
			return fd;
		enforce_forget();
	}
	/* A symbolic link that leads nowhere: there is a name, and there is nothing. */
	return create(o, d, 0);
}

struct emptying {
	const struct enforce_opening *o;
	const struct policy_decision *d;
	const char *path;
};

static long foresee_emptying(void *context)
{
	const struct emptying *e = context;
	struct identity identity;
	long fd = kernel_call(SYS_openat, e->o->dirfd, (long)e->path, O_PATH | O_CLOEXEC, 0, 0, 0);

	if (fd >= 0 && identity_of_fd((int)fd, &identity))
		enforce_truncation(e->o, e->d, &identity);
	if (fd >= 0)
		kernel_close((int)fd);
	return 0;
}

/* What would be denied or fixed of what does not exist yet, or is to lose its contents. */
static void foresee(const struct enforce_opening *o, const struct policy_decision *d, const char *path,
		    const struct stat *existing)
{
	struct enforce_making making;
	mode_t mode = o->mode;

	if (existing && (o->flags & O_TRUNC) && existing->st_size && enforce_asks(d, RULE_truncate_on_open))
		apart_hidden(APART_ALL, foresee_emptying, &(struct emptying){o, d, path});
	if (existing || !(o->flags & O_CREAT))
		return;
	enforce_makeable(d, path, enforce_widens(o, d), &mode, &making);
}

/* The same once the call was made. */
static void review(const struct enforce_opening *o, const struct policy_decision *d, int fd, bool existed)
{
	if (existed) {
		enforce_attached(o, d, fd);
		return;
	}
	if (enforce_counts && (o->flags & O_CREAT))
		ledger_count_created(1);
	verified(o, d, fd);
	if ((o->flags & O_CREAT) && enforce_widens(o, d))
		widen(d, fd, o->mode);
}

/* Nothing is asked, or all is only told. */
static int as_it_came(const struct enforce_opening *o, const struct policy_decision *d)
{
	bool tells = enforce_asks_at_opening(d), exists = true;
	unsigned decided = enforce_decided();
	char text[512];
	struct stat st;
	const char *path = enforce_opening_path(o, text);

	if (tells || (o->opened && (o->flags & (O_CREAT | O_TRUNC)))) {
		exists = kernel_stat_at(o->dirfd, path, 0, &st) == 0;
		if (o->opened)
			*o->opened = (struct enforce_opened){(o->flags & O_CREAT) && !exists,
							     exists ? (uint64_t)st.st_size : 0};
	}
	if (tells)
		foresee(o, d, path, exists ? &st : NULL);
	int fd = o->call(o, o->flags, o->mode);
	if (fd < 0)
		enforce_forget_from(decided);
	else if (tells)
		review(o, d, fd, exists);
	return fd;
}

/* What exists is held to the sections of all its names. */
static __attribute__((noinline)) void decide_by_names(const struct enforce_opening *o, struct policy_decision *d)
{
	struct identity identity;
	char text[512];
	const char *path = enforce_opening_path(o, text);
	bool itself = (o->flags & O_NOFOLLOW) || (o->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);

	if (!identity_of_path(o->dirfd, path, itself ? AT_SYMLINK_NOFOLLOW : 0, &identity)) {
		enforce_decide(o->name, d);
		return;
	}
	enforce_decide_linked(o->name, &identity, d);
}

static void decide(const struct enforce_opening *o, struct policy_decision *d)
{
	if (enforce_by_name)
		decide_by_names(o, d);
	else
		enforce_decide(o->name, d);
}

static void keep_secret(const struct policy_decision *d, int fd)
{
	struct identity identity;

	if (!enforce_lasts(d) && identity_of_fd(fd, &identity))
		enforce_keep_secret(d, &identity);
}

/*
 * Most objects that exist are opened by those whose they are: what the policy could say of it is said by one fstat, and
 * nobody is to hear of it.
 */
static bool is_plain(int fd)
{
	struct stat st;

	identity_descriptor_ends(fd);
	return kernel_stat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	       (st.st_uid == 0 || st.st_uid == facts_user());
}

static __attribute__((noinline)) int attach_judged(const struct enforce_opening *o, int fd)
{
	struct policy_decision d;
	int kept = errno;

	enforce_begin();
	decide(o, &d);
	bool denied = enforce_attached(o, &d, fd) == VERDICT_deny;
	if (denied)
		refused(fd);
	else
		errno = kept;
	enforce_end(o->caller);
	return denied ? -1 : fd;
}

static __attribute__((noinline)) void in_vain(const struct enforce_opening *o, enum enforce_verdict verdict)
{
	char text[512];

	enforce_refused_nothing(verdict, enforce_vain_opening(o, enforce_opening_path(o, text)));
}

/* Of what no file can be called there is nothing to decide: the C library, or the kernel, refuses it in its own words. */
static __attribute__((noinline)) bool is_no_name(const struct enforce_opening *o)
{
	char path[512];

	return o->shm && !identity_shm_path(o->name, "", path);
}

int enforce_open(const struct enforce_opening *o)
{
	struct policy_decision d;
	int kept = errno, fd = -1;

	if (enforce_plainly && o->shm && !(o->flags & (O_CREAT | O_EXCL | O_TRUNC)) && recorder_silent() &&
	    !enforce_locks) {
		fd = o->call(o, o->flags, o->mode);
		return fd < 0 || is_plain(fd) ? fd : attach_judged(o, fd);
	}
	if (is_no_name(o))
		return o->call(o, o->flags, o->mode);
	enforce_begin();
	decide(o, &d);
	enum enforce_verdict verdict = enforce_opening_allowed(&d, o);
	if (verdict != VERDICT_deny)
		verdict = enforce_special(o, &d);
	if (enforce_matters(verdict))
		in_vain(o, verdict);
	if (verdict != VERDICT_deny)
		fd = enforce_audits() || !enforce_asks_at_opening(&d) ? as_it_came(o, &d) : create_or_attach(o, &d);
	if (fd >= 0) {
		keep_secret(&d, fd);
		errno = kept;
	}
	enforce_end(o->caller);
	return fd;
}

enum enforce_verdict enforce_promised(const struct enforce_opening *o, int *flags, mode_t *mode)
{
	struct policy_decision d;
	struct enforce_making making;
	struct identity identity;
	struct stat st;
	bool creates = o->flags & O_CREAT, exclusive = creates && (o->flags & O_EXCL);

	enforce_begin();
	decide(o, &d);
	enum enforce_verdict verdict = enforce_opening_allowed(&d, o);
	if (verdict != VERDICT_deny)
		verdict = enforce_special(o, &d);
	if (verdict != VERDICT_deny && !exclusive) {
		verdict = enforce_attached_later(o, &d, flags);
		int itself = o->flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
		if (verdict == VERDICT_deny && identity_of_path(o->dirfd, o->path, itself, &identity))
			enforce_denied_for(&identity);
	}
	if (verdict != VERDICT_deny && creates && kernel_stat_at(AT_FDCWD, o->name, 0, &st) < 0)
		verdict = enforce_making(&d, o->name, false, mode, &making);
	if (verdict == VERDICT_fix)
		*mode = enforce_made_with(*mode);
	enforce_end(o->caller);
	/* It comes with no event of this process that these could belong to. */
	if (verdict != VERDICT_deny)
		enforce_forget();
	return verdict;
}

static int vain_temporary(const char *path)
{
	const struct enforce_opening o = {.dirfd = AT_FDCWD, .flags = O_RDWR};
	int error = enforce_vain_flags(&o);

	return error ? error : enforce_vain_creation(&o, path);
}

enum enforce_verdict enforce_temporary(const char *name, const char *path, const void *caller)
{
	struct policy_decision d;

	enforce_begin();
	enforce_decide(name, &d);
	enum enforce_verdict verdict = enforce_name_allowed(&d, name, false);
	if (verdict != VERDICT_deny)
		verdict = enforce_one_more(&d);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, vain_temporary(path));
	enforce_end(caller);
	return verdict;
}
