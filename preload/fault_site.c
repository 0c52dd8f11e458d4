#include "preload/fault_site.h"

#include <string.h>

#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/maps.h"
#include "preload/page.h"
#include "preload/text.h"

enum { DESCRIPTORS = 65536 };

#define SHM_DIRECTORY "/dev/shm/"
#define MEMFD_PREFIX "/memfd:"

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_same(const struct identity *identity, uint64_t dev, uint64_t ino)
{
	return identity->dev == dev && identity->ino == ino;
}

static void from_ledger(struct fault_site *site, uint64_t address, const struct interval *piece,
			const struct object *object)
{
	site->found = true;
	site->object = object->id;
	site->start = piece->start;
	site->end = piece->end;
	site->offset = piece->offset + (address - piece->start);
	site->identity = (struct identity){.dev = object->dev,
					   .ino = object->ino,
					   .size = object->size,
					   .page = object->page,
					   .huge = object->huge,
					   .kind = object->kind,
					   .fd = -1};
	memcpy(site->name, object->name, sizeof site->name);
}

/* Only what the kernel can have made for shm_open(3), open(2) of /dev/shm or memfd_create(2). */
static void from_line(struct fault_site *site, uint64_t address, const struct maps_line *line)
{
	site->prot = line->prot;
	text_append(site->path, sizeof site->path, line->path);
	if (!site->name[0])
		text_append(site->name, sizeof site->name, line->path);
	bool memfd = starts_with(line->path, MEMFD_PREFIX);
	if (site->found || !(memfd || starts_with(line->path, SHM_DIRECTORY)))
		return;
	site->found = true;
	site->start = line->start;
	site->end = line->end;
	site->offset = line->offset + (address - line->start);
	site->identity = (struct identity){.dev = line->dev,
					   .ino = line->ino,
					   .size = UINT64_MAX,
					   .page = page_round(1),
					   .kind = memfd ? KIND_memfd : KIND_shm,
					   .fd = -1};
}

static void from_maps(struct fault_site *site, uint64_t address)
{
	/* On the stack of a handler there may be no room for it. */
	char *buffer = kernel_memory(MAPS_LINE);
	struct maps_line line;

	if (buffer && maps_find(address, buffer, &line))
		from_line(site, address, &line);
	if (buffer)
		kernel_memory_free(buffer, MAPS_LINE);
}

static void locate(struct fault_site *site, uint64_t address, bool waits, unsigned milliseconds, bool thorough)
{
	struct interval piece;
	struct object object;
	int known =
		waits ? ledger_find(address, &piece, &object) : ledger_try_find(address, milliseconds, &piece, &object);

	*site = (struct fault_site){.prot = -1};
	if (known > 0)
		from_ledger(site, address, &piece, &object);
	else if (known < 0 || thorough)
		from_maps(site, address);
}

void fault_site_at(struct fault_site *site, uint64_t address)
{
	locate(site, address, true, 0, false);
}

void fault_site_find(struct fault_site *site, uint64_t address, unsigned milliseconds, bool thorough)
{
	locate(site, address, false, milliseconds, thorough);
}

/* Of its kind the inode tells less than is known: not which call made it. */
static bool take(struct fault_site *site, const struct identity *now)
{
	uint8_t kind = site->identity.kind;

	if (!is_same(&site->identity, now->dev, now->ino))
		return false;
	site->identity = *now;
	site->identity.kind = kind;
	site->identity.name = NULL;
	site->fresh = true;
	return true;
}

static bool by_descriptor(struct fault_site *site)
{
	struct identity now;

	for (int fd = -1; site->object && (fd = ledger_fd_next((unsigned)fd + 1, DESCRIPTORS)) >= 0;)
		if (ledger_fd(fd) == site->object && identity_of_fd(fd, &now) && take(site, &now))
			return true;
	return false;
}

static bool by_path(struct fault_site *site, const char *path)
{
	struct identity now;
	return starts_with(path, SHM_DIRECTORY) && identity_of_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &now) &&
	       take(site, &now);
}

static bool by_name(struct fault_site *site)
{
	char path[512];

	if (!site->name[0])
		return false;
	return by_path(site, site->name) || (identity_shm_path(site->name, "", path) && by_path(site, path));
}

static void append_hexadecimal(char *path, size_t size, uint64_t number)
{
	char digits[17], *at = digits + sizeof digits - 1;

	*at = 0;
	do
		*--at = "0123456789abcdef"[number & 15];
	while (number >>= 4);
	text_append(path, size, at);
}

/* Leads to an object without a name or a descriptor; needs CAP_CHECKPOINT_RESTORE (proc(5)). */
static bool by_mapping(struct fault_site *site, uint64_t address)
{
	char buffer[MAPS_LINE], path[96] = "/proc/self/map_files/";
	struct maps_line line;
	struct identity now;

	if (!maps_find(address, buffer, &line))
		return false;
	append_hexadecimal(path, sizeof path, line.start);
	text_append(path, sizeof path, "-");
	append_hexadecimal(path, sizeof path, line.end);
	return identity_of_path(AT_FDCWD, path, 0, &now) && take(site, &now);
}

void fault_site_refresh(struct fault_site *site, uint64_t address)
{
	if (by_descriptor(site) || by_name(site))
		return;
	if (!site->path[0])
		from_maps(site, address);
	if (!by_path(site, site->path))
		by_mapping(site, address);
}

int fault_site_protection(struct fault_site *site, uint64_t address)
{
	if (site->prot < 0)
		from_maps(site, address);
	return site->prot;
}

static long fetch(uint64_t address)
{
	return kernel_call(SYS_madvise, (long)address, (long)page_round(1), MADV_POPULATE_READ, 0, 0, 0);
}

bool fault_site_has_page(uint64_t address)
{
	return fetch(address & -page_round(1)) == 0;
}

bool fault_site_probe(const struct fault_site *site, uint64_t address, uint64_t *size)
{
	uint64_t page = page_round(1), low = site->start, high = address & -page;

	/* Linux before 5.14 does not know the question. */
	if (fetch(high) != -EFAULT)
		return false;
	/* Below `low` there are pages, at `high` there is none. */
	while (low < high) {
		uint64_t middle = low + (high - low) / page / 2 * page;
		if (fault_site_has_page(middle))
			low = middle + page;
		else
			high = middle;
	}
	*size = site->offset - (address - high);
	return true;
}
