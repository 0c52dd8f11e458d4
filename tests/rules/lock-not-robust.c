/*
 * A mutex for several processes, which the death of one locks for ever.
 * expect: lock-not-robust note 1
 */
#include <pthread.h>

#include "rule.h"

int main(void)
{
	void *shared = map(create(name(), PAGE), PAGE);
	pthread_mutexattr_t attributes;

	must(pthread_mutexattr_init(&attributes) == 0, "attributes");
	must(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0, "setpshared");
	must(pthread_mutex_init(shared, &attributes) == 0, "mutex");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
