#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/cmd_run.h"
#include "analyzer/memory.h"
#include "analyzer/policy_load.h"

enum {
	OPTION_output = 'o',
	OPTION_until = 256,
	OPTION_error_exitcode,
	OPTION_report,
	OPTION_on_sigbus,
	OPTION_profile,
	OPTION_policy,
	OPTION_max_size,
	OPTION_snapshot_on,
	OPTION_quiet,
	OPTION_allow_unseen
};

static const struct option_row rows[] = {
	{"output", OPTION_output, "DIR", "record into DIR, new or empty; else ./shmguard.EXE.PID"},
	{"until", OPTION_until, "WHO",
	 "end with COMMAND (command) or all it started (all)\n"
	 "all is the default."},
	{"error-exitcode", OPTION_error_exitcode, "N", "exit with N instead of 0 if there is an error finding"},
	{"report", OPTION_report, "FILE|none", "print the report to FILE, or none, instead of stderr"},
	{"on-sigbus", OPTION_on_sigbus, "HOW",
	 "explain it, or survive it with a page of zeros\n"
	 "With survive a touch past the end of an object, or of a page that a full /dev/shm cannot give, finds zeros "
	 "instead of the signal, at most 1024 times in a process; it is an error in the report all the same. The "
	 "default, "
	 "explain, records the signal's cause and leaves it to the program."},
	{"profile", OPTION_profile, "NAME",
	 "hold COMMAND to observe, safe or strict\n"
	 "observe is the default, and changes nothing. See POLICY."},
	{"policy", OPTION_policy, "FILE",
	 "and to a policy of your own, applied after that\n"
	 "A file with an error is refused before anything starts."},
	{"max-size", OPTION_max_size, "BYTES",
	 "keep newest calls: 64M; +200 B an object, 80 a finding\n"
	 "The oldest calls are let go, a sixteenth of BYTES or less at a time; what later ones refer to (processes, "
	 "modules, stacks, objects, findings) is kept whole and comes on top, without a limit: some 200 bytes for each "
	 "object ever made, 170 MB a day at ten a second, and 77 bytes and the object's name for each finding told at "
	 "a call, every time: an object that is opened with O_CREAT and without O_EXCL a thousand times a second makes "
	 "7 GB a day. BYTES are for each user whose processes are recorded."},
	{"snapshot-on", OPTION_snapshot_on, "error",
	 "write only when an error is found, with what led to it\n"
	 "The calls are kept in memory. What is known at the call, and a SIGBUS, is written at once with what led to "
	 "it; what shows at the end only, "
	 "as "
	 "a segment that was left behind, is written then. Without an error the recording has no trace. --max-size "
	 "says "
	 "how much memory is used."},
	{"quiet", OPTION_quiet, NULL, "no notices; no report unless --report names a file"},
	{"allow-unseen", OPTION_allow_unseen, NULL,
	 "run COMMAND even if it cannot be recorded\n"
	 "It is static, 32-bit, set-user-ID or has file capabilities."},
	{NULL, 0, NULL, NULL},
};

const struct option_table run_option_table = {
	"run", "[--] COMMAND [ARG...]", "Run COMMAND, record how it and its descendants use shared memory, and report.",
	rows,
	"Exit status: COMMAND's, or 128+N if signal N killed it; 125 shmguard itself failed; 126 COMMAND cannot be "
	"executed or would run unseen; 127 there is none."};

static int run_options_bad(const char *format, const char *value)
{
	fputs("shmguard: ", stderr);
	options_tell(format, value);
	fputs("; see `shmguard run --help`\n", stderr);
	return -1;
}

static int run_options_number(const char *text, int *number)
{
	uint64_t value;

	if (!options_number(text, 255, &value) || value < 1)
		return run_options_bad("--error-exitcode wants a number from 1 to 255, not '%s'", text);
	*number = (int)value;
	return 0;
}

/* "BYTES", "BYTESK", "BYTESM" or "BYTESG". */
static int run_options_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	size_t length = strlen(text);
	const char *unit = length ? strchr(units, toupper((unsigned char)text[length - 1])) : NULL;
	int shift = unit ? 10 * (int)(unit - units + 1) : 0;
	char *number = memory_span(text, length - (unit != NULL));
	/* recording.json has it, and no larger number. */
	bool taken = options_number(number, (uint64_t)INT64_MAX >> shift, bytes) && *bytes;

	free(number);
	*bytes <<= shift;
	if (taken)
		return 0;
	return run_options_bad("--max-size wants a number of bytes such as 64M, not '%s'", text);
}

static int run_options_take(struct run_options *options, int value)
{
	switch (value) {
	case OPTION_output:
		options->directory = optarg;
		return *optarg ? 0 : run_options_bad("-o wants a directory%s", "");
	case OPTION_until:
		options->until_command = strcmp(optarg, "command") == 0;
		if (options->until_command || strcmp(optarg, "all") == 0)
			return 0;
		return run_options_bad("--until wants 'command' or 'all', not '%s'", optarg);
	case OPTION_error_exitcode:
		return run_options_number(optarg, &options->error_exitcode);
	case OPTION_report:
		options->report = optarg;
		return *optarg ? 0 : run_options_bad("--report wants a file or 'none'%s", "");
	case OPTION_on_sigbus:
		options->survive = strcmp(optarg, "survive") == 0;
		if (options->survive || strcmp(optarg, "explain") == 0)
			return 0;
		return run_options_bad("--on-sigbus wants 'explain' or 'survive', not '%s'", optarg);
	case OPTION_profile:
		options->profile = optarg;
		return policy_load_known(optarg) ? 0 : -1;
	case OPTION_policy:
		options->policy = optarg;
		return *optarg ? 0 : run_options_bad("--policy wants a file%s", "");
	case OPTION_quiet:
		options->quiet = true;
		return 0;
	case OPTION_allow_unseen:
		options->allow_unseen = true;
		return 0;
	case OPTION_max_size:
		return run_options_size(optarg, &options->max_size);
	case OPTION_snapshot_on:
		options->snapshot = strcmp(optarg, "error") == 0;
		return options->snapshot ? 0 : run_options_bad("--snapshot-on wants 'error', not '%s'", optarg);
	}
	return -1;
}

int run_options_parse(struct run_options *options, int argc, char **argv)
{
	int value;

	*options = (struct run_options){0};
	optind = 0;
	while ((value = options_next_before_command(&run_option_table, argc, argv)) != OPTIONS_END) {
		if (value == OPTIONS_HELP)
			options->help = true;
		if (value == OPTIONS_HELP)
			return 0;
		if (value == OPTIONS_BAD || run_options_take(options, value))
			return -1;
	}
	options->command = argv + optind;
	if (optind == argc)
		return run_options_bad("no command%s", "");
	return 0;
}
