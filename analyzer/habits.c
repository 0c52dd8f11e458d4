#include "analyzer/habits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/analysis.h"
#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/trace_reader.h"
#include "tracepoints/policy.h"

#define SHM_DIRECTORY "/dev/shm/"

struct own {
	uint32_t object, names; /* names: so many has it */
};

/* A process of the recording that is being read. */
struct runner {
	struct habit *habit;
	struct habits_pids pids;
	uint64_t inherited; /* objects that its parent had when it forked */
	struct own *own;    /* objects that it made and did not remove */
	size_t own_count;
};

struct gathering {
	struct habits *habits;
	struct map runners; /* (pid) -> struct runner */
	struct map modes;   /* (pid, id of the object) -> mode + 1 */
};

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

static void take_process(struct gathering *gathering, const struct process_event *event)
{
	const struct runner *parent = map_get(&gathering->runners, (uint64_t)event->parent, 0);
	struct runner *runner = memory_new(1, sizeof(*runner));

	runner->habit = habit_of(gathering->habits, event->exe);
	runner->pids = (struct habits_pids){event->pid, event->parent};
	if (event->began == BEGAN_fork && parent)
		runner->inherited = parent->inherited + parent->own_count;
	runner_free(map_remove(&gathering->runners, (uint64_t)event->pid, 0));
	map_put(&gathering->runners, (uint64_t)event->pid, 0, runner);
}

char *habits_object(const char *name, bool semaphore)
{
	if (strncmp(name, SHM_DIRECTORY, strlen(SHM_DIRECTORY)) == 0)
		name += strlen(SHM_DIRECTORY);
	name += strspn(name, "/");
	return memory_format("/%s%s", semaphore ? "sem." : "", name);
}

static void take_name(struct runner *runner, const char *name, bool semaphore)
{
	struct habit *habit = runner->habit;
	char *text = habits_object(name, semaphore), *glob = habits_glob(text, &runner->pids);
	bool known = false;

	for (size_t i = 0; i < habit->name_count && !known; i++)
		known = strcmp(habit->names[i], glob) == 0;
	free(text);
	if (known) {
		free(glob);
		return;
	}
	habit->names = memory_grow(habit->names, habit->name_count, sizeof(char *));
	habit->names[habit->name_count++] = glob;
}

static void take_created(struct gathering *gathering, struct runner *runner, const struct event_head *head,
			 uint32_t object)
{
	uintptr_t mode = (uintptr_t)map_get(&gathering->modes, (uint64_t)head->pid, object);
	struct habit *habit = runner->habit;

	if (mode)
		habit->mode |= (uint32_t)(mode - 1) & 07777;
	runner->own = memory_grow(runner->own, runner->own_count, sizeof(struct own));
	runner->own[runner->own_count++] = (struct own){object, 1};
	if (runner->inherited + runner->own_count > habit->peak)
		habit->peak = runner->inherited + runner->own_count;
}

static void take_named(struct runner *runner, uint32_t object, int change)
{
	for (size_t i = 0; i < runner->own_count; i++) {
		if (!object || runner->own[i].object != object)
			continue;
		runner->own[i].names += (uint32_t)change;
		if (!runner->own[i].names)
			runner->own[i] = runner->own[--runner->own_count];
		break;
	}
}

static void take_size(struct runner *runner, uint64_t size, int error)
{
	if (!error && size > runner->habit->size)
		runner->habit->size = size;
}

static void take_mode(struct gathering *gathering, const struct object_event *event)
{
	map_remove(&gathering->modes, (uint64_t)event->pid, event->id);
	map_put(&gathering->modes, (uint64_t)event->pid, event->id, (void *)(uintptr_t)(event->mode + 1));
}

static void take_call(struct gathering *gathering, struct runner *runner, const struct trace_event *event)
{
	const union any_event *any = &event->event;

	switch (event->id) {
	case EVENT_shm_open:
		take_name(runner, any->shm_open.name, false);
		if (any->shm_open.created)
			take_created(gathering, runner, &any->head, any->shm_open.object);
		break;
	case EVENT_open:
		take_name(runner, any->open.name, false);
		if (any->open.created)
			take_created(gathering, runner, &any->head, any->open.object);
		break;
	case EVENT_sem_open:
		take_name(runner, any->sem_open.name, true);
		if (any->sem_open.created)
			take_created(gathering, runner, &any->head, any->sem_open.object);
		break;
	case EVENT_unlink:
		take_name(runner, any->unlink.name, any->unlink.symbol == SYMBOL_sem_unlink);
		if (!any->unlink.error)
			take_named(runner, any->unlink.object, -1);
		break;
	case EVENT_rename:
		take_name(runner, any->rename.from, false);
		take_name(runner, any->rename.to, false);
		if (!any->rename.error && !(any->rename.flags & RENAME_EXCHANGE) &&
		    any->rename.replaced != any->rename.object)
			take_named(runner, any->rename.replaced, -1);
		break;
	case EVENT_link:
		take_name(runner, any->link.from, false);
		take_name(runner, any->link.to, false);
		if (!any->link.error)
			take_named(runner, any->link.object, 1);
		break;
	case EVENT_ftruncate:
		take_size(runner, any->ftruncate.size, any->ftruncate.error);
		break;
	case EVENT_fallocate:
		take_size(runner, any->fallocate.size, any->fallocate.error);
		break;
	case EVENT_chmod:
		if (!any->chmod.error)
			runner->habit->mode |= any->chmod.mode & 07777;
		break;
	case EVENT_finding:
		if (any->finding.rule < RULE_COUNT)
			runner->habit->told[any->finding.rule]++;
		break;
	default:
		break;
	}
}

static int take_event(void *context, const struct trace_event *event)
{
	struct gathering *gathering = context;
	struct runner *runner;

	if (event->id == EVENT_process)
		take_process(gathering, &event->event.process);
	if (event->id == EVENT_object)
		take_mode(gathering, &event->event.object);
	runner = map_get(&gathering->runners, (uint64_t)event->event.head.pid, 0);
	if (runner)
		take_call(gathering, runner, event);
	return 0;
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

/* What only the whole recording shows. */
static struct analysis *take_report(struct habits *habits, const char *dir, char **error)
{
	struct analysis *analysis = analysis_of(dir, NULL, error);

	if (!analysis)
		return NULL;
	take_missing(habits, analysis, dir);
	for (size_t i = 0; i < analysis->findings.count; i++) {
		const struct finding *finding = &analysis->findings.all[i];

		if (finding->process && finding->process->traced)
			habit_of(habits, finding->process->exe)->judged[finding->rule] += finding->count;
	}
	return analysis;
}

bool habits_gather(struct habits *habits, const char *dir, char **error)
{
	struct gathering gathering = {.habits = habits};
	struct trace_totals totals;
	struct analysis *analysis = take_report(habits, dir, error);
	struct trace_scope scope;
	struct map_slot *slot;
	size_t cursor = 0;
	int r;

	if (!analysis)
		return false;
	scope = recording_scope(analysis->recording);
	r = trace_read(dir, &scope, take_event, &gathering, &totals, error);
	analysis_free(analysis);
	trace_totals_clear(&totals);
	while ((slot = map_next(&gathering.runners, &cursor)))
		runner_free(slot->value);
	map_clear(&gathering.runners);
	map_clear(&gathering.modes);
	/* analysis_of would have failed: nothing in the recording touched shared memory. */
	if (r == -ENOENT) {
		free(*error);
		return true;
	}
	return r == 0;
}

static int by_exe(const void *a, const void *b)
{
	return strcmp((*(struct habit *const *)a)->exe, (*(struct habit *const *)b)->exe);
}

void habits_finish(struct habits *habits)
{
	if (habits->count)
		qsort(habits->all, habits->count, sizeof(struct habit *), by_exe);
	for (size_t i = 0; i < habits->count; i++) {
		struct habit *habit = habits->all[i];
		size_t apart = habits_reduce(habit->names, habit->name_count, SIZE_MAX);

		habit->name_count = habits_reduce(habit->names, apart, POLICY_LIST);
		habit->widened = habit->name_count < apart ? apart : 0;
	}
}

void habits_free(struct habits *habits)
{
	for (size_t i = 0; i < habits->count; i++) {
		struct habit *habit = habits->all[i];

		for (size_t j = 0; j < habit->name_count; j++)
			free(habit->names[j]);
		free(habit->names);
		free(habit->exe);
		free(habit);
	}
	free(habits->all);
	problems_free(&habits->missing);
	*habits = (struct habits){0};
}
