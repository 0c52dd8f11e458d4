#include "preload/module.h"

#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/kernel.h"
#include "preload/module_watch.h"
#include "preload/process.h"
#include "preload/text.h"

enum { MODULES = 2048, PAST = 64, BUILD_ID_BYTES = 32 };

struct module {
	uint64_t base, size;
	uint64_t make; /* hash of path and build-id */
	bool seen;
};

static struct module known[MODULES], past[PAST]; /* past: the last ones that went */
static unsigned known_count, past_count;
static atomic_ullong adds_told, subs_told, state_told;

struct walk {
	void (*came)(const struct module_event *);
	unsigned long long adds, subs;
	bool reused;
};

static int read_counters(struct dl_phdr_info *info, size_t size, void *context)
{
	struct walk *walk = context;
	(void)size;
	walk->adds = info->dlpi_adds;
	walk->subs = info->dlpi_subs;
	return 1;
}

bool module_changed(void)
{
	struct walk walk = {0};

	if (__builtin_expect(module_watch_works(), true))
		return module_watch_state() != atomic_load_explicit(&state_told, memory_order_relaxed);
	dl_iterate_phdr(read_counters, &walk);
	return walk.adds != atomic_load_explicit(&adds_told, memory_order_relaxed) ||
	       walk.subs != atomic_load_explicit(&subs_told, memory_order_relaxed);
}

static uint64_t span(const struct dl_phdr_info *info)
{
	uint64_t end = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type == PT_LOAD && header->p_vaddr + header->p_memsz > end)
			end = header->p_vaddr + header->p_memsz;
	}
	return end;
}

/* Notes are padded to 4 bytes, in segments aligned to 8 to 8 bytes (gABI; binutils writes both). */
static void find_build_id(const struct dl_phdr_info *info, char text[static 2 * BUILD_ID_BYTES + 1])
{
	static const char digits[] = "0123456789abcdef";

	text[0] = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_NOTE)
			continue;
		size_t align = header->p_align == 8 ? 8 : 4;
		const char *at = (const char *)(info->dlpi_addr + header->p_vaddr), *end = at + header->p_memsz;
		while ((size_t)(end - at) >= sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *note = (const void *)at;
			size_t name = (sizeof *note + note->n_namesz + align - 1) & -align;
			size_t total = (name + note->n_descsz + align - 1) & -align;
			if (total > (size_t)(end - at))
				break;
			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && !memcmp(note + 1, "GNU", 4) &&
			    note->n_descsz <= BUILD_ID_BYTES) {
				for (unsigned k = 0; k < note->n_descsz; k++) {
					unsigned char byte = (unsigned char)at[name + k];
					*text++ = digits[byte >> 4];
					*text++ = digits[byte & 15];
				}
				*text = 0;
				return;
			}
			at += total;
		}
	}
}

static struct module *find_known(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < known_count; i++)
		if (known[i].base == base && known[i].size == size)
			return &known[i];
	return NULL;
}

static bool comes_after_another(const struct module *module)
{
	for (unsigned i = 0; i < PAST; i++)
		if (past[i].make != module->make && past[i].base < module->base + module->size &&
		    module->base < past[i].base + past[i].size)
			return true;
	return false;
}

/* Of what it is made; another file may be as large, and be loaded where one was unloaded. */
static uint64_t make_of(const char *path, const char *build_id)
{
	uint64_t hash = 14695981039346656037u;

	for (const char *at = path; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	for (const char *at = build_id; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	return hash;
}

static const char *path_of(const struct dl_phdr_info *info)
{
	return info->dlpi_name ? info->dlpi_name : "";
}

/* The loader leaves the executable's name empty, and one that was given to dlopen(3) as it was given. */
static const char *whole_path(const char *path, char whole[static 4096])
{
	if (!*path)
		path = process_program();
	if (*path == '/' || !strchr(path, '/') || kernel_call(SYS_getcwd, (long)whole, 4096, 0, 0, 0, 0) <= 0)
		return path;
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	return text_append(whole, 4096, "/") && text_append(whole, 4096, path) ? whole : path;
}

static int mark(struct dl_phdr_info *info, size_t size, void *context)
{
	char build_id[2 * BUILD_ID_BYTES + 1];
	struct module *module = find_known(info->dlpi_addr, span(info));

	(void)size;
	(void)context;
	if (!module)
		return 0;
	find_build_id(info, build_id);
	module->seen = module->make == make_of(path_of(info), build_id);
	return 0;
}

static int add(struct dl_phdr_info *info, size_t size, void *context)
{
	struct walk *walk = context;
	char build_id[2 * BUILD_ID_BYTES + 1], whole[4096];
	uint64_t bytes = span(info);
	const char *path = path_of(info);

	read_counters(info, size, context);
	if (find_known(info->dlpi_addr, bytes) || known_count == MODULES)
		return 0;
	find_build_id(info, build_id);
	known[known_count++] =
		(struct module){.base = info->dlpi_addr, .size = bytes, .make = make_of(path, build_id), .seen = true};
	walk->reused |= comes_after_another(&known[known_count - 1]);
	path = whole_path(path, whole);
	walk->came(&(struct module_event){.base = info->dlpi_addr, .size = bytes, .build_id = build_id, .path = path});
	return 0;
}

bool module_tell(void (*came)(const struct module_event *), void (*gone)(const struct module_gone_event *))
{
	struct walk walk = {.came = came};
	unsigned long long state = module_watch_works() ? module_watch_state() : 0;

	for (unsigned i = 0; i < known_count; i++)
		known[i].seen = false;
	dl_iterate_phdr(mark, NULL);
	for (unsigned i = 0; i < known_count;) {
		if (known[i].seen) {
			i++;
			continue;
		}
		gone(&(struct module_gone_event){.base = known[i].base});
		past[past_count++ % PAST] = known[i];
		known[i] = known[--known_count];
	}
	dl_iterate_phdr(add, &walk);
	atomic_store(&adds_told, walk.adds);
	atomic_store(&subs_told, walk.subs);
	atomic_store(&state_told, state);
	return walk.reused;
}
