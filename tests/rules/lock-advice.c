/*
 * Memory that the kernel is asked to move to swap, and that stays mapped.
 * expect: lock-advice note 1
 */
#include "rule.h"

enum { LENGTH = 1 << 20 };

int main(void)
{
	char *shared = map(create(name(), LENGTH), LENGTH);

	must(shm_unlink(name()) == 0, "shm_unlink");
	memset(shared, 1, LENGTH);
	for (int i = 0; i < 39; i++) {
		must(madvise(shared, LENGTH, MADV_PAGEOUT) == 0, "madvise");
		nap(100);
	}
	return 0;
}
