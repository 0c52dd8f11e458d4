#include "analyzer/habits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/analysis.h"
#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"
#include "tracepoints/policy.h"

#define SHM_DIRECTORY "/dev/shm/"

enum { EXCEPTIONS = 8 }; /* of a program: more of them nobody would read */

static struct habit *habit_of(struct habits *habits, const char *exe)
{
	struct habit *habit;

	for (size_t i = 0; i < habits->count; i++)
		if (strcmp(habits->all[i]->exe, exe) == 0)
			return habits->all[i];
	habit = memory_new(1, sizeof(*habit));
	habit->exe = memory_text(exe);
	habits->all = memory_grow(habits->all, habits->count, sizeof(struct habit *));
	habits->all[habits->count++] = habit;
	return habit;
}

static void runner_free(struct runner *runner)
{
	if (!runner)
		return;
	free(runner->own);
	free(runner);
}

static struct runner *runner_of(const struct gathering *gathering, const struct process *process)
{
	return map_get(&gathering->runners, (uintptr_t)process, 0);
}

struct habits_pids habits_pids_of(const struct process *process)
{
	struct habits_pids pids = {.all = {process->pid}};

	for (size_t i = 1; process && i < HABITS_PIDS; process = process->parent)
		pids.all[i++] = process->ppid;
	return pids;
}

static void take_process(struct gathering *gathering, const struct process *process, const struct process_event *event)
{
	const struct runner *parent = process->parent ? runner_of(gathering, process->parent) : NULL;
	struct runner *runner = memory_new(1, sizeof(*runner));

	runner->habit = habit_of(gathering->habits, event->exe);
	runner->pids = habits_pids_of(process);
	runner->recording = gathering->habits->recording;
	if (event->began == BEGAN_fork && parent)
		runner->inherited = parent->inherited + parent->own_count;
	runner_free(map_remove(&gathering->runners, (uintptr_t)process, 0));
	map_put(&gathering->runners, (uintptr_t)process, 0, runner);
}

char *habits_object(const char *name, bool semaphore)
{
	if (strncmp(name, SHM_DIRECTORY, strlen(SHM_DIRECTORY)) == 0)
		name += strlen(SHM_DIRECTORY);
	name += strspn(name, "/");
	return memory_format("/%s%s", semaphore ? "sem." : "", name);
}

void habits_name_free(struct habits_name *name)
{
	free(name->glob);
	free(name->sample);
	habits_needs_free(&name->needs);
}

size_t habits_see(struct habit *habit, struct habits_name name)
{
	for (size_t i = 0; i < habit->seen_count; i++) {
		struct habits_name *before = &habit->seen[i];

		if (strcmp(before->glob, name.glob) != 0)
			continue;
		before->lasts |= before->recording != name.recording && before->sample && name.sample &&
				 strcmp(before->sample, name.sample) == 0;
		habits_name_free(&name);
		return i;
	}
	habit->seen = memory_grow(habit->seen, habit->seen_count, sizeof(*habit->seen));
	habit->seen[habit->seen_count] = name;
	return habit->seen_count++;
}

void habits_keep(char ***texts, size_t *count, char *text)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp((*texts)[i], text) != 0)
			continue;
		free(text);
		return;
	}
	*texts = memory_grow(*texts, *count, sizeof(**texts));
	(*texts)[(*count)++] = text;
}

static int take_event(void *context, struct world *world, struct process *process, const struct trace_event *event,
		      const struct outcome *outcome)
{
	struct gathering *gathering = context;
	struct scene scene = {world, process, NULL, replay_object(world, process, event), outcome->error};

	if (event->id == EVENT_process)
		take_process(gathering, process, &event->event.process);
	scene.runner = runner_of(gathering, process);
	if (scene.runner)
		habits_call(gathering, &scene, event);
	return 0;
}

static void forgotten(void *context, const struct object *object)
{
	struct gathering *gathering = context;

	map_remove(&gathering->wide, (uintptr_t)object, 0);
	map_remove(&gathering->huge, (uintptr_t)object, 0);
	habits_known_forget(gathering, object);
}

/* Where the reading for the report came no further, its problems tell it. */
static void take_cut(void *context, const struct trace_totals *totals)
{
	struct gathering *gathering = context;

	if (totals->events < gathering->events)
		problems_add(&gathering->habits->missing,
			     "%s: a second reading of the trace ended early: %s; what follows its first %" PRIu64
			     " events is missing",
			     gathering->dir, totals->cut, totals->events);
}

static void finish(void *context, struct world *world)
{
	(void)world;
	habits_calls_end(context);
}

/* What is missing may be what the policy will refuse. */
static void take_missing(struct habits *habits, const struct analysis *analysis, const char *dir)
{
	if (analysis->lost)
		problems_add(&habits->missing, "%s: %" PRIu64 " events are missing", dir, analysis->lost);
	for (size_t i = 0; i < analysis->problem_count; i++)
		problems_add(&habits->missing, "%s: %s", dir, analysis->problems[i]);
	for (size_t i = 0; i < analysis->unseen_count; i++)
		problems_add(&habits->missing, "%s: %s was not seen: %s", dir,
			     analysis->unseen[i].exe ? analysis->unseen[i].exe : "a program",
			     analysis->unseen[i].reason ? analysis->unseen[i].reason : "reason unknown");
}

/* Whose the object is decides what a policy would do, and only the process that used it tells that. */
static bool is_told_with_owner(enum rule_id rule)
{
	return rule == RULE_foreign_owner || rule == RULE_unlink_by_stranger;
}

/* What only the whole recording shows. */
static struct analysis *take_report(struct habits *habits, const char *dir, char **error)
{
	struct analysis *analysis = analysis_of(dir, NULL, error);

	if (!analysis)
		return NULL;
	take_missing(habits, analysis, dir);
	for (size_t i = 0; i < analysis->findings.count; i++) {
		const struct finding *finding = &analysis->findings.all[i];

		if (finding->process && finding->process->traced && !is_told_with_owner(finding->rule))
			habit_of(habits, finding->process->exe)->judged[finding->rule][finding->response] +=
				finding->count;
	}
	return analysis;
}

bool habits_gather(struct habits *habits, const char *dir, char **error)
{
	struct gathering gathering = {.habits = habits, .dir = dir};
	struct analysis *analysis = take_report(habits, dir, error);
	struct map_slot *slot;
	size_t cursor = 0;
	bool done;

	if (!analysis)
		return false;
	gathering.events = analysis->events;
	analysis_free(analysis);
	habits->recording++;
	done = replay(dir,
		      &(struct replay){.context = &gathering,
				       .event = take_event,
				       .forgotten = forgotten,
				       .cut = take_cut,
				       .finish = finish},
		      error) == 0;
	while ((slot = map_next(&gathering.runners, &cursor)))
		runner_free(slot->value);
	map_clear(&gathering.runners);
	map_clear(&gathering.wide);
	map_clear(&gathering.huge);
	habits_known_end(&gathering);
	return done;
}

static uint64_t times_in(const uint64_t by_response[HABITS_RESPONSES], enum response response)
{
	return by_response[response] + (response == RESPONSE_recorded ? by_response[RESPONSE_audit] : 0);
}

uint64_t habits_times(const struct habit *habit, size_t rule, enum response response)
{
	uint64_t told = times_in(habit->told[rule], response), judged = times_in(habit->judged[rule], response);

	return told > judged ? told : judged;
}

static int by_exe(const void *a, const void *b)
{
	return strcmp((*(struct habit *const *)a)->exe, (*(struct habit *const *)b)->exe);
}

void habits_finish(struct habits *habits)
{
	/* A policy has one section for all, and one for each program. */
	size_t room = habits->count + 1 < POLICY_SECTIONS ? POLICY_SECTIONS - 1 - habits->count : 0;

	if (habits->count)
		qsort(habits->all, habits->count, sizeof(struct habit *), by_exe);
	for (size_t i = 0; i < habits->count; i++) {
		struct habit *habit = habits->all[i];

		habits_compare(habit->seen, habit->seen_count);
		for (size_t j = 0; j < habit->seen_count; j++)
			habits_keep(&habit->names, &habit->name_count, memory_text(habit->seen[j].glob));
		size_t apart = habits_reduce(habit->names, habit->name_count, SIZE_MAX);

		habit->name_count = habits_reduce(habit->names, apart, POLICY_LIST);
		habit->widened = habit->name_count < apart ? apart : 0;
		habits_except(habit, room / habits->count < EXCEPTIONS ? room / habits->count : EXCEPTIONS);
	}
}

void habits_free(struct habits *habits)
{
	for (size_t i = 0; i < habits->count; i++) {
		struct habit *habit = habits->all[i];

		for (size_t j = 0; j < habit->seen_count; j++)
			habits_name_free(&habit->seen[j]);
		free(habit->seen);
		for (size_t j = 0; j < habit->name_count; j++)
			free(habit->names[j]);
		free(habit->names);
		for (size_t j = 0; j < habit->template_count; j++)
			free(habit->templates[j]);
		free(habit->templates);
		habits_exceptions_free(habit);
		habits_needs_free(&habit->unnamed);
		habits_needs_free(&habit->base);
		free(habit->exe);
		free(habit);
	}
	free(habits->all);
	problems_free(&habits->missing);
	*habits = (struct habits){0};
}
