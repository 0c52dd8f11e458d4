/*
 * A daemon maps the room that its object may need before it becomes one, and makes the object longer afterwards.
 * expect: map-beyond-end note 1
 */
#include "orphan.h"

static void grow(int fd, char *address)
{
	must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
	address[3 * PAGE] = 1;
}

int main(void)
{
	leave_to_orphan(grow);
	return 0;
}
