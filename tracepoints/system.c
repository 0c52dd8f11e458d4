#include "system.h"

#include <errno.h>
#include <unistd.h>

long system_call(long number, long a, long b, long c, long d)
{
	long result = syscall(number, a, b, c, d);

	return result == -1 ? -errno : result;
}
