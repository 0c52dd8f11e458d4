/* shmguard report: a recording made earlier, here or elsewhere, as text or for programs. */
#include "analyzer/cmd_report.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/report.h"

static void cmd_report_help(FILE *out)
{
	const struct report_format *format;

	fputs("Usage: shmguard report [OPTION...] DIR\n"
	      "Report what the recording in DIR, made by `shmguard run`, shows.\n"
	      "\n"
	      "  --format=NAME    one of:\n",
	      out);
	for (format = report_formats; format->name; format++)
		fprintf(out, "                     %-6s %s%s\n", format->name, format->summary,
			format == report_formats ? " (default)" : "");
	fputs("  --fail-on=LEVEL  exit with 1 if there is a finding of severity LEVEL or graver: error, warning, note\n"
	      "  --help           print this\n"
	      "\n"
	      "Exit status: 0 done; 1 --fail-on is met; 2 wrong usage; 3 DIR could not be read or the report not "
	      "written.\n",
	      out);
}

static int cmd_report_usage(void)
{
	fputs("shmguard: try `shmguard report --help`\n", stderr);
	return REPORT_USAGE;
}

static bool cmd_report_level(const char *name, enum severity *level)
{
	static const enum severity levels[] = {SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		*level = levels[i];
		if (!strcmp(name, severity_name(levels[i])))
			return true;
	}
	fprintf(stderr, "shmguard: --fail-on takes error, warning or note\n");
	return false;
}

static bool cmd_report_format(const char *name)
{
	const struct report_format *format;

	if (report_format_find(name))
		return true;
	fputs("shmguard: --format takes one of:", stderr);
	for (format = report_formats; format->name; format++)
		fprintf(stderr, " %s", format->name);
	fputc('\n', stderr);
	return false;
}

int cmd_report(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"format", required_argument, NULL, 'f'},
		{"fail-on", required_argument, NULL, 'F'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct report_options options = {0};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (option) {
		case 'f':
			if (!cmd_report_format(optarg))
				return cmd_report_usage();
			options.format = optarg;
			break;
		case 'F':
			if (!cmd_report_level(optarg, &options.fail_on))
				return cmd_report_usage();
			options.fail = true;
			break;
		case 'h':
			cmd_report_help(stdout);
			return fflush(stdout) ? REPORT_UNREADABLE : REPORT_DONE;
		default:
			return cmd_report_usage();
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "shmguard: report takes one directory, %s\n",
			argc - optind > 1 ? "not several" : "none was given");
		return cmd_report_usage();
	}
	/* A reader that has gone is a write error like others, told in words. */
	signal(SIGPIPE, SIG_IGN);
	return report_recording(argv[optind], &options, stdout, NULL);
}
