/* shmguard profile --apparmor: least-privilege rules for /dev/shm from recordings, a profile for each executable. */
#include "analyzer/cmd_profile.h"

#include <ctype.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/report.h"
#include "analyzer/rights.h"
#include "analyzer/trace_settings.h"
#include "tracepoints/version.h"

enum { OPTION_apparmor = 0x100 };

static const struct option_row rows[] = {
	{"apparmor", OPTION_apparmor, NULL, "as AppArmor profiles (apparmor.d(5)); the only form there is"},
	TRACE_ROWS,
	{NULL, 0, NULL, NULL},
};

const struct option_table profile_option_table = {
	"profile", "DIR...",
	"Print the rules for /dev/shm under which the programs recorded in DIR would have run: a profile for each "
	"executable, in complain mode. Move the lines into the programs' own profiles.",
	rows, "Exit status: 0 done; 2 wrong usage; 3 DIR could not be read or the output not written."};

/* In AppArmor's double quotes; what would be a glob, a variable or an end there is one character that any takes. */
static void print_quoted(const char *prefix, const char *text, bool glob)
{
	bool in_class = false;

	printf("\"%s", prefix);
	for (; *text; text++) {
		/* A bracket may be the name's own. */
		bool opens = *text == '[' && !in_class && strchr(text, ']'), closes = *text == ']' && in_class;

		in_class = (in_class || opens) && !closes;
		if (glob && (strchr("*?", *text) || opens || closes))
			putchar(*text);
		else
			putchar(strchr("*?[]{}^@\"\\,", *text) || !isgraph((unsigned char)*text) ? '?' : *text);
	}
	putchar('"');
}

static void print_right(const struct right *right)
{
	fputs("  # ", stdout);
	for (size_t i = 0; i < right->call_count; i++)
		printf("%s%s", i ? ", " : "", right->calls[i]);
	printf("\n  %s", right->owner ? "owner " : "");
	print_quoted("/dev/shm", right->path, true);
	printf(" %s%s%s%s,\n", right->rights & RIGHT_read ? "r" : "", right->rights & RIGHT_write ? "w" : "",
	       right->rights & RIGHT_link ? "l" : "", right->rights & RIGHT_exec ? "m" : "");
}

static void print_program(const struct program_rights *program)
{
	fputs("\nprofile ", stdout);
	print_quoted("", program->exe, false);
	puts(" flags=(complain) {");
	for (size_t i = 0; i < program->count; i++)
		print_right(&program->all[i]);
	if (program->memfds)
		puts("  # memfd_create: AppArmor does not mediate it.");
	puts("}");
}

static void print_head(char **dirs, int count)
{
	printf("# Made by shmguard %s from", SHMGUARD_VERSION);
	for (int i = 0; i < count; i++) {
		char *dir = escape_terminal(dirs[i]);

		printf("%s %s", i ? "," : "", dir);
		free(dir);
	}
	puts(".\n# What these programs did in /dev/shm, and nothing else that they need: the lines belong into their "
	     "own "
	     "profiles.\n# As they stand here the profiles are in complain mode, in which AppArmor tells and refuses "
	     "nothing. A number of\n# four digits or more, a pid and a word that looks random were taken to be others "
	     "the "
	     "next "
	     "time. Which file a lock of\n# flock(2) or fcntl(2) is on is not recorded; it would need a k.\n\nabi "
	     "<abi/3.0>,");
}

static int profile_print(char **dirs, int count)
{
	struct rights rights = {0};
	int result = REPORT_DONE;
	char *error = NULL;

	for (int i = 0; i < count && result == REPORT_DONE; i++) {
		if (rights_gather(&rights, dirs[i], &error))
			continue;
		char *safe = escape_terminal(error);
		fprintf(stderr, "shmguard: %s\n", safe);
		free(safe);
		free(error);
		result = REPORT_UNREADABLE;
	}
	rights_sort(&rights);
	if (result == REPORT_DONE)
		print_head(dirs, count);
	for (size_t i = 0; result == REPORT_DONE && i < rights.count; i++)
		print_program(&rights.all[i]);
	rights_free(&rights);
	return result;
}

int cmd_profile(int argc, char **argv)
{
	bool apparmor = false;
	int option;

	optind = 0;
	while ((option = options_next(&profile_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return REPORT_DONE;
		if (option == OPTIONS_BAD)
			return REPORT_USAGE;
		apparmor |= option == OPTION_apparmor;
		if (trace_settings_take(option, optarg) < 0)
			return options_usage(&profile_option_table, REPORT_USAGE);
	}
	if (!apparmor || optind >= argc) {
		fputs(apparmor ? "shmguard: profile wants directories that `shmguard run` recorded into\n"
			       : "shmguard: profile wants --apparmor, and directories that `shmguard run` recorded "
				 "into\n",
		      stderr);
		return options_usage(&profile_option_table, REPORT_USAGE);
	}
	return profile_print(argv + optind, argc - optind);
}
