/* How traces are to be read in this process: what the command line says of it. */
#ifndef SHMGUARD_TRACE_SETTINGS_H
#define SHMGUARD_TRACE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_decoder { DECODER_auto, DECODER_direct, DECODER_babeltrace2 };

struct trace_settings {
	enum trace_decoder decoder;
	int64_t patience; /* nanoseconds without progress after which a decoder is given up */
	bool silent;      /* no line tells how far the reading is */
};

extern struct trace_settings trace_settings;

enum { OPTION_clock_offset = 0x300, OPTION_decoder };

/* Rows of an option table, for all that read a recording. */
#define TRACE_ROWS                                                                                                     \
	{"clock-offset", OPTION_clock_offset, "HOST=SEC",                                                              \
	 "add SEC (-2, 1.5, 30ms) to the clock of HOST\nMay be repeated."},                                            \
	{                                                                                                              \
		"decoder", OPTION_decoder, "NAME[:TIME]",                                                              \
			"auto, direct or babeltrace2, to read traces with\n"                                           \
			"It is given up when it stands still for TIME; 10s is the default."                            \
	}

/* 1: the option is one of the rows above and was taken; 0: it is not; -1: its argument is bad, and stderr was told. */
int trace_settings_take(int option, const char *argument);

/* Nanoseconds to be added to the times of that host. */
int64_t trace_clock_offset(const char *host);

/* The host of option number `index`, NULL behind the last. */
const char *trace_clock_host(size_t index);

#endif
