/*
 * Starts where an earlier run left half of /dev/shm full.
 * expect: stale-at-start warning 1 nowhere
 */
#include "rule.h"

int main(void)
{
	create(name(), PAGE);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
