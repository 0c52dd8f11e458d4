/* A robust one in the object; and one that is not, in memory that is this process's own. */
#include <pthread.h>

#include "rule.h"

int main(void)
{
	void *shared = map(create(name(), PAGE), PAGE);
	pthread_mutexattr_t attributes;
	pthread_mutex_t own, ordinary;

	must(pthread_mutexattr_init(&attributes) == 0, "attributes");
	must(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0, "setpshared");
	must(pthread_mutex_init(&own, &attributes) == 0, "own mutex");
	must(pthread_mutex_init(&ordinary, NULL) == 0, "ordinary mutex");
	must(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0, "setrobust");
	must(pthread_mutex_init(shared, &attributes) == 0, "mutex");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
