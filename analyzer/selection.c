#include "analyzer/selection.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"

/* Nanoseconds; 31 years. */
#define TIME_LIMIT 1000000000000000000u

/* Adds up the digits of a decimal number of units; false beyond TIME_LIMIT. What is less than a nanosecond is dropped. */
static bool selection_scale(const char *text, uint64_t unit, int64_t *time)
{
	uint64_t sum = 0;

	for (; *text >= '0' && *text <= '9' && sum < TIME_LIMIT; text++)
		sum = 10 * sum + unit * (uint64_t)(*text - '0');
	for (text += *text == '.'; *text >= '0' && *text <= '9'; text++) {
		unit /= 10;
		sum += unit * (uint64_t)(*text - '0');
	}
	*time = (int64_t)sum;
	return sum < TIME_LIMIT;
}

bool selection_time(const char *text, int64_t *time)
{
	static const char digits[] = "0123456789";
	static const struct {
		const char *name;
		uint64_t nanoseconds;
	} units[] = {{"", 1000000000}, {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
	size_t length = strspn(text, digits), fraction = text[length] == '.' ? strspn(text + length + 1, digits) : 0;

	if (length + fraction == 0)
		return false;
	length += fraction ? 1 + fraction : 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text + length, units[i].name))
			return selection_scale(text, units[i].nanoseconds, time);
	return false;
}

static int selection_bad(const char *format, const char *what)
{
	options_tell(format, what);
	return -1;
}

int selection_take_time(bool *has, int64_t *time, const char *text)
{
	*has = true;
	return selection_time(text, time)
		       ? 1
		       : selection_bad(
				 "shmguard: '%s' is no time: seconds after the start, as 2 or 1.5, or 200ms, 3us\n",
				 text);
}

int selection_take_until(bool *has, int64_t *time, const char *text)
{
	int taken = selection_take_time(has, time, text);

	if (taken > 0 && *time % 1000 == 0 && *time < INT64_MAX - 999)
		*time += 999;
	return taken;
}

static int selection_take_severity(struct selection *selection, const char *text)
{
	static const enum severity levels[] = {SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR};
	size_t i;

	selection->graded = true;
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		selection->severity = levels[i];
		if (!strcmp(text, severity_name(levels[i])))
			return 1;
	}
	return selection_bad("shmguard: --severity takes error, warning or note, not '%s'\n", text);
}

static int selection_take_rule(struct selection *selection, const char *text)
{
	size_t i;

	selection->rule = text;
	for (i = 0; i < RULE_COUNT; i++)
		if (!fnmatch(text, rules[i].id, 0))
			return 1;
	return selection_bad("shmguard: there is no rule '%s'; `shmguard rules` lists them\n", text);
}

/* A name of a host may have colons, its number of a process none. */
static int selection_take_pid(struct selection *selection, const char *argument)
{
	const char *colon = strrchr(argument, ':'), *number = colon ? colon + 1 : argument;
	uint64_t pid;
	bool is_pid = options_number(number, INT32_MAX, &pid) && pid;

	selection->pid = (pid_t)pid;
	if (colon)
		snprintf(selection->host, sizeof(selection->host), "%.*s", (int)(colon - argument), argument);
	if (colon == argument || !is_pid)
		return selection_bad("shmguard: '%s' is no pid, nor HOST:PID\n", argument);
	return 1;
}

/* The option, if it was given before: the last one alone would hold, and who wrote both cannot mean that. */
static const char *selection_repeats(const struct selection *selection, int option)
{
	switch (option) {
	case OPTION_pid:
		return selection->pid ? "pid" : NULL;
	case OPTION_exe:
		return selection->exe ? "exe" : NULL;
	case OPTION_object:
		return selection->object ? "object" : NULL;
	case OPTION_rule:
		return selection->rule ? "rule" : NULL;
	case OPTION_severity:
		return selection->graded ? "severity" : NULL;
	case OPTION_since:
		return selection->has_since ? "since" : NULL;
	case OPTION_until:
		return selection->has_until ? "until" : NULL;
	}
	return NULL;
}

int selection_take(struct selection *selection, int option, const char *argument)
{
	const char *twice = selection_repeats(selection, option);

	if (twice)
		return selection_bad("shmguard: --%s can be given once\n", twice);
	switch (option) {
	case OPTION_pid:
		return selection_take_pid(selection, argument);
	case OPTION_exe:
		selection->exe = argument;
		return 1;
	case OPTION_object:
		selection->object = argument;
		return 1;
	case OPTION_rule:
		return selection_take_rule(selection, argument);
	case OPTION_severity:
		return selection_take_severity(selection, argument);
	case OPTION_since:
		return selection_take_time(&selection->has_since, &selection->since, argument);
	case OPTION_until:
		return selection_take_until(&selection->has_until, &selection->until, argument);
	}
	return 0;
}

bool selection_is_possible(const struct selection *selection)
{
	if (!selection->has_since || !selection->has_until || selection->since <= selection->until)
		return true;
	fputs("shmguard: --since is later than --until: nothing lies between them\n", stderr);
	return false;
}

bool selection_has_process(const struct selection *selection, const struct process *process)
{
	const char *slash;

	if (!selection->pid && !selection->exe)
		return true;
	if (!process || (selection->pid && process->pid != selection->pid) ||
	    (*selection->host && strcmp(selection->host, process->host) != 0))
		return false;
	slash = strrchr(process->exe, '/');
	return !selection->exe || !fnmatch(selection->exe, process->exe, 0) ||
	       (slash && !fnmatch(selection->exe, slash + 1, 0));
}

bool selection_has_object(const struct selection *selection, const struct object *object)
{
	size_t i;

	if (!selection->object)
		return true;
	for (i = 0; object && i < object->name_count; i++)
		if (escape_matches(selection->object, object->names[i].text))
			return true;
	return false;
}

bool selection_has_time(const struct selection *selection, int64_t time, int64_t start)
{
	return (!selection->has_since || time - start >= selection->since) &&
	       (!selection->has_until || time - start <= selection->until);
}

bool selection_has_rule(const struct selection *selection, enum rule_id rule, enum severity severity)
{
	return (!selection->rule || !fnmatch(selection->rule, rules[rule].id, 0)) &&
	       (!selection->graded || severity >= selection->severity);
}

static bool has_name(const struct selection *selection, const struct finding *finding)
{
	return selection_has_object(selection, finding->object) ||
	       (finding->name && escape_matches(selection->object, finding->name));
}

bool selection_has_finding(const struct selection *selection, const struct finding *finding, int64_t start)
{
	bool concerned =
		selection_has_process(selection, finding->process) || selection_has_process(selection, finding->victim);
	size_t i;

	for (i = 0; i < finding->stack_count; i++)
		concerned |= selection_has_process(selection, finding->stacks[i].process);
	return concerned && has_name(selection, finding) && selection_has_time(selection, finding->time, start) &&
	       selection_has_rule(selection, finding->rule, finding->severity);
}
