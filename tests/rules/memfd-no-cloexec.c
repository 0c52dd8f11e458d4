/*
 * Every program that it runs from now on has the buffer open.
 * expect: memfd-no-cloexec warning 1
 */
#include "rule.h"

int main(void)
{
	must(memfd_create("buffer", 0) >= 0, "memfd_create");
	return 0;
}
