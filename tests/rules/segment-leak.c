/*
 * Creates an object and ends without removing its name.
 * expect: segment-leak error 1
 */
#include "rule.h"

int main(void)
{
	close(create(name(), 3 * PAGE));
	return 0;
}
