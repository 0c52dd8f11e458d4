/* The rules of permission in words: the facts of each. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "judge_call.h"
#include "memory.h"

static const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "an error";
}

static char *mode_words(const struct object *object, const struct finding_event *e, const struct site *site)
{
	bool writable = e->rule == RULE_world_writable;

	return memory_format("%s %s with mode %04" PRIo64 ": any user may %s",
			     e->response == RESPONSE_denied || e->response == RESPONSE_fixed ? "asks for"
			     : call_created(object, site)                                    ? "creates"
											     : "leaves",
			     call_name(object, e), e->length,
			     writable ? "write to it, and truncate it under its users (SIGBUS)" : "read what is in it");
}

static char *owner_words(const struct object *object, const struct finding_event *e)
{
	const char *name = call_name(object, e);

	if (e->rule == RULE_foreign_owner && e->severity == SEVERITY_ERROR)
		return memory_format("opens %s with O_CREAT and gets an object of uid %" PRId64 " (mode %04" PRIo64
				     "), who can read, change and truncate it",
				     name, e->offset, e->length);
	if (e->rule == RULE_foreign_owner)
		return memory_format("opens %s, which uid %" PRId64 " owns (mode %04" PRIo64 ")", name, e->offset,
				     e->length);
	return memory_format("opens %s with O_CREAT, which fails with EACCES although mode %04" PRIo64
			     " would allow it: uid %" PRId64
			     " owns it, the directory is sticky and fs.protected_regular is set",
			     name, e->length, e->offset);
}

static char *special_words(const struct object *object, const struct finding_event *e)
{
	const char *what = S_ISLNK(e->length) ? "a symlink" : S_ISFIFO(e->length) ? "a FIFO" : "a hard link";

	/* The link has a name of its own. */
	return memory_format("opens %s, which is %s that uid %" PRId64 " put there%s%s%s",
			     call_name(S_ISLNK(e->length) ? NULL : object, e), what, e->offset,
			     e->error ? " (refused: " : "", e->error ? error_name(e->error) : "", e->error ? ")" : "");
}

static char *excl_words(const struct object *object, const struct finding_event *e)
{
	if (e->limit)
		return memory_format("creates %s with O_CREAT but without O_EXCL: it would have adopted whatever was "
				     "there",
				     call_name(object, e));
	return memory_format("opens %s with O_CREAT but without O_EXCL, and adopts what is there: %" PRIu64
			     " %s, uid %" PRId64 ", mode %04" PRIo64,
			     call_name(object, e), e->size, judge_unit(e->size), e->offset, e->length);
}

static char *grant_words(const struct object *object, const struct finding_event *e)
{
	return memory_format("uses %s, whose access control list grants %s%s%s to %s %" PRId64
			     ", beyond mode %04" PRIo64,
			     call_name(object, e), e->limit & 4 ? "r" : "", e->limit & 2 ? "w" : "",
			     e->limit & 1 ? "x" : "", e->other ? "gid" : "uid", e->offset, e->length);
}

static char *name_words(const struct object *object, const struct finding_event *e)
{
	if (e->rule == RULE_predictable_name && e->length)
		return memory_format("creates %s, a name with about %" PRIu64
				     " random bits: another user can take it first",
				     call_name(object, e), e->length);
	if (e->rule == RULE_predictable_name)
		return memory_format("creates %s, a name that others can tell beforehand: another user can take it "
				     "first",
				     call_name(object, e));
	return memory_format(
		"opens \"%s\", a name of %" PRIu64 " bytes that is not one slash and then a file name%s%s%s", e->name,
		e->length, e->error ? " (" : "", e->error ? error_name(e->error) : "", e->error ? ")" : "");
}

static char *memfd_words(const struct object *object, const struct finding_event *e, const struct site *site)
{
	const char *name = call_name(object, e);

	switch (e->rule) {
	case RULE_memfd_no_cloexec:
		return memory_format("%s %s as descriptor %" PRIu64 " without FD_CLOEXEC: it survives an exec",
				     call_created(object, site) ? "makes" : "keeps", name, e->length);
	case RULE_memfd_unsealed_share:
		return memory_format("sends %s, %" PRIu64 " %s, without F_SEAL_SHRINK (seals 0x%" PRIx64
				     "): shrinking it would crash the receiver",
				     name, e->size, judge_unit(e->size), e->length);
	default:
		return memory_format("makes %s with flags 0x%" PRIx64
				     ", neither MFD_NOEXEC_SEAL nor MFD_EXEC: mode %04" PRIo64 " lets it be executed",
				     name, e->limit, e->length);
	}
}

static char *policy_words(const struct object *object, const struct finding_event *e)
{
	const char *name = call_name(object, e);

	switch (e->rule) {
	case RULE_mode_too_open:
		return memory_format("asks for %s with mode %04" PRIo64
				     ", of which the policy does not allow %04" PRIo64,
				     name, e->length, e->length & ~e->limit & 07777);
	case RULE_object_too_large:
		return memory_format("asks for %" PRIu64 " %s of %s, which has %" PRIu64 ": the policy allows %" PRIu64,
				     e->length, judge_unit(e->length), name, e->size, e->limit);
	case RULE_too_many_objects:
		return memory_format("creates %s and has %" PRIu64 " live %s already: the policy allows %" PRIu64, name,
				     e->size, e->size == 1 ? "object" : "objects", e->limit);
	default:
		return memory_format("uses %s: %s", name, rules[e->rule].summary);
	}
}

static char *deed(const struct object *object, const struct finding_event *e, const struct site *site)
{
	switch (e->rule) {
	case RULE_world_writable:
	case RULE_world_readable:
		return mode_words(object, e, site);
	case RULE_foreign_owner:
	case RULE_sticky_refused:
		return owner_words(object, e);
	case RULE_symlink_or_special:
		return special_words(object, e);
	case RULE_create_without_excl:
		return excl_words(object, e);
	case RULE_umask_mismatch:
		return memory_format("asks for %s with mode %04" PRIo64 " and gets %04" PRIo64
				     ": the umask took %04" PRIo64 " away",
				     call_name(object, e), e->limit, e->length, e->limit & ~e->length);
	case RULE_acl_grants:
		return grant_words(object, e);
	case RULE_predictable_name:
	case RULE_name_nonportable:
		return name_words(object, e);
	case RULE_exec_map:
		return memory_format("maps %" PRIu64
				     " bytes of %s executable%s: whoever can write there can run code in it",
				     e->length, call_name(object, e), e->limit & PROT_WRITE ? " and writable" : "");
	case RULE_memfd_no_cloexec:
	case RULE_memfd_unsealed_share:
	case RULE_memfd_executable:
		return memfd_words(object, e, site);
	default:
		return policy_words(object, e);
	}
}

char *permission_words(const struct object *object, const struct finding_event *e, const struct site *site)
{
	char *who = judge_process(site->process), *what, *words;

	if (call_is_bare(e)) {
		words = call_bare_words(object, e, who);
		free(who);
		return words;
	}
	what = deed(object, e, site);
	words = memory_format("%s %s", who, what);

	free(who);
	free(what);
	return words;
}
