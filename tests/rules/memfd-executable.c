/*
 * Whoever has the descriptor can execute what is in it.
 * expect: memfd-executable note 1
 */
#include "rule.h"

int main(void)
{
	must(memfd_create("buffer", MFD_CLOEXEC) >= 0, "memfd_create");
	return 0;
}
