#include "preload/names.h"

#include <string.h>
#include <sys/stat.h>

#include "preload/apart.h"
#include "preload/claim.h"
#include "preload/entries.h"
#include "preload/kernel.h"
#include "preload/place.h"
#include "preload/text.h"

/* A tree may lie on /dev/shm, too, in which somebody builds. */
enum { LEVELS = 6, ENTRIES = 4096, PIECE = 2048, NAME = 512 };

struct search {
	uint64_t dev, ino;
	unsigned char type; /* as in d_type: DT_REG, DT_DIR */
	const char *but;
	names_function *each; /* NULL: the first is wanted, wherever it lies */
	void *context;
	unsigned entries; /* that may be looked at yet; of the first directory all are */
	char *name;       /* as far as the search has come */
	char *piece;      /* PIECE for each level */
};

static struct entries entries_of(const struct search *s, int fd, unsigned level)
{
	return (struct entries){.fd = fd, .buffer = s->piece + (size_t)level * PIECE, .size = PIECE};
}

static bool leads_there(const struct search *s, int fd, const struct dirent64 *entry)
{
	struct stat st;

	return entry->d_ino == s->ino && entry->d_type == s->type &&
	       kernel_stat_at(fd, entry->d_name, AT_SYMLINK_NOFOLLOW, &st) == 0 && st.st_ino == s->ino &&
	       st.st_dev == s->dev;
}

/* The name of the directory ends where its slash is. */
static bool extend(const struct search *s, size_t length, const char *entry)
{
	s->name[length] = 0;
	return text_append(s->name, NAME, entry);
}

static bool look_for(struct search *s, int fd, unsigned level)
{
	size_t length = strlen(s->name);
	struct entries entries = entries_of(s, fd, level);
	const struct dirent64 *entry;

	while ((entry = entries_next(&entries))) {
		if (level && !s->entries)
			return false;
		s->entries -= level > 0;
		if (!leads_there(s, fd, entry) || !extend(s, length, entry->d_name) ||
		    (s->but && strcmp(s->name, s->but) == 0))
			continue;
		if (!s->each)
			return true;
		s->each(s->name, s->context);
	}
	s->name[length] = 0;
	return false;
}

static bool look_below(struct search *s, int fd, unsigned level);

static bool look_in(struct search *s, int fd, unsigned level)
{
	return look_for(s, fd, level) ||
	       (!s->each && level + 1 < LEVELS && kernel_call(SYS_lseek, fd, 0, SEEK_SET, 0, 0, 0) == 0 &&
		look_below(s, fd, level));
}

static bool enter(struct search *s, int fd, const char *entry, unsigned level)
{
	long below = kernel_call(SYS_openat, fd, (long)entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, 0, 0);
	bool found = below >= 0 && text_append(s->name, NAME, "/") && look_in(s, (int)below, level);

	if (below >= 0)
		kernel_close((int)below);
	return found;
}

static bool look_below(struct search *s, int fd, unsigned level)
{
	size_t length = strlen(s->name);
	struct entries entries = entries_of(s, fd, level);
	const struct dirent64 *entry;

	while (s->entries && (entry = entries_next(&entries)))
		if (entry->d_type == DT_DIR && !entries_is_dot(entry) && extend(s, length, entry->d_name) &&
		    enter(s, fd, entry->d_name, level + 1))
			return true;
	s->name[length] = 0;
	return false;
}

static bool is_on(long fd, uint64_t dev)
{
	struct stat st;
	return fd >= 0 && kernel_stat(fd, &st) == 0 && st.st_dev == dev;
}

/* What lies there now or, from another root, what the policy began with. */
static long open_home(uint64_t dev)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	long fd = kernel_open("/dev/shm", flags);

	if (is_on(fd, dev))
		return fd;
	if (fd >= 0)
		kernel_close((int)fd);
	fd = kernel_call(SYS_openat, claim_directory(), (long)".", flags, 0, 0, 0);
	if (is_on(fd, dev))
		return fd;
	if (fd >= 0)
		kernel_close((int)fd);
	return -ENOENT;
}

static long search_home(void *context)
{
	struct search *s = context;
	long fd = open_home(s->dev);

	if (fd < 0)
		return false;
	s->piece = kernel_memory((size_t)LEVELS * PIECE);
	s->entries = ENTRIES;
	bool found = s->piece && look_in(s, (int)fd, 0);
	if (s->piece)
		kernel_memory_free(s->piece, (size_t)LEVELS * PIECE);
	kernel_close((int)fd);
	return found;
}

static bool search(struct search *s, char name[static NAME])
{
	s->name = strcpy(name, "/dev/shm/");
	int home = claim_directory();
	return apart_hidden(home < 0 ? APART_NONE : home, search_home, s);
}

void names_each(const struct identity *identity, names_function *each, void *context)
{
	char name[NAME];

	search(
		&(struct search){
			.dev = identity->dev, .ino = identity->ino, .type = DT_REG, .each = each, .context = context},
		name);
}

bool names_find(const struct identity *identity, const char *but, char name[static 512])
{
	return search(&(struct search){.dev = identity->dev, .ino = identity->ino, .type = DT_REG, .but = but}, name);
}

bool names_find_directory(uint64_t dev, uint64_t ino, char name[static 512])
{
	return search(&(struct search){.dev = dev, .ino = ino, .type = DT_DIR}, name);
}

static bool has_name(const char *path, const struct identity *identity, char text[static 512])
{
	bool known = identity->fd >= 0
			     ? identity_has_name(identity, identity->fd, text)
			     : place_real(identity->dirfd, path, text, 512) && identity_leads_to(text, identity);

	return known || (identity->links && names_find(identity, NULL, text));
}

const char *names_followed(const char *path, struct identity *identity, char text[static 512])
{
	if (!identity_by_link(path, identity))
		return identity_spelling(path, identity, text);
	if (has_name(path, identity, text))
		return text;
	/* It is had by its descriptors alone. */
	return identity->fd < 0 || strncmp(path, "/proc/", 6) == 0 ? path : text_descriptor(text, identity->fd);
}

bool names_of_path(int dirfd, const char *path, int flags, struct identity *identity, char text[static 512])
{
	if (!identity_of_path(dirfd, path, flags, identity))
		return false;
	identity->name = names_followed(path, identity, text);
	return true;
}
