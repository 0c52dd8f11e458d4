#include "trace_settings.h"

#include <stdbool.h>
#include <string.h>

#include "memory.h"
#include "selection.h"

struct trace_settings trace_settings = {.patience = 10000000000LL};

struct clock_offset {
	char *host;
	int64_t offset;
};

static struct clock_offset *offsets;
static size_t offset_count;

static bool take_offset(const char *argument)
{
	const char *equals = strrchr(argument, '='), *time;
	struct clock_offset offset;
	bool negative;

	if (equals == NULL || equals == argument)
		return false;
	time = equals + 1;
	negative = *time == '-';
	time += *time == '-' || *time == '+';
	if (!selection_time(time, &offset.offset))
		return false;
	offset.host = memory_text(argument);
	offset.host[equals - argument] = 0;
	if (negative)
		offset.offset = -offset.offset;
	offsets = memory_grow(offsets, offset_count, sizeof(*offsets));
	offsets[offset_count++] = offset;
	return true;
}

/* "NAME" or "NAME:TIME". */
static bool take_decoder(const char *argument)
{
	static const char *const names[] = {
		[DECODER_auto] = "auto", [DECODER_direct] = "direct", [DECODER_babeltrace2] = "babeltrace2"};
	size_t length = strcspn(argument, ":");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i]) != length || strncmp(argument, names[i], length) != 0)
			continue;
		trace_settings.decoder = (enum trace_decoder)i;
		if (argument[length] == 0)
			return true;
		return selection_time(argument + length + 1, &trace_settings.patience) && trace_settings.patience > 0;
	}
	return false;
}

int trace_settings_take(int option, const char *argument)
{
	switch (option) {
	case OPTION_clock_offset:
		if (take_offset(argument))
			return 1;
		options_tell("shmguard: --clock-offset takes HOST=TIME, as in node7=-1.5, not '%s'\n", argument);
		return -1;
	case OPTION_decoder:
		if (take_decoder(argument))
			return 1;
		options_tell(
			"shmguard: --decoder takes auto, direct or babeltrace2, and a time behind a colon, not '%s'\n",
			argument);
		return -1;
	default:
		return 0;
	}
}

int64_t trace_clock_offset(const char *host)
{
	for (size_t i = offset_count; i > 0; i--)
		if (strcmp(offsets[i - 1].host, host) == 0)
			return offsets[i - 1].offset;
	return 0;
}

const char *trace_clock_host(size_t index)
{
	return index < offset_count ? offsets[index].host : NULL;
}
