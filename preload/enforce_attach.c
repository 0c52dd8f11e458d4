/* The policy on an object that existed when it was opened. */
#include <errno.h>
#include <sys/stat.h>

#include "preload/acl.h"
#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/enforce_size.h"
#include "preload/enforce_vain.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/real.h"
#include "preload/text.h"
#include "preload/wipe.h"

static bool has_grants(int fd, char path[static TEXT_DESCRIPTOR], struct acl *acl)
{
	return acl_read(text_descriptor(path, fd), ACL_ACCESS, acl) && acl_grants(acl, acl_mode(acl));
}

/* Whose object is it, and whom does it let in? */
static enum enforce_verdict strange(const struct enforce_opening *o, const struct policy_decision *d, int fd,
				    const struct identity *identity)
{
	bool another = enforce_of_another(d, identity);
	struct acl acl;
	char path[TEXT_DESCRIPTOR];

	if (enforce_asks(d, RULE_foreign_owner) && enforce_strange(d, identity) &&
	    ENFORCE(d, foreign_owner, .other = (int32_t)identity->uid) == VERDICT_deny)
		return VERDICT_deny;
	if (another && o->shm && identity->links > 1 && enforce_asks(d, RULE_symlink_or_special) &&
	    ENFORCE(d, symlink_or_special, .other = (int32_t)identity->uid) == VERDICT_deny)
		return VERDICT_deny;
	/* The fix, to create exclusively and to verify what exists, comes down to the same. */
	if (another && (o->flags & O_CREAT) && enforce_asks(d, RULE_create_without_excl) &&
	    enforce_refuse(d, RULE_create_without_excl) == VERDICT_deny)
		return VERDICT_deny;
	if (d->action[RULE_acl_grants] != ACTION_deny || !has_grants(fd, path, &acl))
		return VERDICT_go;
	return ENFORCE(d, acl_grants);
}

/* Only of what nothing else denies. The mode's group bits were the list's mask: they become what the group itself had. */
static void drop_grants(const struct policy_decision *d, int fd)
{
	struct acl acl;
	char path[TEXT_DESCRIPTOR];

	if (d->action[RULE_acl_grants] == ACTION_fix && has_grants(fd, path, &acl) &&
	    ENFORCE(d, acl_grants) == VERDICT_fix && !acl_replace(path, acl_mode_of_owners(&acl)))
		enforce_not_fixed(RULE_acl_grants);
}

void enforce_verified(const struct enforce_opening *o, const struct policy_decision *d, const struct identity *identity,
		      bool created)
{
	if (o->shm && (o->flags & (O_CREAT | O_EXCL)) == O_CREAT && d->action[RULE_create_without_excl] == ACTION_fix)
		ENFORCE(d, create_without_excl, .offset = identity->uid, .length = identity->mode,
			.size = identity->size, .limit = created);
}

/*
 * Removes the name, if it still leads to the object; else why not. What needs a path has a frame of its own here: a handler
 * may come on a stack of 8 KiB, and the looks are made from the frame that it would be in otherwise.
 */
static __attribute__((noinline)) const char *remove_name(const struct enforce_opening *o,
							 const struct identity *identity)
{
	struct identity now;
	char text[512];
	const char *path = enforce_opening_path(o, text);

	if (!identity_of_path(o->dirfd, path, AT_SYMLINK_NOFOLLOW, &now) || now.ino != identity->ino ||
	    now.dev != identity->dev)
		return "elsewhere";
	long error = -kernel_call(SYS_unlinkat, o->dirfd, (long)path, 0, 0, 0, 0);
	return error ? LIBC(strerrorname_np)((int)error) : NULL;
}

/*
 * Was the object, which no forebear of this process made, born before it began? A creator that began later and has ended
 * since leaves nothing by which it could be told from one that lives: the recording tells. tmpfs knows births since Linux
 * 5.19, else the last change counts.
 */
static bool is_older(int fd)
{
	struct statx st;

	if (kernel_call(SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_BTIME | STATX_CTIME, (long)&st, 0) < 0)
		return false;
	const struct statx_timestamp *born = st.stx_mask & STATX_BTIME ? &st.stx_btime : &st.stx_ctime;
	return born->tv_sec != enforce_started.tv_sec ? born->tv_sec < enforce_started.tv_sec
						      : born->tv_nsec < enforce_started.tv_nsec;
}

static bool asks_of_bytes(const struct policy_decision *d)
{
	return (d->zero & ZERO_on_attach) || enforce_asks(d, RULE_stale_bytes);
}

/*
 * Only what is come to by a name may have been left behind: what has none is freed with its last user, from whom it was got
 * then. What the process, or a forebear of it, made itself it knows.
 */
static bool may_be_left(const struct identity *identity)
{
	return identity->size && identity->links && !(ledger_marks(identity) & MARK_CREATED);
}

/* Of an object that nobody maps. VERDICT_fix: it is to be cleared, once nothing denies the call any more. */
static enum enforce_verdict stale_bytes(const struct policy_decision *decision, int fd, const struct identity *identity)
{
	struct policy_decision d = *decision;

	if (!asks_of_bytes(&d) || !wipe_has_data(fd, identity))
		return VERDICT_go;
	if (d.zero & ZERO_on_attach)
		d.action[RULE_stale_bytes] = ACTION_fix;
	return ENFORCE(&d, stale_bytes, .size = identity->size);
}

static bool is_seen(const struct identity *identity)
{
	return ledger_marks(identity) & MARK_BYTES_SEEN;
}

/* Nobody can tell whether that rule is broken. */
static void unknown(const struct policy_decision *d, enum rule_id rule, const struct identity *identity)
{
	const struct check_finding finding = {.rule = rule, .severity = rules[rule].severity, .size = identity->size};

	enforce_broken_for(d, &finding, FACTS_unseen);
}

static void clear(int fd, const struct identity *identity)
{
	const char *why = enforce_wipe(fd, identity, true, false);

	if (why)
		enforce_not_done(RULE_stale_bytes, why);
}

/* What cannot be made anew keeps its name. */
static __attribute__((noinline)) enum enforce_verdict replaceable(const struct enforce_opening *o,
								  const struct policy_decision *d)
{
	struct enforce_making making;
	mode_t mode = o->mode;
	unsigned decided = enforce_decided();
	char text[512];

	if (d->action[RULE_stale_reattach] != ACTION_fix || enforce_audits())
		return VERDICT_go;
	if (enforce_makeable(d, enforce_whole_path(o, text), enforce_widens(o, d), &mode, &making) == VERDICT_deny)
		return VERDICT_deny;
	enforce_forget_from(decided);
	return VERDICT_go;
}

/* The object loses its name, so that another is made, unless anything denies that, or the call as it came. */
static enum enforce_verdict make_anew(const struct enforce_opening *o, const struct policy_decision *d,
				      const struct identity *identity)
{
	if ((o->flags & O_TRUNC) && !enforce_audits() && d->action[RULE_truncate_on_open] == ACTION_deny &&
	    enforce_truncation(o, d, identity) == VERDICT_deny)
		return VERDICT_deny;
	if (replaceable(o, d) == VERDICT_deny)
		return VERDICT_deny;
	if (ENFORCE(d, stale_reattach, .size = identity->size) != VERDICT_fix)
		return VERDICT_go;
	const char *why = remove_name(o, identity);
	if (!why)
		return VERDICT_fix;
	enforce_not_done(RULE_stale_reattach, why);
	return VERDICT_go;
}

bool enforce_asks_of_left(const struct enforce_opening *o, const struct policy_decision *d,
			  const struct identity *identity)
{
	return (o->flags & O_CREAT) && may_be_left(identity) &&
	       (asks_of_bytes(d) || enforce_asks(d, RULE_stale_reattach));
}

/* Are its bytes there for who opens it? What is emptied all the same is left to nobody. */
static bool keeps_bytes(const struct enforce_opening *o, const struct identity *identity)
{
	return !(o->flags & O_TRUNC) && !is_seen(identity);
}

void enforce_left_unknown(const struct enforce_opening *o, const struct policy_decision *d, int fd,
			  const struct identity *identity)
{
	if (enforce_asks(d, RULE_stale_bytes) && keeps_bytes(o, identity) && wipe_has_data(fd, identity))
		unknown(d, RULE_stale_bytes, identity);
	if (enforce_asks(d, RULE_stale_reattach) && is_older(fd))
		unknown(d, RULE_stale_reattach, identity);
}

/* What an earlier run left: older than this process, and nobody maps it. What a denial keeps from happening is not fixed. */
static enum enforce_verdict left_behind(const struct enforce_opening *o, const struct policy_decision *d, int fd,
					const struct identity *identity)
{
	bool denies_bytes = d->action[RULE_stale_bytes] == ACTION_deny && !(d->zero & ZERO_on_attach);
	const char *use = enforce_use(identity, false);

	if (use == enforce_perhaps_mapped)
		enforce_left_unknown(o, d, fd, identity);
	if (use)
		return VERDICT_go;
	bool older = enforce_asks(d, RULE_stale_reattach) && is_older(fd);
	enum facts_use holders = older ? enforce_holders(identity) : FACTS_mapped;
	bool stale = holders == FACTS_unused || holders == FACTS_unseen;
	if (holders == FACTS_unknown)
		unknown(d, RULE_stale_reattach, identity);
	bool keeps = keeps_bytes(o, identity);
	if (stale && d->action[RULE_stale_reattach] == ACTION_deny &&
	    ENFORCE(d, stale_reattach, .size = identity->size) == VERDICT_deny)
		return VERDICT_deny;
	if (keeps && denies_bytes && stale_bytes(d, fd, identity) == VERDICT_deny)
		return VERDICT_deny;
	enum enforce_verdict verdict =
		stale && d->action[RULE_stale_reattach] == ACTION_fix ? make_anew(o, d, identity) : VERDICT_go;
	if (verdict != VERDICT_go || !keeps || denies_bytes || stale_bytes(d, fd, identity) != VERDICT_fix)
		return verdict;
	if (is_seen(identity))
		enforce_undone(RULE_stale_bytes);
	else
		clear(fd, identity);
	return VERDICT_go;
}

/*
 * The policy has looked at what it held, or is to at the first mapping: at what was found by the name, that is, not at what
 * came later, or by another's descriptor.
 */
static void attached(const struct enforce_opening *o, const struct policy_decision *d, const struct identity *identity)
{
	if (!asks_of_bytes(d))
		return;
	if ((o->flags & (O_CREAT | O_TRUNC)) || !identity->size)
		ledger_mark(identity, MARK_BYTES_SEEN, 0);
	else if (may_be_left(identity))
		ledger_mark(identity, MARK_ATTACHED, 0);
}

void enforce_emptied(const struct identity *identity)
{
	if (enforce_on)
		ledger_mark(identity, MARK_BYTES_SEEN, 0);
}

enum enforce_verdict enforce_first_map(const struct policy_decision *d, const struct mmap_event *e,
				       const struct identity *identity, bool *first)
{
	const uint32_t all = MARK_ATTACHED | MARK_BYTES_SEEN;

	*first = asks_of_bytes(d) && (ledger_marks(identity) & all) == MARK_ATTACHED && may_be_left(identity) &&
		 !enforce_vain_map_and_lock(e, identity);
	return !*first || enforce_use(identity, false) ? VERDICT_go : stale_bytes(d, e->fd, identity);
}

void enforce_first_mapped(enum enforce_verdict verdict, int fd, const struct identity *identity)
{
	/* Another thread has done so meanwhile, and may have filled it. */
	if (verdict == VERDICT_fix && is_seen(identity)) {
		enforce_undone(RULE_stale_bytes);
		return;
	}
	ledger_mark(identity, MARK_BYTES_SEEN, 0);
	if (verdict == VERDICT_fix)
		clear(fd, identity);
}

/* O_TRUNC asks for the right to write even where the descriptor has none. */
static bool may_truncate(const struct enforce_opening *o, int fd)
{
	if (!(o->flags & O_TRUNC) || (o->flags & O_ACCMODE) != O_RDONLY)
		return true;
	long result = kernel_call(SYS_faccessat2, fd, (long)"", W_OK, AT_EACCESS | AT_EMPTY_PATH, 0, 0);

	if (result == -EACCES || result == -EROFS || result == -EPERM)
		errno = (int)-result;
	else
		result = 0;
	return result == 0;
}

/* Is it certain that the directory is none in which the kernel refuses O_CREAT of another's file? */
static __attribute__((noinline)) bool directory_lets(const struct enforce_opening *o, const struct identity *identity)
{
	struct facts_file file, directory;
	char path[512];

	if (!facts_path(o->shm ? EVENT_shm_open : EVENT_open, o->dirfd, o->shm ? o->name : o->path, path) ||
	    !facts_file(path, &file) || S_ISLNK(file.mode) || !facts_directory(path, &directory))
		return false;
	return !facts_sticky(&(struct facts_file){S_IFREG, identity->uid}, &directory, true);
}

/* As the program has asked for it. */
static long refuses(void *context)
{
	const struct enforce_opening *o = context;
	int again = o->call(o, o->flags & ~(O_EXCL | O_TRUNC), 0600);

	if (again >= 0)
		kernel_close(again);
	return again < 0;
}

/*
 * fs.protected_regular (proc(5)) refuses O_CREAT of another's file in a sticky directory, but not the plain open that was
 * made instead: the kernel is asked once more, so that the program gets the errno that it would have had. Only where it
 * may refuse: with the descriptor that it would give otherwise, the locks of the process on the object go (fcntl(2)).
 */
static bool kernel_refuses(const struct enforce_opening *o, const struct identity *identity)
{
	if (!(o->flags & O_CREAT) || identity->uid == facts_user() || directory_lets(o, identity))
		return false;
	return apart_hidden(APART_ALL, refuses, (void *)(uintptr_t)o);
}

/* A directory is not emptied: without the flag it was opened all the same. */
static bool is_refused_directory(const struct enforce_opening *o, int fd)
{
	struct stat st;

	if (!(o->flags & O_TRUNC) || kernel_stat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	errno = o->shm ? EINVAL : EISDIR;
	return true;
}

/* No object: of what others lay there shm_open has opened a FIFO. */
static enum enforce_verdict odd(const struct enforce_opening *o, const struct policy_decision *d, int fd)
{
	struct stat st;

	if (!o->shm || !enforce_asks(d, RULE_symlink_or_special) || kernel_stat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return VERDICT_go;
	return enforce_trap(d, &st);
}

enum enforce_verdict enforce_judged(const struct enforce_opening *o, const struct policy_decision *d, int fd,
				    enum enforce_verdict *truncation)
{
	struct identity identity;

	*truncation = VERDICT_deny;
	if (!identity_of_fd(fd, &identity))
		return !enforce_audits() && (is_refused_directory(o, fd) || !may_truncate(o, fd)) ? VERDICT_deny
												  : odd(o, d, fd);
	identity.name = o->name;
	bool done = enforce_audits();
	if (o->opened && !done)
		o->opened->size_before = identity.size;
	if (!done && (kernel_refuses(o, &identity) || !may_truncate(o, fd)))
		return VERDICT_deny;
	enum enforce_verdict verdict = strange(o, d, fd, &identity);
	if (verdict == VERDICT_go && enforce_asks_of_left(o, d, &identity))
		verdict = left_behind(o, d, fd, &identity);
	if (verdict == VERDICT_go && (o->flags & O_TRUNC) && !done) {
		*truncation = identity.size ? enforce_truncation(o, d, &identity) : VERDICT_go;
		if (*truncation == VERDICT_deny)
			verdict = VERDICT_deny;
	}
	if (verdict == VERDICT_go) {
		attached(o, d, &identity);
		drop_grants(d, fd);
		enforce_verified(o, d, &identity, false);
	}
	return verdict;
}

enum enforce_verdict enforce_attached(const struct enforce_opening *o, const struct policy_decision *d, int fd)
{
	enum enforce_verdict truncation, verdict = enforce_judged(o, d, fd, &truncation);

	if (verdict == VERDICT_go && truncation != VERDICT_deny)
		enforce_truncate(fd, truncation);
	return verdict;
}

/* The child opens it without O_TRUNC. */
static void emptied_already(int fd, const struct identity *identity)
{
	int error = wipe_object(fd, identity, true, NULL);

	if (error)
		enforce_not_done(RULE_truncate_on_open, LIBC(strerrorname_np)(error));
}

struct later {
	const struct enforce_opening *o;
	const struct policy_decision *d;
	int *flags;
};

static long attached_later(void *context)
{
	const struct later *later = context;
	const struct enforce_opening *o = later->o;
	const struct policy_decision *d = later->d;
	struct identity identity;
	enum enforce_verdict verdict = VERDICT_go;
	int how = O_PATH | O_CLOEXEC | (o->flags & O_NOFOLLOW);
	long fd = kernel_call(SYS_openat, o->dirfd, (long)o->path, how, 0, 0, 0);

	if (fd >= 0 && identity_of_fd((int)fd, &identity)) {
		identity.name = o->name;
		verdict = strange(o, d, (int)fd, &identity);
		if (verdict == VERDICT_go && (o->flags & O_TRUNC) && identity.size)
			verdict = enforce_truncation(o, d, &identity);
		if (verdict == VERDICT_fix) {
			emptied_already((int)fd, &identity);
			*later->flags &= ~O_TRUNC;
		}
		if (verdict != VERDICT_deny)
			drop_grants(d, (int)fd);
	}
	if (fd >= 0)
		kernel_close((int)fd);
	return verdict == VERDICT_deny ? verdict : VERDICT_go;
}

enum enforce_verdict enforce_attached_later(const struct enforce_opening *o, const struct policy_decision *d,
					    int *flags)
{
	return (enum enforce_verdict)apart_hidden(APART_ALL, attached_later, &(struct later){o, d, flags});
}
