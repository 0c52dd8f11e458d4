/* Promises of memory, and huge pages. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/cause.h"
#include "analyzer/doctor.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

enum fitness doctor_overcommit(const struct surroundings *at, struct answer *answer)
{
	static const char path[] = "/proc/sys/vm/overcommit_memory";
	long long used = cause_memory("Committed_AS"), most = cause_memory("CommitLimit");
	uint64_t mode;
	int error = doctor_number(path, &mode);
	char *promised, *limit;
	enum fitness fitness;

	(void)at;
	if (error)
		return doctor_unread(answer, path, error);
	doctor_value(answer, "overcommit_memory", mode);
	if (mode != 2)
		return doctor_found(answer, FITNESS_ok, "%ju (%s)", (uintmax_t)mode, mode ? "always" : "heuristic");
	fitness = most > 0 && used > most - most / 20 ? FITNESS_bad : FITNESS_warn;
	promised = machine_text_size((uint64_t)(used > 0 ? used : 0) << 10);
	limit = machine_text_size((uint64_t)(most > 0 ? most : 0) << 10);
	doctor_found(answer, fitness, "2 (never): %s of %s are promised", promised, limit);
	free(promised);
	free(limit);
	return fitness;
}

#define POOLS "/sys/kernel/mm/hugepages"

static uint64_t pool_number(const char *pool, const char *file)
{
	char path[512];
	uint64_t number = 0;

	snprintf(path, sizeof(path), POOLS "/%s/%s", pool, file);
	return doctor_number(path, &number) ? 0 : number;
}

struct pools {
	char *text, *change;
	json_t *values;
	bool short_of; /* one has pages, and none is free */
};

static void pool_add(struct pools *pools, const char *pool)
{
	uint64_t size = strtoull(pool + strlen("hugepages-"), NULL, 10) << 10;
	uint64_t all = pool_number(pool, "nr_hugepages"), free_pages = pool_number(pool, "free_hugepages");
	uint64_t reserved = pool_number(pool, "resv_hugepages"), more = pool_number(pool, "nr_overcommit_hugepages");
	uint64_t left = (free_pages > reserved ? free_pages - reserved : 0) + more;
	char *unit = machine_text_size(size), *longer;

	json_array_append_new(pools->values, json_pack("{s:I, s:I, s:I}", "page", (json_int_t)size, "pages",
						       (json_int_t)all, "left", (json_int_t)left));
	longer = memory_format("%s%s%ju of %ju pages of %s left", pools->text ? pools->text : "",
			       pools->text ? ", " : "", (uintmax_t)left, (uintmax_t)(all + more), unit);
	free(pools->text);
	pools->text = longer;
	if (!left && all)
		pools->short_of = true;
	if ((!left && all) || !pools->change) {
		free(pools->change);
		pools->change =
			memory_format("echo %ju >" POOLS "/%s/nr_hugepages", (uintmax_t)(all ? 2 * all : 64), pool);
	}
	free(unit);
}

static int pool_smaller_first(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static int pool_is(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "hugepages-", strlen("hugepages-"));
}

enum fitness doctor_huge_pages(const struct surroundings *at, struct answer *answer)
{
	struct pools pools = {0};
	struct dirent **found;
	int count = scandir(POOLS, &found, pool_is, pool_smaller_first);

	(void)at;
	if (count < 0)
		return doctor_unread(answer, POOLS, errno);
	pools.values = json_array();
	for (int i = 0; i < count; i++) {
		pool_add(&pools, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	answer->values = json_pack("{s:o}", "pools", pools.values);
	answer->change = pools.change;
	doctor_found(answer, FITNESS_ok, "%s%s", pools.text ? pools.text : "this kernel has none",
		     pools.short_of ? ": a pool is used up" : "");
	free(pools.text);
	return pools.short_of ? FITNESS_warn : FITNESS_ok;
}

/* "advise" of "rw,size=64m,huge=advise"; "never" if it is not said. */
static char *huge_option(const struct surroundings *at)
{
	const char *option = at->options ? strstr(at->options, "huge=") : NULL;

	if (!option)
		return memory_text("never");
	option += strlen("huge=");
	return memory_format("%.*s", (int)strcspn(option, ","), option);
}

enum fitness doctor_shmem_huge(const struct surroundings *at, struct answer *answer)
{
	static const char path[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
	char enabled[32];
	int error = doctor_choice(path, enabled, sizeof(enabled));
	char *mount;
	bool greedy;

	if (error)
		return doctor_unread(answer, path, error);
	mount = huge_option(at);
	greedy = !strcmp(enabled, "always") || !strcmp(enabled, "force") || !strcmp(mount, "always");
	doctor_words(answer, "shmem_enabled", enabled);
	doctor_words(answer, "huge", mount);
	doctor_found(answer, FITNESS_ok, "shmem_enabled %s, huge=%s%s%s", enabled, mount,
		     greedy ? ": small objects take 2 MiB each" : "",
		     !strcmp(enabled, "deny") ? ": none at all, whatever the mount says" : "");
	if (!strcmp(enabled, "always") || !strcmp(enabled, "force") || !strcmp(enabled, "deny"))
		answer->change = memory_format("echo advise >%s", path);
	free(mount);
	return greedy ? FITNESS_warn : FITNESS_ok;
}
