/* The policy at nameless objects: how they are made, and whom they are handed to. */
#include <errno.h>

#include "preload/enforce_size.h"
#include "preload/enforce_vain.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/enforce_open.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

unsigned enforce_memfd_flags(const char *name, unsigned flags, const void *caller)
{
	struct policy_decision d;

	/* What cannot be read is the kernel's to refuse. */
	if (!kernel_one_text_readable(name))
		return flags;
	enforce_begin();
	enforce_decide(name, &d);
	if (!(flags & MFD_CLOEXEC) && enforce_asks(&d, RULE_memfd_no_cloexec) &&
	    ENFORCE(&d, memfd_no_cloexec) == VERDICT_fix)
		flags |= MFD_CLOEXEC;
	if (!(flags & (MFD_NOEXEC_SEAL | MFD_EXEC)) && enforce_asks(&d, RULE_memfd_executable) &&
	    ENFORCE(&d, memfd_executable, .limit = flags) == VERDICT_fix)
		flags |= MFD_NOEXEC_SEAL;
	enforce_end(caller);
	return flags;
}

void enforce_inherited(int fd, const struct identity *identity, const void *caller)
{
	struct policy_decision d;

	/* Standard input, output and error are redirected in order to be inherited. */
	if (identity->kind != KIND_memfd || fd <= STDERR_FILENO || !facts_survives_exec(fd))
		return;
	enforce_begin();
	enforce_decide_object(identity, &d);
	if (enforce_asks(&d, RULE_memfd_no_cloexec) &&
	    ENFORCE(&d, memfd_no_cloexec, .length = (uint64_t)fd) == VERDICT_fix &&
	    kernel_call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC, 0, 0, 0) < 0)
		enforce_not_fixed(RULE_memfd_no_cloexec);
	enforce_end(caller);
}

static enum enforce_verdict sharing(const struct enforce_message *m, int fd, const struct identity *identity)
{
	struct policy_decision d;

	if (identity->kind != KIND_memfd)
		return VERDICT_go;
	enforce_decide_object(identity, &d);
	bool fixes = d.action[RULE_memfd_unsealed_share] == ACTION_fix;
	int seals = facts_seals(fd);
	bool sealable = seals >= 0 && !(seals & F_SEAL_SEAL);
	if (!enforce_asks(&d, RULE_memfd_unsealed_share) || (seals >= 0 && (seals & F_SEAL_SHRINK)) ||
	    (fixes && !sealable))
		return VERDICT_go;
	if (fixes != m->allowed)
		return fixes ? VERDICT_fix : VERDICT_go;
	enum enforce_verdict verdict = ENFORCE(&d, memfd_unsealed_share, .size = identity->size);
	if (verdict == VERDICT_fix && kernel_call(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK, 0, 0, 0) < 0)
		enforce_not_fixed(RULE_memfd_unsealed_share);
	return verdict;
}

enum enforce_verdict enforce_share(const struct enforce_message *m, int fd, const struct identity *identity,
				   const void *caller)
{
	enforce_begin();
	enum enforce_verdict verdict = sharing(m, fd, identity);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_vain_message(m));
	enforce_end(caller);
	return verdict;
}
