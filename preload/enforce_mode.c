/* Modes and owners that the policy does not want, at creation and after the fact. */
#include <string.h>

#include "preload/acl.h"
#include "preload/enforce_inner.h"
#include "preload/kernel.h"
#include "preload/text.h"

mode_t enforce_file_mode_mask(void)
{
	char status[1024];
	uint64_t digits;
	mode_t mask = 0;

	if (text_read("/proc/self/status", status, sizeof status) <= 0 || !text_field(status, "Umask:", &digits))
		return 0;
	for (unsigned shift = 0; digits; digits /= 10, shift += 3)
		mask |= (mode_t)(digits % 10) << shift;
	return mask;
}

struct mode_rule {
	enum rule_id rule;
	mode_t bits;
};

enum enforce_verdict enforce_clamp(const struct policy_decision *d, mode_t *mode, mode_t mask)
{
	const struct mode_rule wide[] = {
		{RULE_world_writable, 002},
		{RULE_world_readable, 004},
		{RULE_mode_too_open, 0777 & ~d->max_mode},
	};

	if ((*mode & 0777 & ~d->max_mode & ~mask) && !enforce_asks(d, RULE_mode_too_open))
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
	return (enforce_asks(d, RULE_world_writable) && (mode & 002)) ||
	       (enforce_asks(d, RULE_world_readable) && (mode & 004)) || (mode & 0777 & ~d->max_mode);
}

/*
 * With named entries in its access list the group bits of a mode are what these are granted (acl(5)). Fixed, the list is
 * gone before the call, and the group gets no more than it had.
 */
static enum enforce_verdict grants(const struct policy_decision *d, const struct identity *identity, mode_t *mode)
{
	char path[64] = "/proc/self/fd/";
	enum enforce_verdict verdict = VERDICT_go;
	struct acl acl;

	if (!(*mode & 070))
		return verdict;
	long fd = identity->fd;
	if (fd < 0)
		fd = kernel_call(SYS_openat, identity->dirfd, (long)identity->name, O_PATH | O_CLOEXEC, 0, 0, 0);
	if (fd < 0 || !text_append_decimal(path, sizeof path, (uint64_t)fd))
		return verdict;
	if (acl_read(path, ACL_ACCESS, &acl) && acl.named)
		verdict = ENFORCE(d, acl_grants, .length = *mode);
	if (verdict == VERDICT_fix && acl_replace(path, acl_mode_of_owners(&acl)))
		*mode &= ~(mode_t)070 | (mode_t)acl.group << 3;
	else if (verdict == VERDICT_fix)
		enforce_not_fixed(RULE_acl_grants);
	if (fd != identity->fd)
		kernel_close((int)fd);
	return verdict == VERDICT_deny ? verdict : VERDICT_go;
}

enum enforce_verdict enforce_mode(const struct identity *identity, mode_t *mode, const void *caller)
{
	struct policy_decision d;
	enum enforce_verdict verdict = VERDICT_go;

	if (identity->kind == KIND_memfd)
		return verdict;
	enforce_begin();
	verdict = enforce_path_allowed(&d, identity, enforce_decide_object(identity, &d));
	if (verdict == VERDICT_go && d.action[RULE_acl_grants] == ACTION_deny)
		verdict = grants(&d, identity, mode);
	if (verdict == VERDICT_go && enforce_wants_modes(&d, *mode))
		verdict = enforce_clamp(&d, mode, 0);
	if (verdict == VERDICT_go && d.action[RULE_acl_grants] == ACTION_fix)
		verdict = grants(&d, identity, mode);
	enforce_end(caller);
	return verdict;
}

static enum enforce_verdict listing(const struct policy_decision *d, void *list, size_t *bytes)
{
	struct acl acl;

	if (!acl_parse(list, *bytes, &acl))
		return VERDICT_go;
	mode_t asked = acl_mode(&acl), mode = asked;
	if (acl.grants && d->action[RULE_acl_grants] == ACTION_deny &&
	    ENFORCE(d, acl_grants, .length = mode) == VERDICT_deny)
		return VERDICT_deny;
	if (enforce_wants_modes(d, mode) && enforce_clamp(d, &mode, 0) == VERDICT_deny)
		return VERDICT_deny;
	if (acl.grants && d->action[RULE_acl_grants] == ACTION_fix &&
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

	if (identity->kind == KIND_memfd)
		return VERDICT_go;
	enforce_begin();
	enum enforce_verdict verdict = enforce_path_allowed(&d, identity, enforce_decide_object(identity, &d));
	if (verdict == VERDICT_go)
		verdict = listing(&d, list, bytes);
	enforce_end(caller);
	return verdict;
}

enum enforce_verdict enforce_given(const struct identity *identity, uid_t uid, const void *caller)
{
	struct policy_decision d;
	enum enforce_verdict verdict = VERDICT_go;

	if (identity->kind == KIND_memfd)
		return verdict;
	enforce_begin();
	verdict = enforce_path_allowed(&d, identity, enforce_decide_object(identity, &d));
	if (verdict == VERDICT_go && uid != (uid_t)-1 && uid != identity->uid && enforce_asks(&d, RULE_foreign_owner) &&
	    !enforce_owner_allowed(&d, uid))
		verdict = ENFORCE(&d, foreign_owner, .other = (int32_t)uid);
	enforce_end(caller);
	return verdict;
}
