/* What opens descriptors runs where it is called: preload/apart.c knows which threads are the program's. */
#ifndef SHMGUARD_TESTS_UNIT_APART_STAND_IN_H
#define SHMGUARD_TESTS_UNIT_APART_STAND_IN_H

#include "preload/apart.h"

long apart_hidden(int fd, long (*function)(void *), void *context)
{
	(void)fd;
	return function(context);
}

bool apart_has_own(void)
{
	return true;
}

long apart_run(int fd, long (*function)(void *), void *context)
{
	return apart_hidden(fd, function, context);
}

#endif
