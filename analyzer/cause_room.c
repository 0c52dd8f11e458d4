/* What there is of space, inodes, descriptors, mappings, memory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "analyzer/cause.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

long long cause_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long long number = -1;

	if (file && fscanf(file, "%lld", &number) != 1)
		number = -1;
	if (file)
		fclose(file);
	return number;
}

/* A limit of ours; a program that was started elsewhere may have others. */
static enum verdict limit_of(__rlimit_resource_t resource, const char *what, bool bytes, char **detail)
{
	struct rlimit limit;
	char *amount;

	if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return VERDICT_no;
	amount = bytes ? machine_text_size(limit.rlim_cur) : memory_format("%ju", (uintmax_t)limit.rlim_cur);
	*detail = memory_format("%s is %s here; of a running process: prlimit -p PID", what, amount);
	free(amount);
	return VERDICT_maybe;
}

enum verdict cause_space(const struct scene *scene, char **detail)
{
	uint64_t size = (uint64_t)scene->room.f_blocks * scene->room.f_frsize;
	uint64_t left = (uint64_t)scene->room.f_bavail * scene->room.f_frsize;
	char *of, *rest;

	if (!scene->mounted || !size)
		return VERDICT_no;
	of = machine_text_size(size);
	rest = machine_text_size(left);
	*detail = memory_format(
		"%s of %s are left on /dev/shm: `shmguard ls` shows what fills it, mount -o remount,size=... "
		"/dev/shm makes it larger",
		rest, of);
	free(of);
	free(rest);
	/* A twentieth left may be too little for what was asked. */
	return left < scene->room.f_frsize ? VERDICT_yes : left < size / 20 ? VERDICT_maybe : VERDICT_no;
}

enum verdict cause_inodes(const struct scene *scene, char **detail)
{
	if (!scene->mounted || !scene->room.f_files)
		return VERDICT_no;
	*detail = memory_format("%ju of %ju inodes are left on /dev/shm: mount -o remount,nr_inodes=... /dev/shm",
				(uintmax_t)scene->room.f_favail, (uintmax_t)scene->room.f_files);
	return scene->room.f_favail ? VERDICT_no : VERDICT_yes;
}

enum verdict cause_descriptors(const struct scene *scene, char **detail)
{
	(void)scene;
	return limit_of(RLIMIT_NOFILE, "RLIMIT_NOFILE (ulimit -n)", false, detail);
}

enum verdict cause_files(const struct scene *scene, char **detail)
{
	long long used = cause_number("/proc/sys/fs/file-nr"), most = cause_number("/proc/sys/fs/file-max");

	(void)scene;
	if (used < 0 || most <= 0)
		return VERDICT_maybe;
	*detail = memory_format("%lld of %lld (fs.file-max) are open", used, most);
	return used >= most - most / 20 ? VERDICT_yes : VERDICT_no;
}

enum verdict cause_file_size(const struct scene *scene, char **detail)
{
	(void)scene;
	return limit_of(RLIMIT_FSIZE, "RLIMIT_FSIZE (ulimit -f)", true, detail);
}

enum verdict cause_address_space(const struct scene *scene, char **detail)
{
	(void)scene;
	return limit_of(RLIMIT_AS, "RLIMIT_AS (ulimit -v)", true, detail);
}

enum verdict cause_map_count(const struct scene *scene, char **detail)
{
	long long most = cause_number("/proc/sys/vm/max_map_count");

	(void)scene;
	*detail = memory_format("vm.max_map_count is %lld; of a running process: wc -l /proc/PID/maps", most);
	return VERDICT_maybe;
}

long long cause_memory(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long long kib = -1;

	while (file && kib < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			kib = strtoll(line + strlen(name) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

enum verdict cause_commit(const struct scene *scene, char **detail)
{
	long long mode = cause_number("/proc/sys/vm/overcommit_memory");
	long long used = cause_memory("Committed_AS"), most = cause_memory("CommitLimit");

	(void)scene;
	if (mode != 2)
		return VERDICT_no;
	*detail = memory_format("vm.overcommit_memory is 2: %lld of %lld KiB are promised", used, most);
	return used > most - most / 20 ? VERDICT_yes : VERDICT_maybe;
}

enum verdict cause_lock(const struct scene *scene, char **detail)
{
	(void)scene;
	return limit_of(RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK (ulimit -l)", true, detail);
}
