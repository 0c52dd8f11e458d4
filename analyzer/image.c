#include "analyzer/image.h"

#include <gelf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/memory.h"

/* Our own header, as the linker places it: /proc may be missing. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* The runtime's library, and what it defines, also where it is linked in statically. */
static const struct {
	const char *name, *library, *clang_library, *symbol;
} sanitizers[] = {
	{"AddressSanitizer", "libasan.so", "libclang_rt.asan", "__asan_init"},
	{"HWAddressSanitizer", "libhwasan.so", "libclang_rt.hwasan", "__hwasan_init"},
	{"ThreadSanitizer", "libtsan.so", "libclang_rt.tsan", "__tsan_init"},
	{"MemorySanitizer", "libmsan.so", "libclang_rt.msan", "__msan_init"},
	{"LeakSanitizer", "liblsan.so", "libclang_rt.lsan", "__lsan_init"},
	{"UndefinedBehaviorSanitizer", "libubsan.so", "libclang_rt.ubsan", "__ubsan_handle_add_overflow"},
};

#define SANITIZERS (sizeof(sanitizers) / sizeof(sanitizers[0]))

static const struct {
	GElf_Half machine;
	const char *name;
} machines[] = {{EM_X86_64, "x86-64"}, {EM_386, "i386"},      {EM_AARCH64, "aarch64"}, {EM_ARM, "arm"},
		{EM_RISCV, "RISC-V"},  {EM_PPC64, "PowerPC"}, {EM_S390, "s390"}};

static void image_machine(struct image *image, const GElf_Ehdr *header)
{
	image->bits = header->e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64;
	image->own = header->e_machine == __ehdr_start.e_machine &&
		     header->e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS];
	if (__builtin_add_overflow(header->e_phoff, (uint64_t)header->e_phnum * header->e_phentsize,
				   &image->headers_end))
		image->headers_end = UINT64_MAX;
	image->machine = "another machine";
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == header->e_machine)
			image->machine = machines[i].name;
}

/* False: a header lies beyond the end of the file. */
static bool image_segments(struct image *image, Elf *elf, int fd)
{
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		ssize_t got;

		if (!gelf_getphdr(elf, (int)i, &segment))
			return false;
		if (segment.p_type != PT_INTERP)
			continue;
		got = pread(fd, image->loader,
			    segment.p_filesz < sizeof(image->loader) ? segment.p_filesz : sizeof(image->loader) - 1,
			    (off_t)segment.p_offset);
		if (got <= 0)
			return false;
		image->loader[got] = '\0';
		image->loaded = true;
	}
	return count > 0;
}

static void image_libraries(struct image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *name = entry.d_tag == DT_NEEDED || entry.d_tag == DT_SONAME
					   ? elf_strptr(elf, header->sh_link, entry.d_un.d_val)
					   : NULL;

		if (!name)
			continue;
		if (entry.d_tag == DT_SONAME) {
			free(image->soname);
			image->soname = memory_text(name);
			continue;
		}
		image->needed = memory_grow(image->needed, image->needed_count, sizeof(char *));
		image->needed[image->needed_count++] = memory_text(name);
	}
}

/* Of what several runtimes define, the first in the table says whose it is. */
static void image_symbols(struct image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header, size_t *sanitizer)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;

	for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);

		if (name && symbol.st_shndx != SHN_UNDEF && !strcmp(name, "__asan_default_options"))
			image->asan_options = true;
		for (size_t j = 0; name && j < *sanitizer; j++)
			if (symbol.st_shndx != SHN_UNDEF && !strcmp(name, sanitizers[j].symbol))
				*sanitizer = j;
	}
}

static void image_sections(struct image *image, Elf *elf)
{
	size_t sanitizer = SANITIZERS;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == SHT_DYNAMIC)
			image_libraries(image, elf, section, &header);
		if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
			image_symbols(image, elf, section, &header, &sanitizer);
	}
	if (sanitizer < SANITIZERS)
		image->sanitizer = sanitizers[sanitizer].name;
}

static struct image image_of(int fd, bool sections)
{
	struct image image = {0};
	char magic[SELFMAG];
	GElf_Ehdr header;
	Elf *elf;

	if (pread(fd, magic, SELFMAG, 0) != SELFMAG || memcmp(magic, ELFMAG, SELFMAG) != 0)
		return image;
	image.elf = true;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && gelf_getehdr(elf, &header)) {
		image_machine(&image, &header);
		image.whole = image_segments(&image, elf, fd);
		if (sections)
			image_sections(&image, elf);
	}
	elf_end(elf);
	return image;
}

struct image image_headers(int fd)
{
	return image_of(fd, false);
}

struct image image_read(int fd)
{
	struct image image = image_of(fd, true);

	for (size_t i = 0; i < SANITIZERS; i++)
		if (image_needs(&image, sanitizers[i].library) || image_needs(&image, sanitizers[i].clang_library)) {
			image.sanitizer = sanitizers[i].name;
			image.sanitizer_shared = true;
			break;
		}
	return image;
}

static int image_own(struct dl_phdr_info *info, size_t size, void *loader)
{
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)loader = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	/* The first is the program. */
	return 1;
}

const char *image_own_loader(void)
{
	const char *loader = "";

	dl_iterate_phdr(image_own, &loader);
	return loader;
}

void image_free(struct image *image)
{
	for (size_t i = 0; i < image->needed_count; i++)
		free(image->needed[i]);
	free(image->needed);
	free(image->soname);
	*image = (struct image){0};
}

bool image_needs(const struct image *image, const char *name)
{
	for (size_t i = 0; i < image->needed_count; i++)
		if (!strncmp(image->needed[i], name, strlen(name)))
			return true;
	return false;
}
