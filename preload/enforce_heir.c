/* The policy on what a program finds open when it begins: a new image knows nothing of what the old one had made. */
#include <dirent.h>

#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/text.h"

enum { PROBED = 256 };

/* What is not to outlive its last user is known by its descriptor from now on; the trace hears of it once it is used. */
static void take_up(int fd)
{
	struct policy_decision d;
	struct identity identity;
	char text[512];

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

static void take_up_listed(int directory)
{
	char entries[1024];
	uint64_t fd;
	long got;

	while ((got = kernel_call(SYS_getdents64, directory, (long)entries, sizeof entries, 0, 0, 0)) > 0)
		for (long at = 0; at < got;) {
			const struct dirent64 *entry = (void *)(entries + at);
			const char *digits = entry->d_name;
			at += entry->d_reclen;
			if (text_decimal(&digits, &fd) && !*digits)
				take_up((int)fd);
		}
}

void enforce_take_up(void)
{
	long directory = kernel_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory >= 0) {
		take_up_listed((int)directory);
		kernel_close((int)directory);
		return;
	}
	for (int fd = 0; fd < PROBED; fd++)
		take_up(fd);
}
