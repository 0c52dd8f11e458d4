/*
 * Anyone can tell what the next object will be called.
 * expect: predictable-name note 1
 */
#include "rule.h"

int main(void)
{
	create(name(), PAGE);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
