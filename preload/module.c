#include "preload/module.h"

#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/kernel.h"

enum { MODULES = 2048, BUILD_ID_BYTES = 32 };

struct module {
	uint64_t base, size;
	bool seen;
};

static struct module known[MODULES];
static unsigned known_count;
static atomic_ullong adds_told, subs_told;

struct walk {
	void (*came)(const struct module_event *);
	unsigned long long adds, subs;
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

static int visit(struct dl_phdr_info *info, size_t size, void *context)
{
	struct walk *walk = context;
	char build_id[2 * BUILD_ID_BYTES + 1], exe[4096];
	uint64_t bytes = span(info);
	struct module *module = find_known(info->dlpi_addr, bytes);

	read_counters(info, size, context);
	if (module) {
		module->seen = true;
		return 0;
	}
	if (known_count == MODULES)
		return 0;
	known[known_count++] = (struct module){.base = info->dlpi_addr, .size = bytes, .seen = true};
	find_build_id(info, build_id);
	const char *path = info->dlpi_name ? info->dlpi_name : "";
	/* The loader leaves the executable's name empty. */
	if (!*path) {
		long length = kernel_readlink("/proc/self/exe", exe, sizeof exe - 1);
		exe[length > 0 ? length : 0] = 0;
		path = exe;
	}
	walk->came(&(struct module_event){.base = info->dlpi_addr, .size = bytes, .build_id = build_id, .path = path});
	return 0;
}

void module_tell(void (*came)(const struct module_event *), void (*gone)(const struct module_gone_event *))
{
	struct walk walk = {.came = came};

	for (unsigned i = 0; i < known_count; i++)
		known[i].seen = false;
	dl_iterate_phdr(visit, &walk);
	for (unsigned i = 0; i < known_count;) {
		if (known[i].seen) {
			i++;
			continue;
		}
		gone(&(struct module_gone_event){.base = known[i].base});
		known[i] = known[--known_count];
	}
	atomic_store(&adds_told, walk.adds);
	atomic_store(&subs_told, walk.subs);
}
