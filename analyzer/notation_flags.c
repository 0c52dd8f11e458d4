#include "analyzer/notation_flags.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "analyzer/memory.h"

struct flag {
	uint64_t bits;
	const char *name;
};

#define FLAG(name)                                                                                                     \
	{                                                                                                              \
		name, #name                                                                                            \
	}

/* Each ends with a row without name; what is made of several bits comes first. */
static const struct flag accesses[] = {FLAG(O_RDONLY), FLAG(O_WRONLY), FLAG(O_RDWR), FLAG(O_ACCMODE), {0, NULL}};
static const struct flag open_flags[] = {FLAG(O_TMPFILE), FLAG(O_SYNC),    FLAG(O_CREAT),     FLAG(O_EXCL),
					 FLAG(O_NOCTTY),  FLAG(O_TRUNC),   FLAG(O_APPEND),    FLAG(O_NONBLOCK),
					 FLAG(O_DSYNC),   FLAG(O_DIRECT),  FLAG(O_DIRECTORY), FLAG(O_NOFOLLOW),
					 FLAG(O_NOATIME), FLAG(O_CLOEXEC), FLAG(O_PATH),      {0, NULL}};
static const struct flag memfd_flags[] = {FLAG(MFD_CLOEXEC),        FLAG(MFD_ALLOW_SEALING), FLAG(MFD_HUGETLB),
					  {0x8, "MFD_NOEXEC_SEAL"}, {0x10, "MFD_EXEC"},      {0, NULL}};
static const struct flag map_flags[] = {
	FLAG(MAP_SHARED_VALIDATE), FLAG(MAP_SHARED), FLAG(MAP_PRIVATE),   FLAG(MAP_FIXED),
	FLAG(MAP_ANONYMOUS),       FLAG(MAP_LOCKED), FLAG(MAP_NORESERVE), FLAG(MAP_POPULATE),
	FLAG(MAP_NONBLOCK),        FLAG(MAP_STACK),  FLAG(MAP_HUGETLB),   FLAG(MAP_SYNC),
	FLAG(MAP_FIXED_NOREPLACE), {0, NULL}};
static const struct flag remap_flags[] = {FLAG(MREMAP_MAYMOVE), FLAG(MREMAP_FIXED), {4, "MREMAP_DONTUNMAP"}, {0, NULL}};
static const struct flag rename_flags[] = {
	{1, "RENAME_NOREPLACE"}, {2, "RENAME_EXCHANGE"}, {4, "RENAME_WHITEOUT"}, {0, NULL}};
static const struct flag lock_flags[] = {{1, "MLOCK_ONFAULT"}, {0, NULL}};
static const struct flag lock_all_flags[] = {FLAG(MCL_CURRENT), FLAG(MCL_FUTURE), {4, "MCL_ONFAULT"}, {0, NULL}};
static const struct flag bus_codes[] = {
	{1, "BUS_ADRALN"},          {2, "BUS_ADRERR"}, {3, "BUS_OBJERR"},   {4, "BUS_MCEERR_AR"},
	{5, "BUS_MCEERR_AO"},       {0, "SI_USER"},    {0x80, "SI_KERNEL"}, {(uint32_t)-1, "SI_QUEUE"},
	{(uint32_t)-6, "SI_TKILL"}, {0, NULL}};
enum { HUGE_SHIFT = 26, HUGE_MASK = 0x3f };
static const struct flag protection_flags[] = {FLAG(PROT_READ), FLAG(PROT_WRITE), FLAG(PROT_EXEC), {0, NULL}};
static const struct flag seal_flags[] = {FLAG(F_SEAL_SEAL),  FLAG(F_SEAL_SHRINK),           FLAG(F_SEAL_GROW),
					 FLAG(F_SEAL_WRITE), {0x10, "F_SEAL_FUTURE_WRITE"}, {0, NULL}};
static const struct flag allocate_flags[] = {FLAG(FALLOC_FL_KEEP_SIZE),    FLAG(FALLOC_FL_PUNCH_HOLE),
					     FLAG(FALLOC_FL_ZERO_RANGE),   FLAG(FALLOC_FL_COLLAPSE_RANGE),
					     FLAG(FALLOC_FL_INSERT_RANGE), {0, NULL}};
static const struct flag advices[] = {FLAG(MADV_NORMAL),   FLAG(MADV_RANDOM),     FLAG(MADV_SEQUENTIAL),
				      FLAG(MADV_WILLNEED), FLAG(MADV_DONTNEED),   FLAG(MADV_FREE),
				      FLAG(MADV_REMOVE),   FLAG(MADV_DONTFORK),   FLAG(MADV_DOFORK),
				      FLAG(MADV_HUGEPAGE), FLAG(MADV_NOHUGEPAGE), FLAG(MADV_DONTDUMP),
				      FLAG(MADV_DODUMP),   FLAG(MADV_WIPEONFORK), FLAG(MADV_KEEPONFORK),
				      FLAG(MADV_COLD),     FLAG(MADV_PAGEOUT),    {0, NULL}};

/* Only one of them holds, as for O_RDWR and advices. */
static const char *exactly(const struct flag *flags, uint64_t value)
{
	for (; flags->name; flags++)
		if (flags->bits == value)
			return flags->name;
	return NULL;
}

static void add(char **text, const char *separator, const char *more)
{
	char *whole = memory_format("%s%s%s", *text, **text ? separator : "", more);

	free(*text);
	*text = whole;
}

/* `none`: what no bit at all is called. */
static char *words_of(const struct flag *flags, uint64_t value, const char *none)
{
	char *text = memory_text("");

	for (; flags->name; flags++) {
		if (!flags->bits || (value & flags->bits) != flags->bits)
			continue;
		add(&text, "|", flags->name);
		value &= ~flags->bits;
	}
	if (value) {
		char *rest = memory_format("0x%" PRIx64, value);

		add(&text, "|", rest);
		free(rest);
	}
	if (!*text)
		add(&text, "", none);
	return text;
}

/* The kernel's O_LARGEFILE, which open64 adds. */
enum { LARGE_FILE = 0100000 };

/* The access is no flag, and always there. */
static char *open_words(uint64_t value)
{
	char *text = memory_text(exactly(accesses, value & O_ACCMODE));
	char *rest = words_of(open_flags, value & ~(uint64_t)(O_ACCMODE | LARGE_FILE), "");

	if (*rest)
		add(&text, "|", rest);
	free(rest);
	return text;
}

/* The size of a huge page, which is its exponent in the upper bits, as MFD_HUGE_2MB; what it is called is then no flag. */
static char *huge_size(const char *prefix, uint64_t huge, uint64_t *value)
{
	static const char *const units[] = {"", "KB", "MB", "GB"};
	uint64_t exponent = *value >> HUGE_SHIFT & HUGE_MASK;

	if (!(*value & huge) || exponent < 10 || exponent >= 40)
		return NULL;
	*value &= ~((uint64_t)HUGE_MASK << HUGE_SHIFT);
	return memory_format("%s_HUGE_%u%s", prefix, 1u << exponent % 10, units[exponent / 10]);
}

static char *huge_flags(const struct flag *flags, const char *prefix, uint64_t huge, uint64_t value)
{
	char *size = huge_size(prefix, huge, &value), *text = words_of(flags, value, "0");

	if (size)
		add(&text, "|", size);
	free(size);
	return text;
}

/* Only some of the calls with that event have flags, and the others none that are 0. */
static char *some_flags(const char *symbol, uint64_t value)
{
	if (!strcmp(symbol, "renameat2"))
		return words_of(rename_flags, value & ~(uint64_t)RENAME_ANOTHER, "0");
	if (!strncmp(symbol, "rename", 6))
		return NULL;
	if (!strcmp(symbol, "mlock2"))
		return words_of(lock_flags, value, "0");
	if (!strcmp(symbol, "mlockall"))
		return words_of(lock_all_flags, value, "0");
	return value ? memory_format("0x%" PRIx64, value) : NULL;
}

static char *own_flags(const struct trace_event *event, const char *symbol, uint64_t value)
{
	switch (event->id) {
	case EVENT_open:
		/* It takes those that it adds to what it opens with. */
		if (!strncmp(symbol, "mkostemp", 8))
			return words_of(open_flags, value & ~(uint64_t)(O_ACCMODE | O_CREAT | O_EXCL | LARGE_FILE),
					"0");
		return open_words(value);
	case EVENT_shm_open:
		return open_words(value);
	case EVENT_sem_open:
		return words_of(open_flags, value, "0");
	case EVENT_memfd_create:
		return huge_flags(memfd_flags, "MFD", MFD_HUGETLB, value);
	case EVENT_mmap:
		return huge_flags(map_flags, "MAP", MAP_HUGETLB, value);
	case EVENT_mremap:
		return words_of(remap_flags, value, "0");
	default:
		return some_flags(symbol, value);
	}
}

char *notation_flags(const struct trace_event *event, const char *symbol, const char *name, int64_t value)
{
	const char *word = NULL;

	if (!strcmp(name, "flags"))
		return own_flags(event, symbol, (uint32_t)value);
	if (!strcmp(name, "prot"))
		return words_of(protection_flags, (uint64_t)value, "PROT_NONE");
	if (!strcmp(name, "seals"))
		return words_of(seal_flags, (uint32_t)value, "0");
	if (!strcmp(name, "mode"))
		return event->id == EVENT_fallocate ? words_of(allocate_flags, (uint32_t)value, "0")
						    : memory_format("%#03o", (unsigned)value & 07777);
	if (!strcmp(name, "advice"))
		word = exactly(advices, (uint64_t)value);
	return word ? memory_text(word) : memory_format("%" PRId64, value);
}

char *notation_flags_code(uint32_t code)
{
	const char *word = exactly(bus_codes, code);

	return word ? memory_text(word) : memory_format("%d", (int)code);
}
