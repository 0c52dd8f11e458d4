/* Limits of the control groups that we are in, at every level, of both versions. */
#include <dirent.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/doctor.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

/* Version 1 says so for "none", rounded down to a page. */
#define LIMIT_NONE (UINT64_C(1) << 62)

/* How a kind of limit is written in versions 2 and 1. */
struct resource {
	const char *controller; /* of version 1 */
	const char *limit[2], *usage[2];
	bool cache; /* the usage has page cache in it */
};

static const struct resource memory = {
	"memory", {"memory.max", "memory.limit_in_bytes"}, {"memory.current", "memory.usage_in_bytes"}, true};

struct tightest {
	uint64_t limit, used; /* limit: UINT64_MAX, there is none */
	char *directory, *file;
	int version;   /* of the directory */
	size_t levels; /* that were looked at */
};

static uint64_t group_number(const char *directory, const char *file)
{
	char *path = memory_format("%s/%s", directory, file);
	uint64_t number;

	/* "max" is no number. */
	if (doctor_number(path, &number))
		number = UINT64_MAX;
	free(path);
	return number;
}

/* The page cache of a group is let go before anything is killed. */
static uint64_t group_cache(const char *directory)
{
	char *path = memory_format("%s/memory.stat", directory), line[128];
	FILE *file = fopen(path, "re");
	unsigned long long bytes = 0, total = 0;

	free(path);
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "inactive_file %llu", &bytes) == 1)
			continue;
		sscanf(line, "total_inactive_file %llu", &total);
	}
	if (file)
		fclose(file);
	return total ? total : bytes;
}

static void group_level(const struct resource *resource, const char *directory, int version, struct tightest *tightest)
{
	uint64_t limit = group_number(directory, resource->limit[version]), used, cache;
	char *path = memory_format("%s/%s", directory, resource->limit[version]);

	tightest->levels += !access(path, F_OK);
	used = group_number(directory, resource->usage[version]);
	cache = resource->cache ? group_cache(directory) : 0;
	used = used == UINT64_MAX ? 0 : used > cache ? used - cache : 0;
	if (limit < LIMIT_NONE && (tightest->limit == UINT64_MAX ||
				   (limit > used ? limit - used : 0) <
					   (tightest->limit > tightest->used ? tightest->limit - tightest->used : 0))) {
		free(tightest->directory);
		free(tightest->file);
		tightest->limit = limit;
		tightest->used = used;
		tightest->version = version;
		tightest->directory = memory_text(directory);
		tightest->file = memory_text(path);
	}
	free(path);
}

/* From the group up to where the hierarchy is mounted, which in a container is not its root. */
static void group_levels(const struct resource *resource, const char *mount, const char *group, int version,
			 struct tightest *tightest)
{
	/* Outside of what is mounted here, or in a hierarchy of which a part is mounted. */
	char *directory = memory_format("%s%s", mount, strncmp(group, "/..", 3) ? group : "");
	size_t least = strlen(mount);

	for (;;) {
		group_level(resource, directory, version, tightest);
		if (strlen(directory) <= least)
			break;
		*strrchr(directory, '/') = '\0';
	}
	free(directory);
}

/* Where version 2, or version 1 with that controller, is mounted; for free(3), NULL: nowhere. */
static char *group_mount(const char *controller)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	char *found = NULL;

	while (table && !found && (entry = getmntent(table)))
		if (controller ? !strcmp(entry->mnt_type, "cgroup") && hasmntopt(entry, controller)
			       : !strcmp(entry->mnt_type, "cgroup2"))
			found = memory_text(entry->mnt_dir);
	if (table)
		endmntent(table);
	return found;
}

/* Is `controller` one of "cpu,cpuacct"? */
static bool group_has(const char *list, size_t length, const char *controller)
{
	size_t wanted = strlen(controller);

	for (const char *at = list; at < list + length; at += strcspn(at, ",:") + 1)
		if (strcspn(at, ",:") == wanted && !strncmp(at, controller, wanted))
			return true;
	return false;
}

static struct tightest group_tightest(const struct resource *resource)
{
	struct tightest tightest = {.limit = UINT64_MAX};
	FILE *groups = fopen("/proc/self/cgroup", "re");
	char *line = NULL;
	size_t room = 0;

	while (groups && getline(&line, &room, groups) > 0) {
		char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL, *mount;
		bool unified = group == list + 1;

		if (!group || (!unified && !group_has(list + 1, (size_t)(group - list - 1), resource->controller)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		mount = group_mount(unified ? NULL : resource->controller);
		if (mount)
			group_levels(resource, mount, strcmp(group + 1, "/") ? group + 1 : "", unified ? 0 : 1,
				     &tightest);
		free(mount);
	}
	free(line);
	if (groups)
		fclose(groups);
	return tightest;
}

static void tightest_free(struct tightest *tightest)
{
	free(tightest->directory);
	free(tightest->file);
}

uint64_t doctor_cgroup_allowed(void)
{
	struct tightest tightest = group_tightest(&memory);

	tightest_free(&tightest);
	return tightest.limit;
}

static enum fitness group_answer(struct answer *answer, const struct tightest *tightest, enum fitness fitness,
				 const char *why)
{
	char *limit = machine_text_size(tightest->limit), *used = machine_text_size(tightest->used),
	     *quoted = doctor_quote(tightest->file);

	doctor_words(answer, "file", tightest->file);
	doctor_found(answer, fitness, "%s, of which %s are used, by %s%s", limit, used, tightest->file, why);
	answer->change = memory_format("echo %s >%s", tightest->version ? "-1" : "max", quoted);
	free(limit);
	free(used);
	free(quoted);
	return fitness;
}

static void group_values(struct answer *answer, const struct tightest *tightest)
{
	doctor_value(answer, "limit", tightest->limit);
	doctor_value(answer, "used", tightest->limit == UINT64_MAX ? UINT64_MAX : tightest->used);
	doctor_value(answer, "levels", tightest->levels);
}

static enum fitness group_unlimited(struct answer *answer, const struct tightest *tightest, const char *none)
{
	if (!tightest->levels)
		return doctor_found(answer, FITNESS_ok, "no group here has one");
	return doctor_found(answer, FITNESS_ok, "%s, in %zu group%s", none, tightest->levels,
			    tightest->levels == 1 ? "" : "s");
}

enum fitness doctor_cgroup(const struct surroundings *at, struct answer *answer)
{
	struct tightest tightest = group_tightest(&memory);
	uint64_t left = tightest.limit - tightest.used, room = (uint64_t)at->fs.f_bavail * (uint64_t)at->fs.f_frsize;
	enum fitness fitness = FITNESS_ok;
	const char *why = "";

	group_values(answer, &tightest);
	if (tightest.limit == UINT64_MAX || (at->memory && tightest.limit >= at->memory)) {
		group_unlimited(answer, &tightest, "no limit below the machine's memory");
		tightest_free(&tightest);
		return FITNESS_ok;
	}
	if (tightest.used >= tightest.limit || left < tightest.limit / 20) {
		fitness = FITNESS_bad;
		why = ": used up";
	} else if (at->there && (!at->fs.f_blocks || room > left)) {
		fitness = FITNESS_warn;
		why = ": less than /dev/shm has room for";
	}
	group_answer(answer, &tightest, fitness, why);
	tightest_free(&tightest);
	return fitness;
}

/* The limit for pages of so many KiB, as the kernel calls its files: "hugetlb.2MB.max". */
static struct tightest huge_tightest(uint64_t kib)
{
	uint64_t amount = kib >= 1 << 20 ? kib >> 20 : kib >= 1 << 10 ? kib >> 10 : kib;
	const char *unit = kib >= 1 << 20 ? "GB" : kib >= 1 << 10 ? "MB" : "KB";
	char *names[4];
	static const char *const files[] = {"max", "limit_in_bytes", "current", "usage_in_bytes"};
	struct tightest tightest;

	for (size_t i = 0; i < 4; i++)
		names[i] = memory_format("hugetlb.%ju%s.%s", (uintmax_t)amount, unit, files[i]);
	tightest = group_tightest(&(struct resource){"hugetlb", {names[0], names[1]}, {names[2], names[3]}, false});
	for (size_t i = 0; i < 4; i++)
		free(names[i]);
	return tightest;
}

/* The least of all sizes of pages that this kernel has. */
static struct tightest huge_least(void)
{
	struct tightest least = {.limit = UINT64_MAX};
	DIR *pools = opendir("/sys/kernel/mm/hugepages");
	struct dirent *entry;

	while (pools && (entry = readdir(pools))) {
		unsigned long long kib;
		struct tightest tightest, looser;

		if (sscanf(entry->d_name, "hugepages-%llukB", &kib) != 1)
			continue;
		looser = tightest = huge_tightest(kib);
		if (tightest.limit < least.limit || !least.levels) {
			looser = least;
			least = tightest;
		}
		tightest_free(&looser);
	}
	if (pools)
		closedir(pools);
	return least;
}

enum fitness doctor_cgroup_huge(const struct surroundings *at, struct answer *answer)
{
	struct tightest tightest = huge_least();
	enum fitness fitness = FITNESS_ok;

	(void)at;
	group_values(answer, &tightest);
	if (tightest.limit == UINT64_MAX)
		group_unlimited(answer, &tightest, "no limit");
	else
		fitness = group_answer(answer, &tightest, tightest.used >= tightest.limit ? FITNESS_bad : FITNESS_warn,
				       "");
	tightest_free(&tightest);
	return fitness;
}
