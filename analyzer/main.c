/* shmguard: the table of its subcommands. */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/aside.h"
#include "analyzer/cmd_clean.h"
#include "analyzer/cmd_policy.h"
#include "analyzer/cmd_diff.h"
#include "analyzer/cmd_doctor.h"
#include "analyzer/cmd_explain.h"
#include "analyzer/cmd_log.h"
#include "analyzer/cmd_ls.h"
#include "analyzer/cmd_objects.h"
#include "analyzer/cmd_profile.h"
#include "analyzer/cmd_report.h"
#include "analyzer/cmd_rules.h"
#include "analyzer/cmd_run.h"
#include "analyzer/cmd_status.h"
#include "analyzer/cmd_top.h"
#include "analyzer/limits.h"
#include "analyzer/output.h"
#include "tracepoints/version.h"

enum { EXIT_USAGE = 2, EXIT_OUTPUT = 3, EXIT_RUN_OUTPUT = 125 };

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *summary;
	const struct option_table *options; /* NULL: it has a help of its own */
} commands[] = {
	{"run", cmd_run, "run [OPTION...] -- COMMAND...", "run COMMAND, record its shared memory, report",
	 &run_option_table},
	{"report", cmd_report, "report [OPTION...] DIR", "report again what an earlier run recorded",
	 &report_option_table},
	{"policy", cmd_policy, "policy check|explain|show|learn", "what a program is held to, and why", NULL},
	{"status", cmd_status, "status PID", "whether and how a process is guarded", NULL},
	{"diff", cmd_diff, "diff [OPTION...] A B", "findings that are new, fixed or changed", &diff_option_table},
	{"log", cmd_log, "log [OPTION...] DIR", "the calls themselves, as strace prints them", &log_option_table},
	{"objects", cmd_objects, "objects [--at=TIME] DIR", "every object at a moment, and who holds it",
	 &objects_option_table},
	{"ls", cmd_ls, "ls [OPTION...] [NAME-GLOB...]", "every object here and now, and who holds it",
	 &ls_option_table},
	{"clean", cmd_clean, "clean [OPTION...]", "what nobody uses: show it, --yes removes it", &clean_option_table},
	{"doctor", cmd_doctor, "doctor [--json] [-- COMMAND]", "is this machine fit; can COMMAND be guarded",
	 &doctor_option_table},
	{"explain", cmd_explain, "explain ERRNO|RULE [NAME]", "why a call fails so here; what a rule means",
	 &explain_option_table},
	{"top", cmd_top, "top [OPTION...]", "the same, moving: what grows, and until when there is room",
	 &top_option_table},
	{"profile", cmd_profile, "profile --apparmor DIR...", "AppArmor profiles of recorded programs",
	 &profile_option_table},
	{"rules", cmd_rules, "rules [RULE]", "what can be found wrong; one rule explained", &rules_option_table},
};

static void main_help(FILE *out)
{
	size_t i;

	fputs("Usage: shmguard SUBCOMMAND ...: what programs do wrong with POSIX shared memory\n\n", out);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		options_fill(commands[i].summary, fprintf(out, "  %-32s ", commands[i].usage), 35, out);
	fputs("\n`shmguard SUBCOMMAND --help` tells its options, `shmguard --version` the version\n", out);
}

/* For the manual page: the options of those whose help is made from a table. */
static void main_manual(FILE *out)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].options)
			options_manual(commands[i].options, out);
	options_manual(&policy_explain_option_table, out);
}

static int main_run(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		main_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("shmguard " SHMGUARD_VERSION);
		return 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		main_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--manual")) {
		main_manual(stdout);
		return 0;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fputs("shmguard: there is no such subcommand; `shmguard --help` lists them\n", stderr);
	return EXIT_USAGE;
}

/*
 * Files that are opened must not get the numbers of standard streams that are closed. What takes these cannot be read or
 * written the way that they would, and what is executed finds them closed.
 */
static void main_keep_closed(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", O_CLOEXEC | (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY)) < 0)
			break;
}

int main(int argc, char **argv)
{
	main_keep_closed();
	if (argc > 1 && !strcmp(argv[1], "run"))
		aside_put(argv);
	limits_raise();
	/* Only the width of characters on a terminal is asked of the locale, and it must not depend on the user's. */
	setlocale(LC_CTYPE, "C.UTF-8");
	return output_end(main_run(argc, argv), argc > 1 && !strcmp(argv[1], "run") ? EXIT_RUN_OUTPUT : EXIT_OUTPUT);
}
