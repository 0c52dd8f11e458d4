/* What a process, and all together, may have. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "analyzer/doctor.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

/* As Linux has it since 5.16 and systemd gives it. */
#define MEMLOCK_USUAL (UINT64_C(8) << 20)
#define MEMLOCK_LEAST (UINT64_C(64) << 10)
#define NOFILE_USUAL 1024
#define NOFILE_LEAST 64
#define FSIZE_LEAST (UINT64_C(1) << 20)
#define AS_LEAST (UINT64_C(256) << 20)
#define MAP_COUNT_USUAL 65530
#define MAP_COUNT_LEAST 4096

/* A limit of this process, which its children inherit. */
struct limit {
	__rlimit_resource_t resource;
	const char *name; /* of prlimit(1) */
	bool bytes;
	uint64_t usual, least; /* below: warn, bad */
	rlim_t wanted;         /* what the command sets */
};

static char *limit_amount(const struct limit *limit, rlim_t amount)
{
	if (amount == RLIM_INFINITY)
		return memory_text("unlimited");
	return limit->bytes ? machine_text_size(amount) : memory_format("%ju", (uintmax_t)amount);
}

/* For the shell that it is given to: as far as a user may, whose soft limit it is, else what only root may. */
static char *limit_change(const struct limit *limit, const struct rlimit *now)
{
	bool may = now->rlim_cur < now->rlim_max || limit->wanted <= now->rlim_max;
	rlim_t wanted = may && limit->wanted > now->rlim_max ? now->rlim_max : limit->wanted;

	if (wanted == RLIM_INFINITY)
		return memory_format("prlimit --pid $$ --%s=unlimited%s", limit->name, may ? ":" : "");
	return memory_format("prlimit --pid $$ --%s=%ju%s", limit->name, (uintmax_t)wanted, may ? ":" : "");
}

static enum fitness limit_judge(const struct limit *limit, struct answer *answer)
{
	struct rlimit got;
	enum fitness fitness = FITNESS_ok;
	char *soft, *hard;

	if (getrlimit(limit->resource, &got))
		return doctor_unread(answer, "getrlimit()", errno);
	if (got.rlim_cur != RLIM_INFINITY && got.rlim_cur < limit->usual)
		fitness = got.rlim_cur < limit->least ? FITNESS_bad : FITNESS_warn;
	doctor_value(answer, "soft", got.rlim_cur == RLIM_INFINITY ? UINT64_MAX : got.rlim_cur);
	doctor_value(answer, "hard", got.rlim_max == RLIM_INFINITY ? UINT64_MAX : got.rlim_max);
	soft = limit_amount(limit, got.rlim_cur);
	hard = limit_amount(limit, got.rlim_max);
	answer->change = limit_change(limit, &got);
	if (got.rlim_cur == got.rlim_max)
		doctor_found(answer, fitness, "%s", soft);
	else
		doctor_found(answer, fitness, "%s, can be raised to %s", soft, hard);
	free(soft);
	free(hard);
	return fitness;
}

enum fitness doctor_memlock(const struct surroundings *at, struct answer *answer)
{
	(void)at;
	return limit_judge(
		&(struct limit){RLIMIT_MEMLOCK, "memlock", true, MEMLOCK_USUAL, MEMLOCK_LEAST, RLIM_INFINITY}, answer);
}

enum fitness doctor_nofile(const struct surroundings *at, struct answer *answer)
{
	(void)at;
	return limit_judge(&(struct limit){RLIMIT_NOFILE, "nofile", false, NOFILE_USUAL, NOFILE_LEAST, 65536}, answer);
}

enum fitness doctor_fsize(const struct surroundings *at, struct answer *answer)
{
	(void)at;
	return limit_judge(&(struct limit){RLIMIT_FSIZE, "fsize", true, RLIM_INFINITY, FSIZE_LEAST, RLIM_INFINITY},
			   answer);
}

enum fitness doctor_address_space(const struct surroundings *at, struct answer *answer)
{
	(void)at;
	return limit_judge(&(struct limit){RLIMIT_AS, "as", true, RLIM_INFINITY, AS_LEAST, RLIM_INFINITY}, answer);
}

enum fitness doctor_map_count(const struct surroundings *at, struct answer *answer)
{
	static const char path[] = "/proc/sys/vm/max_map_count";
	uint64_t count;
	int error = doctor_number(path, &count);

	(void)at;
	if (error)
		return doctor_unread(answer, path, error);
	doctor_value(answer, "max_map_count", count);
	return doctor_found(answer,
			    count < MAP_COUNT_LEAST   ? FITNESS_bad
			    : count < MAP_COUNT_USUAL ? FITNESS_warn
						      : FITNESS_ok,
			    "%ju", (uintmax_t)count);
}

enum fitness doctor_files(const struct surroundings *at, struct answer *answer)
{
	static const char most_path[] = "/proc/sys/fs/file-max", used_path[] = "/proc/sys/fs/file-nr";
	uint64_t most, used;
	int error = doctor_number(most_path, &most);

	(void)at;
	if (error)
		return doctor_unread(answer, most_path, error);
	error = doctor_number(used_path, &used);
	if (error)
		return doctor_unread(answer, used_path, error);
	doctor_value(answer, "used", used);
	doctor_value(answer, "file_max", most);
	answer->change =
		memory_format("sysctl -w fs.file-max=%ju", (uintmax_t)(most < INT64_MAX / 2 ? 2 * most : most));
	return doctor_found(answer,
			    used >= most - most / 20  ? FITNESS_bad
			    : used >= most - most / 5 ? FITNESS_warn
						      : FITNESS_ok,
			    most >= INT64_MAX ? "%ju open, without a limit" : "%ju open of %ju", (uintmax_t)used,
			    (uintmax_t)most);
}
