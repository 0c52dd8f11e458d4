/* Removes what an earlier run may have left of its two objects, creates both, removes both once; and all of it again. */
#include "rule.h"

static const char *second_name(void)
{
	static char text[256];

	snprintf(text, sizeof text, "%s-2", name());
	return text;
}

int main(void)
{
	const char *names[] = {name(), second_name()};
	volatile int count = 2; /* one place in the code for both */

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < count; i++)
			must(shm_unlink(names[i]) != 0 && errno == ENOENT, "shm_unlink of nothing");
		for (int i = 0; i < count; i++)
			close(create(names[i], PAGE));
		for (int i = 0; i < count; i++)
			must(shm_unlink(names[i]) == 0, "shm_unlink");
	}
	return 0;
}
