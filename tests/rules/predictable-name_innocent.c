/* 64 random bits; and what mkstemp chooses. */
#include <sys/random.h>

#include "rule.h"

int main(void)
{
	unsigned long long random;
	char object[64], path[] = "/dev/shm/shmguard-rules.XXXXXX";

	must(getrandom(&random, sizeof(random), 0) == sizeof(random), "getrandom");
	snprintf(object, sizeof(object), "/shmguard-rules.%016llx", random);
	create(object, PAGE);
	must(shm_unlink(object) == 0, "shm_unlink");
	must(mkstemp(path) >= 0 && unlink(path) == 0, "mkstemp");
	return 0;
}
