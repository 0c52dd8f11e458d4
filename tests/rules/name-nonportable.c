/*
 * No slash in front.
 * expect: name-nonportable note 1
 */
#include "rule.h"

int main(void)
{
	create(name() + 1, PAGE);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
