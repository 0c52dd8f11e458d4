/*
 * Two parts of a program both believe that removing the name is theirs to do.
 * expect: double-unlink warning 1
 */
#include "rule.h"

static void stop_reader(void)
{
	shm_unlink(name());
}

static void stop_writer(void)
{
	shm_unlink(name());
}

int main(void)
{
	close(create(name(), PAGE));
	stop_reader();
	stop_writer();
	return 0;
}
