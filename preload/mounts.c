#include "preload/mounts.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "preload/kernel.h"
#include "preload/text.h"

enum { LONGEST = 8192, BELOW = 8 };

/* A line of mountinfo, see proc(5); the texts end at a blank. */
struct mount {
	uint64_t dev;
	bool whole; /* of the file system the root is mounted, not some directory of it */
	const char *at, *type;
};

static struct below {
	uint64_t dev;
	enum mounts_kind kind;
} below[BELOW];
static unsigned below_count;
static bool part; /* /dev/shm is a directory of a larger file system */

/* What mounts_keep() looks for. */
struct looking {
	const char *directory;
	uint64_t dev;
	mounts_unheld *unheld;
	bool told;  /* by the kernel, of any mount */
	bool whole; /* what is seen at the directory */
	struct {
		uint64_t dev;
		unsigned places;
	} found[BELOW];
	unsigned found_count;
};

typedef void mount_function(struct looking *looking, const struct mount *mount);

static const char *word(const char *line, unsigned index)
{
	for (; line && index; index--)
		line = (line = strchr(line, ' ')) ? line + 1 : NULL;
	return line;
}

static bool is_word(const char *text, const char *expected)
{
	size_t length = strlen(expected);
	return strncmp(text, expected, length) == 0 && (text[length] == ' ' || !text[length]);
}

static bool parse_mount(const char *line, struct mount *mount)
{
	const char *device = word(line, 2), *root = word(line, 3), *rest = strstr(line, " - ");
	uint64_t major, minor;

	mount->at = word(line, 4);
	if (!mount->at || !rest || !text_decimal(&device, &major) || *device++ != ':' || !text_decimal(&device, &minor))
		return false;
	mount->dev = makedev((unsigned)major, (unsigned)minor);
	mount->whole = is_word(root, "/");
	mount->type = rest + 3;
	return true;
}

/* Answers where the rest begins that is no whole line yet. */
static char *take_lines(char *line, bool *cut, struct looking *looking, mount_function *each)
{
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		struct mount mount;
		*end = 0;
		if (!*cut && parse_mount(line, &mount))
			each(looking, &mount);
		*cut = false;
	}
	return line;
}

/* A line that is longer than the room for it is passed over. */
static void each_mount(struct looking *looking, mount_function *each)
{
	char *lines = kernel_memory(LONGEST);
	long fd = lines ? kernel_open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC) : -1, got;
	size_t held = 0;
	bool cut = false;

	while (fd >= 0 && (got = kernel_read((int)fd, lines + held, LONGEST - 1 - held)) > 0) {
		held += (size_t)got;
		lines[held] = 0;
		char *rest = take_lines(lines, &cut, looking, each);
		held -= (size_t)(rest - lines);
		memmove(lines, rest, held);
		if (held == LONGEST - 1) {
			cut = true;
			held = 0;
		}
	}
	if (fd >= 0)
		kernel_close((int)fd);
	if (lines)
		kernel_memory_free(lines, LONGEST);
}

static enum mounts_kind kind_of(const struct mount *mount)
{
	if (is_word(mount->type, "tmpfs") || is_word(mount->type, "ramfs"))
		return MOUNTS_tmpfs;
	return is_word(mount->type, "hugetlbfs") ? MOUNTS_hugetlbfs : MOUNTS_none;
}

static bool is_below(const struct looking *looking, const struct mount *mount)
{
	size_t length = strlen(looking->directory);

	return strncmp(mount->at, looking->directory, length) == 0 && mount->at[length] == '/' &&
	       mount->dev != looking->dev;
}

/* Of those that are mounted over each other at /dev/shm, the one that is seen. */
static void find(struct looking *looking, const struct mount *mount)
{
	looking->told = true;
	if (mount->dev == looking->dev && is_word(mount->at, looking->directory))
		looking->whole = mount->whole;
	if (is_below(looking, mount) && looking->found_count < BELOW)
		looking->found[looking->found_count++].dev = mount->dev;
}

static void count_places(struct looking *looking, const struct mount *mount)
{
	for (unsigned i = 0; i < looking->found_count; i++)
		looking->found[i].places += looking->found[i].dev == mount->dev;
}

static bool is_only_here(const struct looking *looking, uint64_t dev)
{
	for (unsigned i = 0; i < looking->found_count; i++)
		if (looking->found[i].dev == dev)
			return looking->found[i].places == 1;
	return false;
}

static void hold(struct looking *looking, const struct mount *mount)
{
	enum mounts_kind kind = kind_of(mount);
	char path[512];

	if (!is_below(looking, mount))
		return;
	if (kind != MOUNTS_none && mount->whole && is_only_here(looking, mount->dev) && below_count < BELOW) {
		below[below_count++] = (struct below){mount->dev, kind};
		return;
	}
	size_t length = strcspn(mount->at, " ");
	if (length >= sizeof path)
		length = sizeof path - 1;
	memcpy(path, mount->at, length);
	path[length] = 0;
	looking->unheld(path, kind == MOUNTS_none ? "not-tmpfs" : "mounted-elsewhere");
}

void mounts_keep(const char *directory, uint64_t dev, mounts_unheld *unheld)
{
	struct looking looking = {.directory = directory, .dev = dev, .unheld = unheld};

	each_mount(&looking, find);
	part = looking.told && !looking.whole;
	if (looking.found_count) {
		each_mount(&looking, count_places);
		each_mount(&looking, hold);
	}
}

bool mounts_whole(void)
{
	return !part;
}

enum mounts_kind mounts_below(uint64_t dev)
{
	for (unsigned i = 0; i < below_count; i++)
		if (below[i].dev == dev)
			return below[i].kind;
	return MOUNTS_none;
}
