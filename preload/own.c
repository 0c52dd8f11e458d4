#include "preload/own.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "preload/above.h"
#include "preload/gate.h"
#include "preload/kernel.h"
#include "preload/own_symbol.h"
#include "preload/page.h"
#include "preload/signals.h"

/* Names of the libraries that a recording brings into the process. */
#define TRACER "liblttng-ust"
#define UNWINDER "libunwind"
static const char *const library_names[] = {TRACER, UNWINDER, "libshmguard-tracepoints"};

/* The top of the range, but not so high that the kernel's table for it costs megabytes. */
enum { LIBRARIES = 16, FD_TOP = 4096, FD_MAP = 65536 };

static uint64_t text_start, text_end;
static const char *path = "";
static _Atomic(struct link_map *) libraries[LIBRARIES];
__thread bool own_thread; /* what it does is a library of ours doing it, by whatever way it comes to us */
static struct {
	uint64_t start, end;
} ranges[LIBRARIES]; /* of them, once all are loaded: none is ever unloaded */
static unsigned range_count;
static bool tracer_forks;
static atomic_bool loading, loaded;
static atomic_ulong hidden[FD_MAP / 64];
static atomic_int hidden_end; /* none from here on ever was */

void own_initialise(void)
{
	struct dl_find_object found;
	static char full[4096];

	if (_dl_find_object((void *)own_initialise, &found) != 0)
		return;
	text_start = (uint64_t)found.dlfo_map_start;
	text_end = (uint64_t)found.dlfo_map_end;
	path = found.dlfo_link_map->l_name;
	/* A relative LD_PRELOAD would be lost by a chdir. */
	if (path[0] != '/' && kernel_call(SYS_getcwd, (long)full, sizeof full, 0, 0, 0, 0) > 0 &&
	    strlen(full) + strlen(path) + 2 < sizeof full)
		path = strcat(strcat(full, "/"), path);
}

const char *own_path(void)
{
	return path;
}

bool own_text(uint64_t address)
{
	return address >= text_start && address < text_end;
}

static bool is_named(const struct link_map *map, const char *beginning)
{
	const char *slash = strrchr(map->l_name, '/');

	return strncmp(slash ? slash + 1 : map->l_name, beginning, strlen(beginning)) == 0;
}

static bool is_library(const struct link_map *map)
{
	for (size_t i = 0; i < sizeof library_names / sizeof *library_names; i++)
		if (is_named(map, library_names[i]))
			return true;
	return false;
}

static void remember(struct link_map *map)
{
	for (int i = 0; i < LIBRARIES; i++) {
		struct link_map *empty = NULL;
		if (atomic_compare_exchange_strong(&libraries[i], &empty, map) || empty == map)
			break;
	}
}

/*
 * When the process ends LTTng is not to free, one by one, what the kernel frees anyway: it would take longer than a fork, as
 * in a child each page of it is copied first; it would cancel its threads, in whose place a child has its own; and its system
 * calls may be those for which a filter kills. The loader has made the table read-only.
 */
static void forget_destructors(const struct dl_phdr_info *info, const struct link_map *map)
{
	ElfW(Dyn) *entry = map->l_ld;
	bool read_only = false;

	while (entry->d_tag != DT_FINI_ARRAYSZ && entry->d_tag != DT_NULL)
		entry++;
	long page = (long)((uintptr_t)entry & -page_size()), size = (long)page_size();
	for (int i = 0; i < info->dlpi_phnum; i++)
		read_only |=
			info->dlpi_phdr[i].p_type == PT_GNU_RELRO &&
			(uintptr_t)entry - (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) < info->dlpi_phdr[i].p_memsz;
	if (entry->d_tag == DT_NULL ||
	    (read_only && kernel_call(SYS_mprotect, page, size, PROT_READ | PROT_WRITE, 0, 0, 0) != 0))
		return;
	entry->d_un.d_val = 0;
	if (read_only)
		kernel_call(SYS_mprotect, page, size, PROT_READ, 0, 0, 0);
}

static void remember_range(const struct dl_find_object *library)
{
	uint64_t start = (uint64_t)library->dlfo_map_start;

	for (unsigned i = 0; i < range_count; i++)
		if (ranges[i].start == start)
			return;
	if (range_count == LIBRARIES)
		return;
	ranges[range_count].start = start;
	ranges[range_count++].end = (uint64_t)library->dlfo_map_end;
}

static int remember_all(struct dl_phdr_info *info, size_t size, void *recorded)
{
	struct dl_find_object found;
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD)
			continue;
		if (_dl_find_object((void *)(info->dlpi_addr + header->p_vaddr), &found) == 0 &&
		    is_library(found.dlfo_link_map)) {
			remember_range(&found);
			tracer_forks = tracer_forks || is_named(found.dlfo_link_map, "liblttng-ust-fork");
			if (recorded && !is_named(found.dlfo_link_map, UNWINDER))
				forget_destructors(info, found.dlfo_link_map);
		}
		break;
	}
	return 0;
}

/* The program itself; NULL: nothing is known of us. */
static const struct link_map *first_map(void)
{
	struct dl_find_object us;

	if (_dl_find_object((void *)own_initialise, &us) != 0)
		return NULL;
	const struct link_map *map = us.dlfo_link_map;
	while (map->l_prev)
		map = map->l_prev;
	return map;
}

bool own_program_prepares(void)
{
	const struct link_map *program = first_map();

	return program && own_symbol_entry(program->l_ld, DT_PREINIT_ARRAYSZ);
}

bool own_find_tracer(void)
{
	const struct link_map *map = first_map();

	while (map && !is_named(map, TRACER))
		map = map->l_next;
	if (!map)
		return false;
	dl_iterate_phdr(remember_all, NULL);
	atomic_store(&loaded, true);
	return true;
}

bool own_tracer_forks(void)
{
	return tracer_forks;
}

bool own_at_work(bool now)
{
	bool before = own_thread;

	own_thread = now;
	return before;
}

void own_loading(bool now)
{
	own_at_work(now);
	atomic_store(&loaded, true);
	if (!now)
		dl_iterate_phdr(remember_all, &range_count);
	atomic_store(&loading, now);
}

/* The threads and constructors of a library that is being loaded call before dlopen(3) returns. */
static bool being_loaded(const void *address)
{
	struct dl_find_object found;

	if (_dl_find_object((void *)(uintptr_t)address, &found) != 0)
		return false;
	for (int i = 0; i < LIBRARIES; i++) {
		struct link_map *map = atomic_load_explicit(&libraries[i], memory_order_relaxed);
		if (!map)
			break;
		if (map == found.dlfo_link_map)
			return true;
	}
	if (!is_library(found.dlfo_link_map))
		return false;
	remember(found.dlfo_link_map);
	return true;
}

bool own_caller(const void *address)
{
	uint64_t at = (uint64_t)(uintptr_t)address;

	if (!atomic_load_explicit(&loaded, memory_order_relaxed))
		return false;
	if (__builtin_expect(own_thread, false))
		return true;
	if (__builtin_expect(atomic_load_explicit(&loading, memory_order_acquire), false))
		return being_loaded(address);
	for (unsigned i = 0; i < range_count; i++)
		if (at >= ranges[i].start && at < ranges[i].end)
			return true;
	return false;
}

static void mark(int fd, bool ours)
{
	int end = atomic_load(&hidden_end);

	if (fd < 0 || fd >= FD_MAP)
		return;
	unsigned long bit = 1ul << fd % 64;
	while (ours && fd >= end && !atomic_compare_exchange_weak(&hidden_end, &end, fd + 1))
		;
	if (ours)
		atomic_fetch_or(&hidden[fd / 64], bit);
	else
		atomic_fetch_and(&hidden[fd / 64], ~bit);
}

/* A quarter of it: LTTng has two descriptors for each processor, channel and session; half where there are so few. */
static long duplicate_at_top(int fd)
{
	struct rlimit limit;
	long top = FD_TOP;

	if (kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0) == 0 && limit.rlim_cur < FD_TOP)
		top = (long)limit.rlim_cur;
	long made = kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, top - top / 4, 0, 0, 0);
	return made == -EMFILE ? kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, top - top / 2, 0, 0, 0) : made;
}

int own_fd_hide(int fd)
{
	if (fd < 0)
		return fd;
	long moved = above_duplicate(fd);
	if (moved < 0 && moved != -EBADF)
		moved = duplicate_at_top(fd);
	/* The program closed it in the moment before. */
	if (moved == -EBADF)
		return fd;
	if (moved >= 0) {
		kernel_close(fd);
		fd = (int)moved;
	}
	mark(fd, true);
	return fd;
}

bool own_fd(int fd)
{
	return fd >= 0 && fd < FD_MAP && atomic_load_explicit(&hidden[fd / 64], memory_order_relaxed) >> fd % 64 & 1;
}

void own_fd_forget(int fd)
{
	mark(fd, false);
}

enum { PATIENCE = 400 };

/* Inside are those that close descriptors; alone, a library of ours that makes or closes some. */
static struct gate closing;
static uint64_t signals_of_changing;

bool own_changing(const void *caller)
{
	if (!own_caller(caller))
		return false;
	uint64_t signals = signals_block_these(UINT64_MAX);
	if (gate_claim(&closing, PATIENCE)) {
		signals_of_changing = signals;
		return true;
	}
	signals_restore(signals);
	return false;
}

void own_changed(bool changing)
{
	if (!changing)
		return;
	uint64_t signals = signals_of_changing;
	gate_clear(&closing);
	signals_restore(signals);
}

bool own_closing(void)
{
	if (__builtin_expect(!atomic_load_explicit(&loaded, memory_order_relaxed), true))
		return false;
	return gate_enter(&closing, PATIENCE);
}

void own_closed(bool was_closing)
{
	if (was_closing)
		gate_leave(&closing);
}

void own_fork_reset(void)
{
	gate_clear(&closing);
	above_fork_reset();
}

int own_fd_next(unsigned first, unsigned last)
{
	unsigned end = (unsigned)atomic_load_explicit(&hidden_end, memory_order_relaxed);

	for (unsigned fd = first; fd <= last && fd < end; fd++) {
		if (!atomic_load_explicit(&hidden[fd / 64], memory_order_relaxed))
			fd |= 63;
		else if (own_fd((int)fd))
			return (int)fd;
	}
	return -1;
}
