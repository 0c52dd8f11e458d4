/*
 * A daemon maps more than its object has before it becomes one, and never mends it.
 * expect: map-beyond-end error 1
 */
#include "orphan.h"

static void leave(int fd, char *address)
{
	(void)fd;
	address[0] = 1;
}

int main(void)
{
	leave_to_orphan(leave);
	return 0;
}
