/* The policy on what a program finds open when it begins: a new image knows nothing of what the old one had made. */
#include <limits.h>

#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/facts_files.h"
#include "preload/inherited.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/place.h"
#include "preload/recorder.h"
#include "preload/unguarded.h"

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
	if (!enforce_lasts(&d)) {
		const char *name = enforce_object_name(&identity, text);
		ledger_fd_set(fd, &identity);
		ledger_mark(&identity, MARK_HEIR | MARK_USED, 0);
		enforce_keep_secret(&d, &identity);
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

bool enforce_is_taken_up(const struct identity *identity, const struct enforce_executed *program)
{
	char *found = kernel_memory(UNGUARDED_PATH + PATH_MAX);
	bool taken = true;

	if (!found)
		return true;
	char *exe = found + UNGUARDED_PATH;
	if (unguarded_program(program->file, program->searches, found))
		taken = false;
	else if (place_real(AT_FDCWD, found, exe, PATH_MAX))
		taken = !enforce_lasts_in(identity, exe, facts_user());
	kernel_memory_free(found, UNGUARDED_PATH + PATH_MAX);
	return taken;
}

bool enforce_is_no_program(const struct enforce_executed *program)
{
	char *path = program->by_fd || recorder_filtered ? NULL : kernel_memory(UNGUARDED_PATH);
	bool missing = path && !unguarded_find(program->file, program->searches, path);

	if (path)
		kernel_memory_free(path, UNGUARDED_PATH);
	return missing;
}

bool enforce_answers_too(const struct identity *identity, int32_t pid)
{
	char *exe = kernel_memory(PATH_MAX);
	uint32_t user;
	bool answers = !exe || !facts_program(pid, exe, &user) || !enforce_lasts_in(identity, exe, user);

	if (exe)
		kernel_memory_free(exe, PATH_MAX);
	return answers;
}
