/* Modes and owners that the policy does not want, at creation and after the fact. */
#include <string.h>

#include "preload/acl.h"
#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/enforce_vain.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/text.h"

/* Below a root without /proc a file is made that never has a name. */
static long mask_of_a_file(void *context)
{
	(void)context;
	struct stat st;
	int flags = O_TMPFILE | O_RDWR | O_CLOEXEC;
	long fd = kernel_call(SYS_openat, AT_FDCWD, (long)"/dev/shm", flags, 0777, 0, 0);
	bool known = fd >= 0 && kernel_stat(fd, &st) == 0;

	if (fd >= 0)
		kernel_close((int)fd);
	return known ? (long)(0777 & ~st.st_mode) : 0;
}

/* umask(2) can only be read by setting it, for a moment, for every thread; proc(5) has it in line 2 since Linux 4.7. */
static __attribute__((noinline)) mode_t file_mode_mask(void)
{
	char status[256];
	uint64_t digits;
	mode_t mask = 0;

	if (text_read("/proc/thread-self/status", status, sizeof status) <= 0 || !text_field(status, "Umask:", &digits))
		return (mode_t)apart_hidden(APART_NONE, mask_of_a_file, NULL);
	for (unsigned shift = 0; digits; digits /= 10, shift += 3)
		mask |= (mode_t)(digits % 10) << shift;
	return mask;
}

struct mode_rule {
	enum rule_id rule;
	mode_t bits;
};

static bool is_private(struct enforce_whereabouts at)
{
	return at.identity ? facts_private(at.identity) : facts_private_path(at.path);
}

static bool wants_others(const struct policy_decision *d, mode_t mode)
{
	return (enforce_asks(d, RULE_world_writable) && (mode & 002)) ||
	       (enforce_asks(d, RULE_world_readable) && (mode & 004));
}

enum enforce_verdict enforce_clamp(const struct policy_decision *d, struct enforce_whereabouts at, mode_t *mode,
				   mode_t mask)
{
	mode_t others = wants_others(d, *mode & ~mask) && !is_private(at) ? 006 : 0;
	const struct mode_rule wide[] = {
		{RULE_world_writable, 002 & others},
		{RULE_world_readable, 004 & others},
		{RULE_mode_too_open, 07777 & ~d->max_mode},
	};

	if ((*mode & 07777 & ~d->max_mode & ~mask) && !enforce_asks(d, RULE_mode_too_open))
		ENFORCE(d, mode_too_open, .length = *mode, .limit = d->max_mode);
	/* What a denial keeps from happening is not fixed. */
	for (int action = ACTION_deny; action <= ACTION_fix; action++)
		for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
			if (!(*mode & wide[i].bits & ~mask) || d->action[wide[i].rule] != action)
				continue;
			struct check_finding finding = {.rule = wide[i].rule,
							.severity = rules[wide[i].rule].severity,
							.length = *mode,
							.limit = *mode & ~wide[i].bits};
			enum enforce_verdict verdict = enforce_broken(d, &finding, 0);
			if (verdict == VERDICT_deny)
				return verdict;
			if (verdict == VERDICT_fix)
				*mode &= ~wide[i].bits;
		}
	return VERDICT_go;
}

bool enforce_wants_modes(const struct policy_decision *d, mode_t mode)
{
	return wants_others(d, mode) || (mode & 07777 & ~d->max_mode);
}

/* The default access list of the directory that the path lies in. */
static __attribute__((noinline)) bool inherits(const char *path, struct acl *acl)
{
	char directory[512];
	size_t length = (size_t)(strrchr(path, '/') - path);

	if (length >= sizeof directory)
		return false;
	memcpy(directory, path, length);
	directory[length] = 0;
	return acl_read(length ? directory : "/", ACL_DEFAULT, acl);
}

enum enforce_verdict enforce_making(const struct policy_decision *d, const char *path, bool unmasked, mode_t *mode,
				    struct enforce_making *making)
{
	bool asks = enforce_asks(d, RULE_acl_grants), wants = enforce_wants_modes(d, *mode);

	making->listed = (asks || wants) && strchr(path, '/') && inherits(path, &making->acl);
	making->mask = unmasked ? 0 : making->listed ? 0777 & ~acl_mode(&making->acl) : wants ? file_mode_mask() : 0;
	if (wants && enforce_clamp(d, (struct enforce_whereabouts){.path = path}, mode, making->mask) == VERDICT_deny)
		return VERDICT_deny;
	if (!asks || !making->listed || !acl_grants(&making->acl, *mode))
		return VERDICT_go;
	return ENFORCE(d, acl_grants, .length = *mode);
}

/* With `owner` the own user need not be one to whom an object may belong. */
static enum enforce_verdict own_is_foreign(const struct policy_decision *d)
{
	uint32_t user = facts_user();

	if (!d->owner || !enforce_asks(d, RULE_foreign_owner) || enforce_owner_allowed(d, user))
		return VERDICT_go;
	return ENFORCE(d, foreign_owner, .other = (int32_t)user);
}

enum enforce_verdict enforce_makeable(const struct policy_decision *d, const char *path, bool unmasked, mode_t *mode,
				      struct enforce_making *making)
{
	if (enforce_one_more(d) == VERDICT_deny || own_is_foreign(d) == VERDICT_deny)
		return VERDICT_deny;
	return enforce_making(d, path, unmasked, mode, making);
}

mode_t enforce_made_with(mode_t mode)
{
	return mode & ~(mode_t)070;
}

void enforce_made(const struct enforce_making *making, const char *at, mode_t mode)
{
	if (!acl_replace(at, mode & acl_mode_of_owners(&making->acl)))
		enforce_not_fixed(RULE_acl_grants);
}

struct listed {
	const struct enforce_place *at;
	bool (*does)(const char *path, const struct listed *l);
	struct acl *acl;
	mode_t now, mode;
};

static bool read_grants(const char *path, const struct listed *l)
{
	return acl_read(path, ACL_ACCESS, l->acl) && acl_grants(l->acl, acl_mode(l->acl));
}

static bool drop_list(const char *path, const struct listed *l)
{
	return acl_read(path, ACL_ACCESS, l->acl) && acl_mode(l->acl) == l->now && acl_replace(path, l->mode);
}

/* A list is read and set by a path alone, from no directory's descriptor. */
static long with_path(void *context)
{
	const struct listed *l = context;
	char path[TEXT_DESCRIPTOR];
	int flags = O_PATH | O_CLOEXEC | (l->at->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
	long fd =
		*l->at->path ? kernel_call(SYS_openat, l->at->dirfd, (long)l->at->path, flags, 0, 0, 0) : l->at->dirfd;
	bool done = fd >= 0 && l->does(text_descriptor(path, (int)fd), l);

	if (fd >= 0 && *l->at->path)
		kernel_close((int)fd);
	return done;
}

bool enforce_grants_at(const struct enforce_place *at, struct acl *acl)
{
	return apart_hidden(APART_ALL, with_path, &(struct listed){at, read_grants, acl, 0, 0});
}

bool enforce_drop_list_at(const struct enforce_place *at, mode_t now, mode_t mode)
{
	struct acl acl;

	return apart_hidden(APART_ALL, with_path, &(struct listed){at, drop_list, &acl, now & 0777, mode & 0777});
}

/*
 * With named entries in its access list the group bits of a mode are what these are granted (acl(5)). Fixed, the list is
 * gone before the call, and the group gets no more than it had.
 */
static enum enforce_verdict grants_by(int fd, const struct policy_decision *d, mode_t *mode)
{
	char path[TEXT_DESCRIPTOR];
	enum enforce_verdict verdict = VERDICT_go;
	struct acl acl;

	if (acl_read(text_descriptor(path, fd), ACL_ACCESS, &acl) && acl_would_grant(&acl, *mode))
		verdict = ENFORCE(d, acl_grants, .length = *mode);
	if (verdict == VERDICT_fix && acl_replace(path, acl_mode_of_owners(&acl)))
		*mode &= ~(mode_t)070 | (mode_t)acl.group << 3;
	else if (verdict == VERDICT_fix)
		enforce_not_fixed(RULE_acl_grants);
	return verdict == VERDICT_deny ? verdict : VERDICT_go;
}

struct granting {
	const struct policy_decision *d;
	const struct identity *identity;
	mode_t *mode;
};

static long grants_by_path(void *context)
{
	const struct granting *g = context;
	long fd = kernel_call(SYS_openat, g->identity->dirfd, (long)g->identity->name, O_PATH | O_CLOEXEC, 0, 0, 0);
	enum enforce_verdict verdict = fd < 0 ? VERDICT_go : grants_by((int)fd, g->d, g->mode);

	if (fd >= 0)
		kernel_close((int)fd);
	return verdict;
}

static enum enforce_verdict grants(const struct policy_decision *d, const struct identity *identity, mode_t *mode)
{
	if (!(*mode & 070))
		return VERDICT_go;
	if (identity->fd >= 0)
		return grants_by(identity->fd, d, mode);
	return (enum enforce_verdict)apart_hidden(APART_ALL, grants_by_path, &(struct granting){d, identity, mode});
}

enum enforce_verdict enforce_mode(const struct identity *identity, mode_t *mode, const void *caller)
{
	struct policy_decision d;
	enforce_begin();
	enum enforce_verdict verdict = enforce_path_allowed(&d, identity, enforce_decide_object(identity, &d));
	if (verdict == VERDICT_go && d.action[RULE_acl_grants] == ACTION_deny)
		verdict = grants(&d, identity, mode);
	if (verdict == VERDICT_go && enforce_wants_modes(&d, *mode))
		verdict = enforce_clamp(&d, (struct enforce_whereabouts){.identity = identity}, mode, 0);
	if (verdict == VERDICT_go && d.action[RULE_acl_grants] == ACTION_fix)
		verdict = grants(&d, identity, mode);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_vain_mode(identity));
	if (verdict == VERDICT_deny)
		enforce_end(caller);
	return verdict;
}

void enforce_mode_set(bool list, bool failed, const void *caller)
{
	static const enum rule_id clamped[] = {RULE_world_writable, RULE_world_readable, RULE_mode_too_open};

	for (size_t i = 0; failed && i < sizeof clamped / sizeof *clamped; i++)
		enforce_undone(clamped[i]);
	/* For chmod the list was taken away before the call. */
	if (failed && list)
		enforce_undone(RULE_acl_grants);
	enforce_end(caller);
}

static enum enforce_verdict listing(const struct policy_decision *d, const struct identity *identity, void *list,
				    size_t *bytes)
{
	struct acl acl;

	if (!acl_parse(list, *bytes, &acl))
		return VERDICT_go;
	mode_t asked = acl_mode(&acl), mode = asked;
	bool grants = acl_grants(&acl, mode);
	if (grants && d->action[RULE_acl_grants] == ACTION_deny &&
	    ENFORCE(d, acl_grants, .length = mode) == VERDICT_deny)
		return VERDICT_deny;
	if (enforce_wants_modes(d, mode) &&
	    enforce_clamp(d, (struct enforce_whereabouts){.identity = identity}, &mode, 0) == VERDICT_deny)
		return VERDICT_deny;
	if (grants && d->action[RULE_acl_grants] == ACTION_fix &&
	    ENFORCE(d, acl_grants, .length = mode) == VERDICT_fix) {
		acl_of_mode(acl_mode_of_owners(&acl) & mode, list);
		*bytes = ACL_OF_MODE;
	} else if (mode != asked) {
		acl_narrow(list, *bytes, mode);
	}
	return VERDICT_go;
}

enum enforce_verdict enforce_list(const struct identity *identity, void *list, size_t *bytes, const void *caller)
{
	struct policy_decision d;

	enforce_begin();
	enum enforce_verdict verdict = enforce_path_allowed(&d, identity, enforce_decide_object(identity, &d));
	if (verdict == VERDICT_go)
		verdict = listing(&d, identity, list, bytes);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_vain_mode(identity));
	if (verdict == VERDICT_deny)
		enforce_end(caller);
	return verdict;
}

enum enforce_verdict enforce_given(const struct identity *identity, uid_t uid, gid_t gid, const void *caller)
{
	struct policy_decision d;
	enum enforce_verdict verdict = VERDICT_go;

	if (identity->kind == KIND_memfd)
		return verdict;
	enforce_begin();
	verdict = enforce_path_allowed(&d, identity, enforce_decide_object(identity, &d));
	/* A server gives its client what it has made for him, unless the policy says whose objects may be. */
	if (verdict == VERDICT_go && (d.owner || d.allow_uid) && uid != (uid_t)-1 && uid != identity->uid &&
	    enforce_asks(&d, RULE_foreign_owner) && !enforce_owner_allowed(&d, uid))
		verdict = ENFORCE(&d, foreign_owner, .other = (int32_t)uid);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_vain_owner(identity, uid, gid));
	enforce_end(caller);
	return verdict;
}
