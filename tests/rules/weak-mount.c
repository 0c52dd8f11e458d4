/*
 * Uses a /dev/shm that is mounted without noexec.
 * expect: weak-mount note 1 nowhere
 */
#include "rule.h"

int main(void)
{
	create(name(), PAGE);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
