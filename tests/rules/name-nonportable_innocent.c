/* One slash, dots, and as long as a name may be. */
#include <limits.h>

#include "rule.h"

int main(void)
{
	char longest[NAME_MAX + 2];

	memset(longest, '.', sizeof(longest));
	memcpy(longest, name(), strlen(name()));
	longest[NAME_MAX + 1] = 0;
	create(longest, PAGE);
	must(shm_unlink(longest) == 0, "shm_unlink");
	return 0;
}
