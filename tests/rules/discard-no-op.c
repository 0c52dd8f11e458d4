/*
 * Means to give its secrets back to the kernel, and keeps them.
 * expect: discard-no-op warning 1
 */
#include "rule.h"

int main(void)
{
	char *address = map(create(name(), PAGE), PAGE);

	strcpy(address, "secret");
	must(madvise(address, PAGE, MADV_DONTNEED) == 0, "madvise");
	must(strcmp(address, "secret") == 0, "data that stays");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
