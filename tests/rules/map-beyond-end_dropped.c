/*
 * A daemon maps more than its object has before it becomes one, and gives up what lies past that before it touches it.
 * expect: map-beyond-end note 1
 */
#include "orphan.h"

static void drop(int fd, char *address)
{
	(void)fd;
	must(munmap(address + PAGE, 3 * PAGE) == 0, "munmap");
	address[0] = 1;
}

int main(void)
{
	leave_to_orphan(drop);
	return 0;
}
