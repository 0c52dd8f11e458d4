/*
 * Opens or creates, whichever it is.
 * expect: create-without-excl warning 1
 */
#include "rule.h"

int main(void)
{
	must(shm_open(name(), O_CREAT | O_RDWR, 0600) >= 0, "shm_open");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
