/* The policy at named semaphores, whose objects libc opens by itself. */
#include <errno.h>
#include <stddef.h>

#include "preload/enforce_inner.h"
#include "preload/ledger.h"

enum { ATTEMPTS = 100 };

static bool is_strange(const struct policy_decision *d, const struct identity *identity)
{
	return enforce_asks(d, RULE_foreign_owner) && !enforce_owner_allowed(d, identity->uid) &&
	       ENFORCE(d, foreign_owner, .other = (int32_t)identity->uid) == VERDICT_deny;
}

static void *create(const struct enforce_semaphore *s, const struct policy_decision *d)
{
	mode_t mode = s->mode;

	if (enforce_one_more(d) == VERDICT_deny)
		return NULL;
	if (enforce_wants_modes(d, mode) && enforce_clamp(d, &mode, enforce_file_mode_mask()) == VERDICT_deny)
		return NULL;
	void *made = s->call(s, s->flags | O_EXCL, mode);
	if (made)
		ledger_count_created(1);
	return made;
}

/* As with objects: either one that exists, or a new one. */
static void *create_or_attach(const struct enforce_semaphore *s, const struct policy_decision *d, const char *path)
{
	bool creates = s->flags & O_CREAT, exclusive = creates && (s->flags & O_EXCL);
	struct identity identity;
	void *opened;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (!exclusive && identity_of_path(AT_FDCWD, path, 0, &identity)) {
			if (is_strange(d, &identity))
				return NULL;
			opened = s->call(s, s->flags & ~O_CREAT, s->mode);
			if (opened || errno != ENOENT || !creates)
				return opened;
		}
		opened = creates ? create(s, d) : s->call(s, s->flags, s->mode);
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
	int kept = errno;
	void *opened = NULL;

	if (!identity_shm_path(s->name, "sem.", path))
		return s->call(s, s->flags, s->mode);
	enforce_begin();
	enforce_decide(path, &d);
	if (enforce_name_allowed(&d, path, false) != VERDICT_deny)
		opened = create_or_attach(s, &d, path);
	if (opened)
		errno = kept;
	enforce_end(s->caller);
	return opened;
}
