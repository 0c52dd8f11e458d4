/* Many descriptors, and still room for a tenth more. */
#include <sys/resource.h>

#include "rule.h"

int main(void)
{
	struct rlimit limit = {64, 64};

	create(name(), PAGE);
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
	while (open("/dev/null", O_RDONLY) < 50)
		;
	must(shm_open(name(), O_RDONLY, 0) >= 0, "shm_open");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
