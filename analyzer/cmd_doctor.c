#include "analyzer/cmd_doctor.h"

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/doctor.h"
#include "analyzer/json_out.h"

enum { EXIT_FIT, EXIT_UNFIT, EXIT_USAGE, EXIT_OUTPUT };
enum { OPTION_json = 0x100 };

static const struct option_row rows[] = {
	{"json", OPTION_json, NULL, "for programs: see tests/doctor.schema.json"},
	{NULL, 0, NULL, NULL},
};

const struct option_table doctor_option_table = {
	"doctor", "[-- COMMAND]",
	"Tell whether this machine is fit for shared memory, or whether COMMAND, which is not run, can be guarded "
	"here.",
	rows,
	"Each line is ok, warn or bad, with what it means and the command that changes it, which is for you to run. It "
	"looks as the user who asks, with that user's limits: run it as your program is run.\n"
	"Exit status: 0 nothing is bad; 1 something is; 2 wrong usage; 3 the output could not be written."};

static int doctor_run(char *const *command, bool json)
{
	struct diagnoses diagnoses = doctor_look(command);
	int status = diagnoses.counts[FITNESS_bad] ? EXIT_UNFIT : EXIT_FIT;

	if (json) {
		json_t *root = doctor_json(&diagnoses, *command);

		json_out(root, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(root);
	} else {
		doctor_print(&diagnoses, *command);
	}
	doctor_free(&diagnoses);
	return status;
}

int cmd_doctor(int argc, char **argv)
{
	bool json = false;
	int option;

	optind = 0;
	while ((option = options_next_before_command(&doctor_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return EXIT_FIT;
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		json = true;
	}
	if (optind < argc && !*argv[optind]) {
		fputs("shmguard: the command is empty\n", stderr);
		return options_usage(&doctor_option_table, EXIT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	return doctor_run(argv + optind, json);
}
