#include "preload/own_load.h"

#include <dlfcn.h>
#include <link.h>

#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/own_symbol.h"
#include "preload/page.h"
#include "preload/real.h"

static bool is_the_programs(const char *name)
{
	struct dl_find_object found;

	return _dl_find_object(LIBC(dlsym)(RTLD_DEFAULT, name), &found) == 0 && !found.dlfo_link_map->l_prev;
}

/*
 * Where gcc has linked it into the program that shows of it what libraries have as well: functions that sanitizers alone stand
 * for, and of these the one that knows of locks.
 */
bool own_load_thread_sanitized(void)
{
	return LIBC(dlsym)(RTLD_DEFAULT, "__tsan_init") ||
	       (is_the_programs("__tls_get_addr") && is_the_programs("pthread_mutex_trylock"));
}

bool own_load_sanitized(void)
{
	static const char *const beginnings[] = {"__asan_init", "__hwasan_init", "__msan_init", "__lsan_init"};
	static bool known, sanitized;

	if (known)
		return sanitized;
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		sanitized = sanitized || LIBC(dlsym)(RTLD_DEFAULT, beginnings[i]);
	sanitized = sanitized || own_load_thread_sanitized();
	known = true;
	return sanitized;
}

void *own_load_function(const char *name)
{
	return own_load_sanitized() ? LIBC(dlsym)(RTLD_DEFAULT, name) : own_symbol_of_libc(name);
}

static void *find_open(void)
{
	return LIBC(dlsym)(own_load_sanitized() ? RTLD_DEFAULT : RTLD_NEXT, "dlopen");
}

bool own_load_passes_others(void)
{
	return !own_load_sanitized() && find_open() != own_symbol_of_libc("dlopen");
}

/*
 * First in itself and what it needs, of which we are the first and libc is one, and then in the program. A sanitizer must know
 * of every thread and lock, and refuses to let a library pass by it. *new, if asked for: it is to go past the program.
 */
static void *load(const char *file, bool *new)
{
	enum { MODE = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE };
	void *(*open)(const char *, int);

	/* Whoever stands between us and libc has his say. */
	*(void **)&open = find_open();
	if (own_load_sanitized())
		return open(file, MODE);
	if (new)
		*new = !open(file, RTLD_LAZY | RTLD_NOLOAD);
	return open(file, MODE | RTLD_DEEPBIND);
}

void *own_load(const char *name)
{
	char file[4096 + 64];
	const char *us = own_path(), *slash = strrchr(us, '/');
	size_t directory = slash ? (size_t)(slash - us) + 1 : 0;

	if (directory + strlen(name) >= sizeof file)
		return NULL;
	memcpy(file, us, directory);
	strcpy(file + directory, name);
	return load(file, NULL);
}

#if defined(__x86_64__)
static bool is_address(ElfW(Xword) type)
{
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
}
#elif defined(__aarch64__)
static bool is_address(ElfW(Xword) type)
{
	return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
}
#endif

static const void *loaded_table(const struct link_map *map, ElfW(Sxword) tag)
{
	return own_symbol_table(map->l_addr, map->l_ld, tag);
}

static void rebind_each(const struct link_map *map, const ElfW(Rela) * at, size_t bytes)
{
	const ElfW(Sym) *symbols = loaded_table(map, DT_SYMTAB);
	const char *texts = loaded_table(map, DT_STRTAB);

	for (const ElfW(Rela) *end = at + (at ? bytes / sizeof *at : 0); at < end; at++) {
		const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(at->r_info)];
		void *wrapper = is_address(ELF64_R_TYPE(at->r_info)) && symbol->st_shndx == SHN_UNDEF
					? own_symbol(texts + symbol->st_name)
					: NULL;
		if (wrapper)
			*(void **)(map->l_addr + at->r_offset) = wrapper;
	}
}

/* The pages that the loader has made read-only. */
static uintptr_t read_only(const struct link_map *map, size_t *bytes)
{
	struct dl_find_object found;

	*bytes = 0;
	if (_dl_find_object(map->l_ld, &found) != 0)
		return 0;
	const ElfW(Ehdr) *image = found.dlfo_map_start;
	const ElfW(Phdr) *headers = (const void *)((const char *)image + image->e_phoff);
	for (int i = 0; i < image->e_phnum; i++)
		if (headers[i].p_type == PT_GNU_RELRO) {
			uintptr_t start = (map->l_addr + headers[i].p_vaddr) & -page_size();
			uintptr_t end = (map->l_addr + headers[i].p_vaddr + headers[i].p_memsz) & -page_size();
			*bytes = end - start;
			return start;
		}
	return 0;
}

/* What it calls of what we wrap is to pass through our wrappers: its descriptors are none of the program's. */
static void rebind(const struct link_map *map)
{
	size_t bytes;
	uintptr_t start = read_only(map, &bytes);

	if (bytes && kernel_call(SYS_mprotect, (long)start, (long)bytes, PROT_READ | PROT_WRITE, 0, 0, 0) != 0)
		return;
	rebind_each(map, loaded_table(map, DT_JMPREL), own_symbol_entry(map->l_ld, DT_PLTRELSZ));
	rebind_each(map, loaded_table(map, DT_RELA), own_symbol_entry(map->l_ld, DT_RELASZ));
	if (bytes)
		kernel_call(SYS_mprotect, (long)start, (long)bytes, PROT_READ, 0, 0, 0);
}

void *own_load_foreign(const char *name)
{
	bool new = false;
	void *library = load(name, &new);

	if (library && new)
		rebind(library);
	return library;
}

const char *own_load_error(void)
{
	const char *(*error)(void);

	/* To ask dlsym(3) for it would be to wait for the loader. */
	*(void **)&error = own_symbol_of_libc("dlerror");
	return error();
}
