/* The policy on what a program finds open when it begins: a new image knows nothing of what the old one had made. */
#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/inherited.h"
#include "preload/own.h"

/* What is not to outlive its last user is known by its descriptor from now on; the trace hears of it once it is used. */
static void take_up(int fd, void *context)
{
	struct policy_decision d;
	struct identity identity;
	char text[512];

	(void)context;
	if (own_fd(fd) || !identity_of_fd(fd, &identity))
		return;
	enforce_begin();
	enforce_decide_object(&identity, &d);
	if (d.secret || (d.zero & ZERO_on_last_unmap)) {
		const char *name = enforce_object_name(&identity, text);
		ledger_fd_set(fd, &identity);
		ledger_mark(&identity, MARK_HEIR, 0);
		ledger_undefined(&identity);
		if (name)
			ledger_rename(&identity, name);
	}
	enforce_end(NULL);
}

void enforce_take_up(void)
{
	inherited_each(take_up, NULL);
}
