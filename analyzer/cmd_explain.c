#include "analyzer/cmd_explain.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "analyzer/cause.h"
#include "analyzer/cmd_rules.h"
#include "analyzer/escape.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"
#include "analyzer/terminal.h"
#include "tracepoints/rules.h"

enum { EXIT_FOUND, EXIT_NONE, EXIT_USAGE, EXIT_OUTPUT, ERRNO_MOST = 133 };

static const struct option_row rows[] = {{NULL, 0, NULL, NULL}};

const struct option_table explain_option_table = {
	"explain", "ERRNO|RULE [NAME]",
	"Tell which of an error's reasons holds on this system, for the object NAME (as \"/x\") and the user who asks; "
	"or "
	"explain a rule.",
	rows,
	"Run it as the user whose program failed. Example: shmguard explain EACCES /ring\n"
	"Exit status: 0 done; 1 no reason holds now; 2 wrong usage; 3 the output could not be written."};

/* 0: there is none of that name. */
static int explain_errno(const char *name)
{
	for (int number = 1; number <= ERRNO_MOST; number++) {
		const char *known = strerrorname_np(number);

		if (known && !strcasecmp(known, name))
			return number;
	}
	return 0;
}

static struct scene explain_scene(const char *name)
{
	struct scene scene = {.name = name, .base = name ? name + strspn(name, "/") : ""};

	scene.mounted =
		!stat("/dev/shm", &scene.root) && S_ISDIR(scene.root.st_mode) && !statvfs("/dev/shm", &scene.room);
	scene.good = *scene.base && !strchr(scene.base, '/') && strcmp(scene.base, ".") != 0 &&
		     strcmp(scene.base, "..") != 0 && strlen(scene.base) <= NAME_MAX;
	scene.path = memory_format("/dev/shm/%s", scene.base);
	scene.there = *scene.base && !lstat(scene.path, &scene.status);
	return scene;
}

static void explain_cause(const struct terminal *terminal, const struct cause *cause, enum verdict verdict,
			  const char *detail)
{
	static const struct {
		const char *word;
		enum ink ink;
	} verdicts[] = {[VERDICT_no] = {"no     ", INK_faint},
			[VERDICT_maybe] = {"maybe  ", INK_plain},
			[VERDICT_yes] = {"YES    ", INK_warning}};
	char *safe = detail ? escape_terminal(detail) : NULL;
	char *line = memory_format("%s%s%s%s%s", cause->reason, safe ? ": " : "", safe ? safe : "",
				   verdict != VERDICT_no && cause->cure ? "; " : "",
				   verdict != VERDICT_no && cause->cure ? cause->cure : "");

	terminal_put(terminal, verdicts[verdict].ink, verdicts[verdict].word);
	terminal_paragraph(terminal, verdicts[verdict].ink == INK_faint ? INK_faint : INK_plain, line, 7, 7);
	free(line);
	free(safe);
}

/* Those that hold, then those that may, then the rest. Returns how many hold or may. */
static size_t explain_all(const struct terminal *terminal, const struct scene *scene, int error)
{
	size_t found = 0;

	for (enum verdict wanted = VERDICT_yes + 1; wanted-- > VERDICT_no;)
		for (const struct cause *cause = causes; cause->error; cause++) {
			char *detail = NULL;
			enum verdict verdict = cause->error == error ? cause->check(scene, &detail) : VERDICT_no;

			if (cause->error == error && verdict == wanted) {
				explain_cause(terminal, cause, verdict, detail);
				found += verdict != VERDICT_no;
			}
			free(detail);
		}
	return found;
}

static void explain_policy(const struct terminal *terminal, int error)
{
	char *line = NULL;

	for (int i = 0; i < RULE_COUNT; i++) {
		char *longer;

		if (rules[i].deny != error)
			continue;
		longer = memory_format("%s%s %s",
				       line ? line : "A policy of shmguard refuses calls with it for:", line ? "," : "",
				       rules[i].id);
		free(line);
		line = longer;
	}
	if (line) {
		fputc('\n', terminal->out);
		terminal_paragraph(terminal, INK_plain, line, 0, 2);
	}
	free(line);
}

static int explain_number(int error, const char *name)
{
	struct terminal terminal = terminal_on(stdout);
	struct scene scene = explain_scene(name);
	char *safe = escape_terminal(name ? name : ""), *user = machine_text_user(geteuid());
	size_t known = 0, found;

	for (const struct cause *cause = causes; cause->error; cause++)
		known += cause->error == error;
	printf("%s (%s)%s%s, for %s on this system\n", strerrorname_np(error), strerror(error), name ? " of " : "",
	       safe, user);
	found = explain_all(&terminal, &scene, error);
	if (!known)
		puts("No call on shared memory is documented to fail with it.");
	else if (!found)
		puts("None of the reasons holds now.");
	explain_policy(&terminal, error);
	free(safe);
	free(user);
	free(scene.path);
	return found ? EXIT_FOUND : EXIT_NONE;
}

static int explain_unknown(const char *what)
{
	const char *near = rules_nearest(what);
	char *safe = escape_terminal(what);

	fprintf(stderr, "shmguard: '%s' is neither an error such as EACCES nor a rule%s%s%s\n", safe,
		near ? "; is it '" : "", near ? near : "", near ? "' that you mean?" : "");
	free(safe);
	return options_usage(&explain_option_table, EXIT_USAGE);
}

int cmd_explain(int argc, char **argv)
{
	int option, error, result;

	optind = 0;
	while ((option = options_next(&explain_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return EXIT_FOUND;
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
	}
	if (argc - optind < 1 || argc - optind > 2) {
		fputs("shmguard: explain takes an error or a rule, and perhaps a name\n", stderr);
		return options_usage(&explain_option_table, EXIT_USAGE);
	}
	error = explain_errno(argv[optind]);
	if (error) {
		result = explain_number(error, argv[optind + 1]);
		return result;
	}
	if (!rule_find(argv[optind]) || argc - optind == 2)
		return explain_unknown(argv[optind]);
	return cmd_rules(2, (char *[]){"rules", argv[optind], NULL});
}
