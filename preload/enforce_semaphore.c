/* The policy at named semaphores, whose objects libc opens by itself. */
#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#include "preload/enforce_inner.h"
#include "preload/enforce_vain.h"
#include "preload/kernel.h"
#include "preload/ledger.h"

enum { ATTEMPTS = 100 };

static bool is_strange(const struct policy_decision *d, const struct identity *identity)
{
	if (!enforce_asks(d, RULE_foreign_owner) || !enforce_strange(d, identity) ||
	    ENFORCE(d, foreign_owner, .other = (int32_t)identity->uid) != VERDICT_deny)
		return false;
	enforce_denied_for(identity);
	return true;
}

/* A directory or a link, too, which is not followed, takes the name; where it may not be looked for, none is made either. */
static bool may_be_made(const char *path)
{
	struct stat st;
	return kernel_stat_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st) == -ENOENT;
}

/* What is there by now would not be made. */
static void *not_made(const struct enforce_semaphore *s, const char *path)
{
	struct enforce_semaphore made = *s;

	made.flags |= O_EXCL;
	enforce_refused_nothing(VERDICT_deny, enforce_vain_semaphore(&made, path));
	return NULL;
}

static void *create(const struct enforce_semaphore *s, const struct policy_decision *d, const char *path)
{
	mode_t mode = s->mode;
	struct enforce_making making;

	if (enforce_one_more(d) == VERDICT_deny)
		return not_made(s, path);
	enum enforce_verdict verdict = enforce_making(d, path, false, &mode, &making);
	if (verdict == VERDICT_deny)
		return not_made(s, path);
	void *opened = s->call(s, s->flags | O_EXCL, verdict == VERDICT_fix ? enforce_made_with(mode) : mode);
	if (opened)
		ledger_count_created(1);
	if (opened && verdict == VERDICT_fix)
		enforce_made(&making, path, mode);
	/* As the C library leaves it, which looks for one before it makes it. */
	if (opened && !(s->flags & O_EXCL))
		errno = ENOENT;
	return opened;
}

/* Nothing is asked, or all is only told. */
static void *as_it_came(const struct enforce_semaphore *s, const struct policy_decision *d, const char *path)
{
	bool makes = (s->flags & O_CREAT) && enforce_asks_at_opening(d);
	unsigned decided = enforce_decided();
	struct identity identity;
	struct enforce_making making;
	mode_t mode = s->mode;

	if (!may_be_made(path)) {
		makes = false;
		if (identity_of_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &identity))
			is_strange(d, &identity);
	} else if (makes) {
		enforce_one_more(d);
		enforce_making(d, path, false, &mode, &making);
	}
	void *opened = s->call(s, s->flags, s->mode);
	if (!opened)
		enforce_forget_from(decided);
	else if (makes && enforce_counts)
		ledger_count_created(1);
	return opened;
}

/* As with objects: either one that exists, or a new one. */
static void *create_or_attach(const struct enforce_semaphore *s, const struct policy_decision *d, const char *path)
{
	bool creates = s->flags & O_CREAT, exclusive = creates && (s->flags & O_EXCL);
	struct identity identity;
	void *opened;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (!exclusive && !may_be_made(path)) {
			if (identity_of_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &identity) &&
			    is_strange(d, &identity))
				return NULL;
			opened = s->call(s, s->flags & ~O_CREAT, s->mode);
			if (opened || errno != ENOENT || !creates)
				return opened;
		}
		opened = creates ? create(s, d, path) : s->call(s, s->flags, s->mode);
		if (opened || errno != EEXIST || exclusive)
			return opened;
		enforce_forget();
	}
	return NULL;
}

void *enforce_semaphore(const struct enforce_semaphore *s)
{
	struct policy_decision d;
	char path[512];
	void *opened = NULL;

	if (!identity_shm_path(s->name, "sem.", path))
		return s->call(s, s->flags, s->mode);
	enforce_begin();
	enforce_decide(path, &d);
	enum enforce_verdict verdict = enforce_name_allowed(&d, path, false);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_vain_semaphore(s, path));
	if (verdict != VERDICT_deny)
		opened = enforce_audits() || !enforce_asks_at_opening(&d) ? as_it_came(s, &d, path)
									  : create_or_attach(s, &d, path);
	enforce_end(s->caller);
	return opened;
}
