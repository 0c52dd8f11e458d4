/* shmguard report: a recording made earlier, here or elsewhere, in every form that people and programs read. */
#include "analyzer/cmd_report.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"
#include "analyzer/options.h"
#include "analyzer/report.h"
#include "analyzer/same_file.h"
#include "analyzer/trace_reader.h"
#include "analyzer/trace_settings.h"

enum {
	OPTION_format = 0x100,
	OPTION_fail_on,
	OPTION_max_findings,
	OPTION_group_by,
	OPTION_suppress,
	OPTION_show_suppressions,
	OPTION_gen_suppressions,
	OPTION_verbose
};

static const struct option_row rows[] = {
	{"format", OPTION_format, "NAME[:FILE]",
	 "text json sarif junit csv html ...; list: tells of all\n"
	 "text, json, sarif, junit, csv, html, folded, folded-count, speedscope, timeline or suppressions. Into FILE, "
	 "else on standard output; may be repeated. Without it text. folded has bytes, folded-count mappings."},
	{"fail-on", OPTION_fail_on, "LEVEL",
	 "exit with 1 for a finding of LEVEL or graver\n"
	 "LEVEL is error, warning or note. Where the recording has nothing of the process, the program or the object "
	 "that was asked for, nothing fails, and the report says so."},
	{"max-findings", OPTION_max_findings, "N",
	 "with up to N of them exit with 0 all the same\n"
	 "How they are brought together does not matter: what one place did to several objects or processes counts "
	 "once, "
	 "though the verdict of a report by object or process counts each."},
	{"group-by", OPTION_group_by, "KEY",
	 "bring together by stack, object, process or rule\n"
	 "By object or process, what one place did to several is a finding of each of them; churn "
	 "stays one, of the latest object, as most came once."},
	SELECTION_ROWS,
	SELECTION_FINDING_ROWS,
	TRACE_ROWS,
	{"suppress", OPTION_suppress, "FILE",
	 "leave out what a line RULE:GLOB in FILE matches\n"
	 "The pattern is matched against objects, functions, modules and MODULE!FUNCTION, of whatever frame of the "
	 "finding's stacks; RULE:^GLOB;GLOB... only against the program's own functions of the first stack, from the "
	 "innermost "
	 "on, which is what --gen-suppressions prints. A comment begins with #; blanks at both ends of a line are cut "
	 "off, and [ ] is one that stays. The report counts what each line left "
	 "out, and names the lines that left out nothing. May be repeated."},
	{"show-suppressions", OPTION_show_suppressions, NULL, "print the lines that are built in, nothing else"},
	{"gen-suppressions", OPTION_gen_suppressions, NULL, "print lines that would suppress what is found"},
	{"verbose", OPTION_verbose, NULL, "all of every finding, the notes with their stacks"},
	{NULL, 0, NULL, NULL},
};

const struct option_table report_option_table = {
	"report", "DIR", "Report what the recording in DIR, made by `shmguard run`, shows.", rows,
	"Exit status: 0; 1 --fail-on is met; 2 wrong usage; 3 unreadable; 130 Ctrl-C."};

static int report_usage_error(const char *format, const char *what)
{
	options_tell(format, what);
	return options_usage(&report_option_table, -1);
}

bool cmd_report_level(const char *name, enum severity *level)
{
	static const enum severity levels[] = {SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		*level = levels[i];
		if (!strcmp(name, severity_name(levels[i])))
			return true;
	}
	return false;
}

static void report_put_name(const struct report_format *format, FILE *out)
{
	for (const char *at = format->name; *at; at++)
		fputc(*at == '_' ? '-' : *at, out);
}

static void report_list_formats(void)
{
	fputs("shmguard: --format takes one of:", stderr);
	for (const struct report_format *format = report_formats; format->name; format++) {
		fputc(' ', stderr);
		report_put_name(format, stderr);
	}
	fputs("; and a file behind a colon\n", stderr);
}

static void report_tell_formats(void)
{
	for (const struct report_format *format = report_formats; format->name; format++) {
		report_put_name(format, stdout);
		printf("\t%s\n", format->summary);
	}
}

/* "NAME" or "NAME:FILE", "-" for standard output; cuts it at the colon. */
static int report_add_output(struct report_options *options, char *text)
{
	char *colon = strchr(text, ':');
	struct report_output output;
	size_t i;

	if (colon)
		*colon = '\0';
	output = (struct report_output){report_format_find(text),
					colon && strcmp(colon + 1, "-") != 0 ? colon + 1 : NULL};
	if (!output.format || (colon && !colon[1])) {
		report_list_formats();
		return options_usage(&report_option_table, -1);
	}
	for (i = 0; i < options->output_count; i++) {
		const char *other = options->outputs[i].file;

		if (!output.file && !other)
			return report_usage_error("shmguard: only one report can go to %s: give the others a file, "
						  "--format=NAME:FILE\n",
						  "standard output");
		if ((output.file || other) && same_file(output.file, other))
			return report_usage_error("shmguard: two reports cannot go into one file, %s\n",
						  output.file ? output.file : other);
	}
	if (options->output_count == REPORT_OUTPUTS_MAX)
		return report_usage_error("shmguard: too many reports at once%s\n", "");
	options->outputs[options->output_count++] = output;
	return 0;
}

static int report_take_number(struct report_options *options, const char *text)
{
	if (options_number(text, INT64_MAX, &options->max_findings))
		return 0;
	return report_usage_error("shmguard: --max-findings takes a number from 0 to 9223372036854775807, not '%s'\n",
				  text);
}

static int report_take_suppressions(struct report_options *options, const char *file)
{
	if (options->suppress_count == REPORT_OUTPUTS_MAX)
		return report_usage_error("shmguard: too many files of suppressions%s\n", "");
	options->suppress[options->suppress_count++] = file;
	return 0;
}

static int report_take(struct report_options *options, int option)
{
	static char suppressions[] = "suppressions";
	int r = selection_take(&options->selection, option, optarg);

	if (!r)
		r = trace_settings_take(option, optarg);
	if (r)
		return r < 0 ? options_usage(&report_option_table, -1) : 0;
	switch (option) {
	case OPTION_max_findings:
		return report_take_number(options, optarg);
	case OPTION_group_by:
		if (report_group_find(optarg, &options->group))
			return 0;
		return report_usage_error("shmguard: --group-by takes stack, object, process or rule, not '%s'\n",
					  optarg);
	case OPTION_suppress:
		return report_take_suppressions(options, optarg);
	case OPTION_gen_suppressions:
		return report_add_output(options, suppressions);
	case OPTION_format:
		return report_add_output(options, optarg);
	case OPTION_fail_on:
		options->fail = true;
		if (cmd_report_level(optarg, &options->fail_on))
			return 0;
		return report_usage_error("shmguard: --fail-on takes error, warning or note, not '%s'\n", optarg);
	case OPTION_verbose:
		options->verbose = true;
		return 0;
	}
	return -1;
}

int cmd_report(int argc, char **argv)
{
	struct report_options options = {0};
	int option, result;

	optind = 0;
	while ((option = options_next(&report_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return REPORT_DONE;
		if (option == OPTION_format && !strcmp(optarg, "list")) {
			report_tell_formats();
			return REPORT_DONE;
		}
		if (option == OPTION_show_suppressions) {
			suppressions_show(stdout);
			return REPORT_DONE;
		}
		if (option == OPTIONS_BAD || report_take(&options, option))
			return REPORT_USAGE;
	}
	if (!selection_is_possible(&options.selection))
		return REPORT_USAGE;
	if (argc - optind != 1) {
		fprintf(stderr, "shmguard: report takes one directory, %s\n",
			argc - optind > 1 ? "not several" : "none was given");
		return options_usage(&report_option_table, REPORT_USAGE);
	}
	/* Reports that go into files are written all the same when nobody reads the one on stdout. */
	signal(SIGPIPE, SIG_IGN);
	trace_interruptible();
	result = report_recording(argv[optind], &options, stdout, NULL);
	/* The report so far cannot tell that there is nothing. */
	return trace_interrupted() && result <= REPORT_FOUND ? 128 + SIGINT : result;
}
