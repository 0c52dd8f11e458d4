#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/cmd_run.h"
#include "analyzer/policy_load.h"

enum option_value {
	OPTION_output = 'o',
	OPTION_help = 'h',
	OPTION_until = 256,
	OPTION_error_exitcode,
	OPTION_report,
	OPTION_on_sigbus,
	OPTION_profile,
	OPTION_policy,
	OPTION_quiet,
	OPTION_allow_unseen
};

/* X(value, long name, argument or NULL, help) */
#define RUN_OPTIONS(X)                                                                                                 \
	X(OPTION_output, "output", "DIR", "record into DIR, new or empty; else ./shmguard.EXE.PID")                    \
	X(OPTION_until, "until", "command|all", "end with COMMAND, or with its last descendant (all)")                 \
	X(OPTION_error_exitcode, "error-exitcode", "N", "exit with N instead of 0 if there is an error finding")       \
	X(OPTION_report, "report", "FILE|none", "print the report to FILE, or none, instead of stderr")                \
	X(OPTION_on_sigbus, "on-sigbus", "explain|survive", "explain it, or also go on with a page of zeros")          \
	X(OPTION_profile, "profile", "NAME", "hold COMMAND to observe (default, changes nothing), safe or strict")     \
	X(OPTION_policy, "policy", "FILE", "and to a policy of your own, applied after the profile")                   \
	X(OPTION_quiet, "quiet", NULL, "no notices, and no report unless --report names a file")                       \
	X(OPTION_allow_unseen, "allow-unseen", NULL, "run COMMAND even if it is static, 32-bit or set-user-ID")        \
	X(OPTION_help, "help", NULL, "this text")

static const struct {
	int value;
	const char *name, *argument, *help;
} rows[] = {
#define OPTION_ROW(value, name, argument, help) {value, name, argument, help},
	RUN_OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

void run_options_help(FILE *out)
{
	fputs("usage: shmguard run [OPTION...] [--] COMMAND [ARG...]\n"
	      "Runs COMMAND, records its use of POSIX shared memory and that of its descendants, and reports it.\n\n",
	      out);
	for (size_t i = 0; i < ROWS; i++) {
		int width = 28;

		width -= fprintf(out, "  %c%c%s--%s%s%s", rows[i].value < 256 ? '-' : ' ',
				 rows[i].value < 256 ? rows[i].value : ' ', rows[i].value < 256 ? ", " : "  ",
				 rows[i].name, rows[i].argument ? "=" : "", rows[i].argument ? rows[i].argument : "");
		fprintf(out, "%*s  %s\n", width > 0 ? width : 0, "", rows[i].help);
	}
	fputs("\nThe exit status is COMMAND's, or 128+N if signal N killed it; 125: shmguard itself failed, 126: "
	      "COMMAND\n"
	      "cannot be executed or would run unseen, 127: there is no such COMMAND.\n",
	      out);
}

static int run_options_bad(const char *format, const char *value)
{
	fputs("shmguard: ", stderr);
	fprintf(stderr, format, value);
	fputs("; see `shmguard run --help`\n", stderr);
	return -1;
}

static int run_options_number(const char *text, int *number)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!*text || *end || value < 1 || value > 255)
		return run_options_bad("--error-exitcode wants a number from 1 to 255, not '%s'", text);
	*number = (int)value;
	return 0;
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
	case OPTION_help:
		options->help = true;
		return 0;
	}
	return -1;
}

int run_options_parse(struct run_options *options, int argc, char **argv)
{
	struct option table[ROWS + 1] = {0};
	int value, index;

	*options = (struct run_options){0};
	for (size_t i = 0; i < ROWS; i++)
		table[i] = (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
					   rows[i].value};
	optind = 0;
	opterr = 0;
	/* '+': the command's own options are the command's. */
	while ((value = getopt_long(argc, argv, "+:o:h", table, &index)) != -1) {
		if (value == '?')
			return run_options_bad("unknown option '%s'", argv[optind - 1]);
		if (value == ':')
			return run_options_bad("option '%s' wants an argument", argv[optind - 1]);
		if (run_options_take(options, value))
			return -1;
	}
	options->command = argv + optind;
	if (!options->help && optind == argc)
		return run_options_bad("no command%s", "");
	return 0;
}
