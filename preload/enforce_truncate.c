/* The policy on what is opened with O_TRUNC. Judged before the program opens it, it is emptied by the program's own alone. */
#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/kernel.h"
#include "preload/real.h"
#include "preload/text.h"
#include "preload/wipe.h"

/*
 * What shm_open asks for is shared memory. Anything else may be an ordinary file that happens to lie there, as cp and tar
 * leave them, unless somebody maps it, or may: what nobody does is emptied, and recorded by the check after the call.
 */
enum enforce_verdict enforce_truncation(const struct enforce_opening *o, const struct policy_decision *d,
					const struct identity *identity)
{
	const struct check_finding finding = {
		.rule = RULE_truncate_on_open, .severity = SEVERITY_WARNING, .size = identity->size};

	if (!enforce_asks(d, RULE_truncate_on_open))
		return VERDICT_go;
	enum facts_use losers = o->shm ? FACTS_mapped : enforce_losers(identity);
	return losers == FACTS_unused ? VERDICT_go : enforce_broken_for(d, &finding, losers);
}

static long truncate_again(void *context)
{
	long again = text_reopen(*(int *)context, O_RDONLY | O_TRUNC);

	if (again >= 0)
		kernel_close((int)again);
	return again;
}

/* O_TRUNC was kept from the real call, and is to happen now, or to be fixed. */
void enforce_truncate(int fd, enum enforce_verdict verdict)
{
	struct identity identity;

	if (!identity_of_fd(fd, &identity))
		return;
	int error = verdict == VERDICT_fix ? wipe_object(fd, &identity, true, NULL) : 0;
	if (error)
		enforce_not_done(RULE_truncate_on_open, LIBC(strerrorname_np)(error));
	/* An empty one gets its times, and loses set-user-ID. Linux does so even by O_RDONLY, which ftruncate(2) refuses. */
	if (verdict == VERDICT_go && kernel_call(SYS_ftruncate, fd, 0, 0, 0, 0, 0) < 0)
		apart_run(fd, truncate_again, &fd);
}
