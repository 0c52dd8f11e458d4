/*
 * Root's cleaner takes away a name that another user's server still needs.
 * expect: unlink-by-stranger warning 1
 */
#include "users.h"

static void serve(void)
{
	create("/shmguard-rules.server", PAGE);
}

int main(void)
{
	as_nobody(serve);
	must(shm_unlink("/shmguard-rules.server") == 0, "shm_unlink");
	return 0;
}
