#include "preload/facts.h"

#include <linux/capability.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/page.h"
#include "preload/recent.h"
#include "preload/text.h"

#define PLENTY (UINT64_C(2) << 30)

/* In a loop the answer of before, while there is plenty for the need: gigabytes are not filled within a tick of the clock. */
bool facts_room(const struct identity *identity, uint64_t need, uint64_t *bytes)
{
	static __thread struct {
		struct recent recent;
		uint64_t dev, bytes;
	} last;
	struct statfs fs;

	if (last.dev != identity->dev)
		last.recent.times = 0;
	if (recent_enough(&last.recent) && last.bytes >= PLENTY && need < last.bytes - PLENTY / 2) {
		*bytes = last.bytes;
		return true;
	}
	long failed = identity->kind == KIND_memfd ? -1
		      : identity->fd >= 0          ? kernel_call(SYS_fstatfs, identity->fd, (long)&fs, 0, 0, 0, 0)
						   : kernel_call(SYS_statfs, (long)"/dev/shm", (long)&fs, 0, 0, 0, 0);

	if (failed || fs.f_blocks == 0)
		return false;
	*bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	last.dev = identity->dev;
	last.bytes = *bytes;
	return true;
}

static uint64_t limit_of(int resource)
{
	struct rlimit limit;
	if (kernel_call(SYS_prlimit64, 0, resource, 0, (long)&limit, 0, 0) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

uint64_t facts_file_size_limit(void)
{
	return limit_of(RLIMIT_FSIZE);
}

uint64_t facts_address_space(void)
{
	uint64_t limit = limit_of(RLIMIT_AS), pages = limit == UINT64_MAX ? 0 : text_limit("/proc/thread-self/statm");

	if (limit == UINT64_MAX || pages == UINT64_MAX)
		return UINT64_MAX;
	return pages < limit / page_size() ? limit - pages * page_size() : 0;
}

bool facts_capable(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (kernel_call(SYS_capget, (long)&header, (long)data, 0, 0, 0, 0) < 0)
		return false;
	return data[capability / 32].effective >> capability % 32 & 1;
}

bool facts_may_lock_nothing(void)
{
	return limit_of(RLIMIT_MEMLOCK) == 0;
}

uint64_t facts_lockable(void)
{
	char status[4096];
	uint64_t limit = limit_of(RLIMIT_MEMLOCK), locked;

	if (limit == UINT64_MAX || facts_capable(CAP_IPC_LOCK) ||
	    text_read("/proc/thread-self/status", status, sizeof status) <= 0 || !text_field(status, "VmLck:", &locked))
		return UINT64_MAX;
	locked *= 1024; /* proc(5): kB */
	return locked < limit ? limit - locked : 0;
}

/* cgroup v2: memory.max, memory.current; v1: memory.limit_in_bytes, memory.usage_in_bytes. */
struct hierarchy {
	const char *line;  /* what its line in /proc/self/cgroup has before the path */
	const char *mount; /* where it is mounted by convention (systemd) */
	const char *limit, *usage;
};

static const struct hierarchy hierarchies[] = {
	{"0::", "/sys/fs/cgroup", "/memory.max", "/memory.current"},
	{":memory:", "/sys/fs/cgroup/memory", "/memory.limit_in_bytes", "/memory.usage_in_bytes"},
};

static uint64_t group_left(const char *group, const struct hierarchy *h)
{
	char path[1024];

	path[0] = 0;
	if (!text_append(path, sizeof path, group) || !text_append(path, sizeof path, h->limit))
		return UINT64_MAX;
	uint64_t limit = text_limit(path);
	if (limit == UINT64_MAX)
		return UINT64_MAX;
	path[strlen(group)] = 0;
	if (!text_append(path, sizeof path, h->usage))
		return UINT64_MAX;
	uint64_t usage = text_limit(path);
	return usage == UINT64_MAX ? UINT64_MAX : usage < limit ? limit - usage : 0;
}

static uint64_t hierarchy_left(const char *groups, const struct hierarchy *h)
{
	char group[1024];
	uint64_t left = UINT64_MAX;
	const char *line = strstr(groups, h->line);

	if (!line)
		return left;
	line += strlen(h->line);
	size_t length = strcspn(line, "\n"), mount = strlen(h->mount);
	if (mount + length >= sizeof group)
		return left;
	memcpy(group, h->mount, mount);
	memcpy(group + mount, line, length);
	group[mount + length] = 0;
	for (;;) {
		uint64_t here = group_left(group, h);
		left = here < left ? here : left;
		char *slash = strrchr(group + mount, '/');
		if (!slash)
			return left;
		*slash = 0;
	}
}

static long memory_left(void *context)
{
	uint64_t *bytes = context;
	char groups[2048];

	if (text_read("/proc/thread-self/cgroup", groups, sizeof groups) <= 0)
		return false;
	*bytes = UINT64_MAX;
	for (size_t i = 0; i < sizeof hierarchies / sizeof *hierarchies; i++) {
		uint64_t left = hierarchy_left(groups, &hierarchies[i]);
		*bytes = left < *bytes ? left : *bytes;
	}
	return true;
}

/* Each level is a file or two, and all are read by one thread apart. */
bool facts_memory_left(uint64_t *bytes)
{
	static atomic_ullong asked;

	return recent_second(&asked) && apart_hidden(APART_NONE, memory_left, bytes);
}

static uint64_t pool_pages(uint64_t page, const char *file)
{
	char path[128] = "/sys/kernel/mm/hugepages/hugepages-";

	text_append_decimal(path, sizeof path, page / 1024);
	text_append(path, sizeof path, "kB/");
	text_append(path, sizeof path, file);
	return text_limit(path);
}

bool facts_huge_pages_free(uint64_t page, uint64_t *bytes)
{
	uint64_t free = pool_pages(page, "free_hugepages"), reserved = pool_pages(page, "resv_hugepages");

	if (free == UINT64_MAX || reserved == UINT64_MAX)
		return false;
	*bytes = (free > reserved ? free - reserved : 0) * page;
	return true;
}
