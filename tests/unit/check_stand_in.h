/*
 * What the rules of a single call stand on in tests of them: a made-up kernel, what they found, objects and openings. A test
 * includes it before the rules that it is about.
 */
#ifndef SHMGUARD_TESTS_UNIT_CHECK_STAND_IN_H
#define SHMGUARD_TESTS_UNIT_CHECK_STAND_IN_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/check.h"
#include "preload/facts_files.h"

enum { PAGE = 4096, ME = 1000, OTHER = 1001, MAX_FOUND = 8 };

static unsigned tests, failures, found_count;
static struct check_finding told[MAX_FOUND];

/* The made-up kernel. */
static struct {
	bool reachable, survives_exec, protected, may_open, granted, made, off[RULE_COUNT];
	struct facts_file file, directory;
	struct facts_grant grant;
	int seals, data;
	uint64_t data_at, descriptor_limit, mapped_end, known, mappings, mapping_limit;
} kernel;

bool check_found(const struct check_finding *finding)
{
	if (kernel.off[finding->rule])
		return false;
	if (found_count < MAX_FOUND)
		told[found_count] = *finding;
	found_count++;
	return true;
}

uint64_t check_mapped_end(const struct identity *identity)
{
	(void)identity;
	return kernel.mapped_end;
}

bool check_made(const char *path)
{
	(void)path;
	return kernel.made;
}

bool facts_path(enum event_id by, int dirfd, const char *name, char path[static 512])
{
	(void)by;
	(void)dirfd;
	strcpy(path, name);
	return true;
}

bool facts_file(const char *path, struct facts_file *file)
{
	(void)path;
	*file = kernel.file;
	return file->mode != 0;
}

bool facts_directory(const char *path, struct facts_file *directory)
{
	(void)path;
	*directory = kernel.directory;
	return true;
}

bool facts_reachable(const struct identity *identity)
{
	(void)identity;
	return kernel.reachable;
}

uint32_t facts_user(void)
{
	return ME;
}

bool facts_stranger(uint32_t uid)
{
	return uid != 0 && uid != ME;
}

bool check_foreign(const struct identity *identity)
{
	return facts_stranger(identity->uid);
}

bool facts_may_open(int dirfd, const char *path, uint32_t flags)
{
	(void)dirfd;
	(void)path;
	(void)flags;
	return kernel.may_open;
}

bool facts_sticky(const struct facts_file *file, const struct facts_file *directory, bool unknown)
{
	(void)unknown;
	return kernel.protected && (directory->mode & S_ISVTX) && file->uid != directory->uid;
}

bool facts_grant(const struct identity *identity, struct facts_grant *grant)
{
	(void)identity;
	*grant = kernel.grant;
	return kernel.granted;
}

int facts_seals(int fd)
{
	(void)fd;
	return kernel.seals;
}

bool facts_survives_exec(int fd)
{
	(void)fd;
	return kernel.survives_exec;
}

int facts_data(const struct identity *identity, uint64_t from, uint64_t to, uint64_t *at)
{
	(void)identity;
	if (kernel.data != 1)
		return kernel.data;
	*at = kernel.data_at;
	return kernel.data_at >= from && kernel.data_at < to;
}

uint64_t facts_descriptor_limit(void)
{
	return kernel.descriptor_limit;
}

bool facts_mappings(uint64_t *used, uint64_t *limit)
{
	*used = kernel.mappings;
	*limit = kernel.mapping_limit;
	return true;
}

bool facts_known_number(uint64_t number)
{
	return number == kernel.known;
}

/* Everyone may search the directory, nobody is near a limit. */
static inline void quiet(void)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.reachable = true;
	kernel.descriptor_limit = kernel.mapping_limit = 1000;
	kernel.seals = -1;
	kernel.directory = (struct facts_file){S_IFDIR | S_ISVTX | 0777, 0};
	found_count = 0;
}

static inline bool was(enum rule_id rule, enum severity severity)
{
	bool good = false;

	for (unsigned i = 0; i < found_count && i < MAX_FOUND; i++)
		good |= told[i].rule == rule && told[i].severity == severity;
	return good;
}

static inline bool is_silent(void)
{
	return found_count == 0;
}

/* Exactly this one since the last look. */
static inline bool only(enum rule_id rule, enum severity severity)
{
	bool good = found_count == 1 && was(rule, severity);
	found_count = 0;
	return good;
}

static inline void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
	found_count = 0;
}

static inline struct identity object(uint32_t mode, uint32_t uid)
{
	return (struct identity){
		.size = PAGE, .page = PAGE, .mode = mode, .uid = uid, .links = 1, .kind = KIND_shm, .fd = 3, .ino = 5};
}

static inline struct check_opening opening(uint32_t flags, uint32_t mode, bool created)
{
	return (struct check_opening){.by = EVENT_shm_open,
				      .symbol = SYMBOL_shm_open,
				      .pid = 812,
				      .dirfd = AT_FDCWD,
				      .name = "/x.0123456789abcdef",
				      .flags = flags,
				      .mode = mode,
				      .result = 3,
				      .created = created,
				      .size_before = created ? 0 : PAGE};
}

enum { NEW = O_CREAT | O_EXCL | O_RDWR, EITHER = O_CREAT | O_RDWR };

static inline int end(void)
{
	printf("1..%u\n", tests);
	return failures != 0;
}

#endif
