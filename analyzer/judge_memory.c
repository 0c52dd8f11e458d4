/* huge-page-advice, lock-advice: how large mappings lay in memory while `run` looked on. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "memory.h"
#include "usage_limits.h"

static const struct process *process_of(const struct court *court, const struct recording *recording,
					const struct usage *usage)
{
	for (size_t i = court->world->process_count; i > 0; i--) {
		const struct process *process = court->world->processes[i - 1];

		if (process->recording == recording && process->pid == usage->pid &&
		    process->began_at <= usage->until && (process->ended_at == 0 || process->ended_at >= usage->from))
			return process;
	}
	return NULL;
}

/* The latest, as inodes are used again. NULL: it is none of those that were recorded. */
static const struct object *object_of(const struct court *court, const struct recording *recording,
				      const struct usage *usage)
{
	for (size_t i = court->world->object_count; i > 0; i--) {
		const struct object *object = court->world->objects[i - 1];

		if (object->same == NULL && object->dev == usage->dev && object->ino == usage->ino &&
		    recording_shares(object->recording, recording))
			return object;
	}
	return NULL;
}

static bool is_worked_in(const struct usage *usage)
{
	int64_t time = usage->until - usage->from;

	return usage->rss >= USAGE_HUGE_MIN && usage->referenced >= usage->rss / 2 && time >= USAGE_LONG &&
	       usage->cpu >= time / USAGE_CPU_SHARE;
}

/* How to get huge pages for it, a new text; NULL: there is no way, or the program took it already. */
static char *way_to_huge_pages(const struct usage *usage)
{
	const char *ask = usage->wants_huge ? "" : ", and madvise(MADV_HUGEPAGE) before it is touched";
	char *bytes, *way;

	if (usage->pool >= usage->length) {
		bytes = judge_bytes(usage->pool);
		way = memory_format("%s of huge pages are free: make the object by memfd_create(MFD_HUGETLB), or as a "
				    "file on hugetlbfs",
				    bytes);
		free(bytes);
		return way;
	}
	if (usage->thp && !strcmp(usage->thp, "advise") && !usage->wants_huge)
		return memory_text("madvise(MADV_HUGEPAGE) it before it is touched, the file system allows it "
				   "(huge=advise)");
	if (usage->thp == NULL || strcmp(usage->thp, "never") != 0)
		return NULL;
	if (usage->mount)
		return memory_format("`mount -o remount,huge=advise %s` as root%s", usage->mount, ask);
	return memory_format("`echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled` as root%s", ask);
}

static char *words_of_huge(const struct usage *usage, const char *who, const struct object *object)
{
	char *way, *rss, *time, *cpu, *words;

	if (!is_worked_in(usage) || usage->huge || usage->page >= USAGE_HUGE_PAGE || usage->refuses_huge)
		return NULL;
	way = way_to_huge_pages(usage);
	if (way == NULL)
		return NULL;
	rss = judge_bytes(usage->rss);
	time = judge_time(usage->until - usage->from);
	cpu = judge_time(usage->cpu);
	words = memory_format("%s had %s of %s in memory on pages of %" PRIu64 " bytes, seen over %s of which it "
			      "computed %s: %" PRIu64 " of 2 MiB would do; %s",
			      who, rss, judge_name_of(object), usage->page, time, cpu,
			      (usage->rss + USAGE_HUGE_PAGE - 1) / USAGE_HUGE_PAGE, way);
	free(way);
	free(rss);
	free(time);
	free(cpu);
	return words;
}

static char *words_of_swap(const struct usage *usage, const char *who, const struct object *object)
{
	char *swap, *length, *limit, *words;

	if (usage->swap == 0)
		return NULL;
	swap = judge_bytes(usage->swap);
	length = judge_bytes(usage->length);
	limit = usage->memlock == UINT64_MAX ? memory_text("no limit") : judge_bytes(usage->memlock);
	words = memory_format("up to %s of %s were moved to swap while %s had it mapped: whoever touches what has "
			      "left memory waits for the disk; mlock() would keep it (%s mapped, RLIMIT_MEMLOCK: %s)",
			      swap, judge_name_of(object), who, length, limit);
	free(swap);
	free(length);
	free(limit);
	return words;
}

static const struct advice {
	enum rule_id rule;
	char *(*words)(const struct usage *usage, const char *who, const struct object *object);
} advices[] = {{RULE_huge_page_advice, words_of_huge}, {RULE_lock_advice, words_of_swap}};

/* Once an object: how it lies in memory is the same for all. */
static void advise(struct court *court, const struct advice *advice, const struct recording *recording,
		   const struct usage *usage, struct map *told)
{
	const struct process *process = process_of(court, recording, usage);
	const struct object *object = object_of(court, recording, usage);
	struct finding finding = {.rule = advice->rule, .severity = SEVERITY_NOTE};
	char *who;

	if (process == NULL || object == NULL || map_get(told, (uintptr_t)object, 0))
		return;
	who = judge_process(process);
	finding.message = advice->words(usage, who, object);
	free(who);
	if (finding.message == NULL)
		return;
	map_put(told, (uintptr_t)object, 0, told);
	finding.object = object;
	finding.process = process;
	finding.time = usage->until;
	finding.bytes = advice->rule == RULE_lock_advice ? usage->swap : usage->rss;
	court_find(court, &finding, &(struct role){"mapped first", object->mapped}, 1);
}

static void memory_finish(struct court *court)
{
	const struct recording *recording;

	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		struct map told = {0};

		for (size_t p = 0; (recording = recording_each(court->recording, p)); p++)
			for (size_t k = 0; k < recording->usage_count; k++)
				advise(court, &advices[i], recording, &recording->usages[k], &told);
		map_clear(&told);
	}
}

const struct judge judge_memory = {.finish = memory_finish};
