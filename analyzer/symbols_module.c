#include "analyzer/symbols_module.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/memory.h"
#include "analyzer/symbols_dwarf.h"
#include "analyzer/symbols_name.h"
#include "analyzer/symbols_ranges.h"

#define DEBUG_ROOT "/usr/lib/debug"

struct symbols_file {
	int fd;
	Elf *elf;
};

struct symbols_module {
	struct symbols_file file, debug; /* the module itself; its separate debug file */
	struct symbols_dwarf *dwarf;
	struct symbols_ranges functions; /* what: the address of the name, in the ELF file's string table */
	struct symbols_ranges own;       /* the same without the debug file, where there is one */
	const char *why;                 /* an address has no name, because */
};

static void symbols_file_close(struct symbols_file *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct symbols_file){.fd = -1};
}

static bool symbols_file_is(Elf *elf, const char *build_id)
{
	char text[2 * 64 + 1] = "";
	const void *bytes;
	ssize_t i, size = dwelf_elf_gnu_build_id(elf, &bytes);

	if (size > 64)
		return false;
	for (i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", ((const unsigned char *)bytes)[i]);
	return !strcmp(text, build_id);
}

/* Returns NULL, or why the file cannot be used. The path comes from a trace: it may name a device or a pipe. */
static const char *symbols_file_open(struct symbols_file *file, const char *path, const char *build_id)
{
	const char *why = NULL;
	struct stat status;

	file->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file->fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? "the file is not on this machine"
							   : "the file could not be opened";
	if (fstat(file->fd, &status) || !S_ISREG(status.st_mode))
		why = "not a regular file";
	else
		file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (!why && elf_kind(file->elf) != ELF_K_ELF)
		why = "not an ELF file";
	if (!why && !symbols_file_is(file->elf, build_id))
		why = "the file now has another build-id than the one recorded";
	if (why)
		symbols_file_close(file);
	return why;
}

static bool symbols_module_open_debug_by_id(struct symbols_module *module, const char *build_id)
{
	char path[PATH_MAX];

	/* The id becomes part of a path, and it came from a trace. */
	if (strlen(build_id) < 8 || strspn(build_id, "0123456789abcdef") != strlen(build_id))
		return false;
	if (snprintf(path, sizeof(path), DEBUG_ROOT "/.build-id/%.2s/%s.debug", build_id, build_id + 2) >= PATH_MAX)
		return false;
	return !symbols_file_open(&module->debug, path, build_id);
}

static bool symbols_module_open_debug_by_link(struct symbols_module *module, const char *path, const char *build_id)
{
	static const struct {
		const char *root, *folder;
	} places[] = {{"", "/"}, {"", "/.debug/"}, {DEBUG_ROOT, "/"}};
	const char *slash = strrchr(path, '/'), *name;
	GElf_Word checksum;
	size_t i;

	/* Without a build-id nothing proves that the file found belongs to this one. */
	if (!slash || !*build_id || !module->file.elf)
		return false;
	name = dwelf_elf_gnu_debuglink(module->file.elf, &checksum);
	if (!name || strchr(name, '/'))
		return false;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *candidate =
			memory_format("%s%.*s%s%s", places[i].root, (int)(slash - path), path, places[i].folder, name);
		const char *why;

		why = strcmp(candidate, path) ? symbols_file_open(&module->debug, candidate, build_id) : "itself";
		free(candidate);
		if (!why)
			return true;
	}
	return false;
}

/* Adds the functions of the first table of this type; false if there are none. */
static bool symbols_add_table(struct symbols_ranges *functions, Elf *elf, GElf_Word type)
{
	size_t before = functions->count;
	Elf_Scn *section = NULL;

	while (elf && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		GElf_Sym symbol;
		Elf_Data *data;
		int i;

		if (!gelf_getshdr(section, &header) || header.sh_type != type || !header.sh_entsize)
			continue;
		data = elf_getdata(section, NULL);
		for (i = 0; data && gelf_getsym(data, i, &symbol); i++) {
			const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
			int kind = GELF_ST_TYPE(symbol.st_info);

			if (!name || !*name || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE)
				continue;
			if (kind != STT_FUNC && kind != STT_GNU_IFUNC)
				continue;
			/* One without a size would claim whatever follows it; such a range is empty and not added. */
			symbols_ranges_add(functions, symbol.st_value, symbol.st_value + symbol.st_size,
					   (uintptr_t)name);
		}
	}
	return functions->count > before;
}

struct symbols_module *symbols_module_open(const char *path, const char *build_id)
{
	struct symbols_module *module = memory_new(1, sizeof(*module));
	const char *why;

	elf_version(EV_CURRENT);
	module->file.fd = module->debug.fd = -1;
	why = *path == '/' ? symbols_file_open(&module->file, path, build_id) : "the module has no file";
	if (module->file.elf)
		module->dwarf = symbols_dwarf_open(module->file.elf);
	if (!module->dwarf && (symbols_module_open_debug_by_id(module, build_id) ||
			       symbols_module_open_debug_by_link(module, path, build_id)))
		module->dwarf = symbols_dwarf_open(module->debug.elf);
	if (!symbols_add_table(&module->functions, module->file.elf, SHT_SYMTAB) &&
	    !symbols_add_table(&module->functions, module->debug.elf, SHT_SYMTAB) &&
	    symbols_add_table(&module->functions, module->file.elf, SHT_DYNSYM) && !module->dwarf)
		why = "stripped: only the functions it exports have names";
	symbols_ranges_sort(&module->functions);
	if (module->debug.elf && !symbols_add_table(&module->own, module->file.elf, SHT_SYMTAB))
		symbols_add_table(&module->own, module->file.elf, SHT_DYNSYM);
	symbols_ranges_sort(&module->own);
	if (!module->dwarf && !module->functions.count && !why)
		why = "stripped: the file has no symbols";
	module->why = why ? why : "no symbol covers this address";
	return module;
}

void symbols_module_close(struct symbols_module *module)
{
	if (!module)
		return;
	symbols_dwarf_close(module->dwarf);
	symbols_ranges_free(&module->functions);
	symbols_ranges_free(&module->own);
	symbols_file_close(&module->debug);
	symbols_file_close(&module->file);
	free(module);
}

/*
 * One name for one function, whether debug information is there or the symbol table alone; fingerprints go on by the name
 * that each of them has.
 */
static void symbols_module_call(struct symbols_frame *frame, const char *raw)
{
	const char *known = frame->function;
	char *name = known ? symbols_name_of(raw, known) : symbols_name(raw);

	if (!name)
		return;
	frame->own = known ? known : symbols_name_whole(raw);
	frame->function = name;
	if (strcmp(frame->own, name) != 0)
		return;
	free((char *)frame->own);
	frame->own = NULL;
}

void symbols_module_look_up(struct symbols_module *module, uint64_t address, struct symbols_answer *symbol)
{
	const struct symbols_range *function = symbols_ranges_find(&module->functions, address);
	struct symbols_frame *last;

	*symbol = (struct symbols_answer){0};
	if (module->dwarf)
		symbol->count = symbols_dwarf_look_up(module->dwarf, address, &symbol->frames);
	if (!symbol->count && !function) {
		symbol->why = module->why;
		return;
	}
	if (!symbol->count) {
		symbol->frames = memory_new(1, sizeof(*symbol->frames));
		symbol->count = 1;
	}
	last = &symbol->frames[symbol->count - 1];
	if (function)
		symbols_module_call(last, (const char *)(uintptr_t)function->what);
	if (!last->line && function)
		last->into = address - function->low;
	for (size_t i = 0; module->debug.elf && i < symbol->count; i++)
		symbol->frames[i].borrowed = true;
	if (!module->debug.elf)
		return;
	free((char *)last->own);
	function = symbols_ranges_find(&module->own, address);
	last->own = function ? symbols_name_whole((const char *)(uintptr_t)function->what) : NULL;
}
