/* The same, but locked, which no page of it can leave. */
#include "rule.h"

enum { LENGTH = 64 << 10 };

int main(void)
{
	char *shared = map(create(name(), LENGTH), LENGTH);

	must(shm_unlink(name()) == 0, "shm_unlink");
	memset(shared, 1, LENGTH);
	must(mlock(shared, LENGTH) == 0, "mlock");
	for (int i = 0; i < 19; i++) {
		must(madvise(shared, LENGTH, MADV_PAGEOUT) != 0 && errno == EINVAL, "madvise");
		nap(100);
	}
	return 0;
}
