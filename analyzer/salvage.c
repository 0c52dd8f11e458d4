#include "analyzer/salvage.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/limited.h"

int salvage_rest(const void *context, char *error)
{
	const struct salvage *salvage = context;

	execlp("lttng-crash", "lttng-crash", "-x", salvage->into, salvage->buffers, (char *)NULL);
	snprintf(error, LIMITED_TEXT, "lttng-crash: %s", strerror(errno));
	return 1;
}

/* The metadata are always there. */
static int salvage_is_stream(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return type == FTW_F && status->st_size && strcmp(path + walk->base, "metadata") != 0;
}

bool salvage_is_empty(const char *trace)
{
	return nftw(trace, salvage_is_stream, 16, FTW_PHYS) == 0;
}
