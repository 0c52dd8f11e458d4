/*
 * Code in shared memory: whoever writes there says what runs here.
 * expect: exec-map warning 1
 */
#include "rule.h"

int main(void)
{
	char *code = map(create(name(), PAGE), PAGE);

	must(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0, "mprotect");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
