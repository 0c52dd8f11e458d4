#include "preload/identity.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/filesystem.h"
#include "preload/kernel.h"
#include "preload/mounts.h"
#include "preload/own.h"
#include "preload/page.h"
#include "preload/parent.h"
#include "preload/place.h"
#include "preload/recent.h"
#include "preload/text.h"

#define SHM_DIRECTORY "/dev/shm"

enum device_class { CLASS_UNKNOWN, CLASS_OTHER, CLASS_SHM, CLASS_HUGE_SHM, CLASS_MEMFD, CLASS_HUGE };

/* Devices are few and for ever, so a slot is written once: the device in the upper bits, its class in the lowest three. */
enum { DEVICES = 32 };
static _Atomic uint64_t devices[DEVICES];

static enum device_class class_of(uint64_t dev)
{
	for (int i = 0; i < DEVICES; i++) {
		uint64_t slot = atomic_load_explicit(&devices[i], memory_order_relaxed);
		if (!slot)
			return CLASS_UNKNOWN;
		if (slot >> 3 == dev)
			return (enum device_class)(slot & 7);
	}
	return CLASS_UNKNOWN;
}

static void device_remember(uint64_t dev, enum device_class class)
{
	for (int i = 0; i < DEVICES; i++) {
		uint64_t empty = 0;
		if (atomic_compare_exchange_strong(&devices[i], &empty, dev << 3 | class) || empty >> 3 == dev)
			return;
	}
}

void identity_forget_devices(void)
{
	for (int i = 0; i < DEVICES; i++)
		atomic_store(&devices[i], 0);
	identity_descriptors_end(0, ~0u);
}

static bool is_tmpfs(enum filesystem filesystem)
{
	return filesystem == FILESYSTEM_tmpfs || filesystem == FILESYSTEM_perhaps;
}

/* Since Linux 5.9; before, the table of mounts tells. */
enum { TMPFS_ROOT = 1 /* inode */ };

static uint64_t home_dev, home_ino;
static bool home_holds; /* it is on a tmpfs, whose files are objects */

static bool is_home(int dirfd, const char *path)
{
	struct stat st;
	return kernel_stat_at(dirfd, path, 0, &st) == 0 && st.st_dev == home_dev && st.st_ino == home_ino;
}

void identity_keep_home(mounts_unheld *unheld)
{
	struct stat st;
	char path[512];
	long fd = kernel_open(SHM_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (kernel_stat_at((int)fd, "", AT_EMPTY_PATH, &st) == 0) {
		home_dev = st.st_dev;
		home_ino = st.st_ino;
		home_holds = is_tmpfs(filesystem_of_fd((int)fd, home_dev));
		if (!home_holds)
			unheld(SHM_DIRECTORY, "not-tmpfs");
		/* The root of a tmpfs, and without a directory in which something could be mounted. */
		if (!home_holds || st.st_ino != TMPFS_ROOT || st.st_nlink > 2)
			mounts_keep(identity_fd_name((int)fd, path), home_dev, unheld);
	}
	kernel_close((int)fd);
}

bool identity_sees_home(void)
{
	return home_holds && is_home(AT_FDCWD, SHM_DIRECTORY);
}

enum identity_where identity_where(uint64_t dev, uint64_t ino)
{
	struct stat now;

	if (dev == home_dev && ino == home_ino)
		return WHERE_home;
	bool known = kernel_stat_at(AT_FDCWD, SHM_DIRECTORY, 0, &now) == 0 && now.st_dev == dev;
	if (known && now.st_ino == ino)
		return WHERE_home;
	if (dev == home_dev && home_holds && mounts_whole())
		return WHERE_below;
	return known || dev == home_dev || mounts_below(dev) ? WHERE_perhaps : WHERE_elsewhere;
}

bool identity_from_home(char text[static 512])
{
	char rest[512];

	for (char *end = text; *text == '/' && end; end = strchr(end + 1, '/')) {
		strcpy(rest, end);
		*end = 0;
		bool found = is_home(AT_FDCWD, end == text ? "/" : text);
		*end = '/';
		if (!found)
			continue;
		strcpy(text, SHM_DIRECTORY);
		strncat(text, rest, 511 - strlen(text));
		return true;
	}
	return false;
}

/* /dev/shm as a plain directory of a disk would make every file of that disk an object, so it must be a tmpfs. */
static bool is_shm_device(uint64_t dev)
{
	struct stat st;

	if (home_holds && dev == home_dev)
		return true;
	if (kernel_stat_at(AT_FDCWD, SHM_DIRECTORY, 0, &st) != 0 || st.st_dev != dev)
		return false;
	return is_tmpfs(filesystem_of_path(SHM_DIRECTORY, dev));
}

const char *identity_fd_name(int fd, char target[static 512])
{
	char link[TEXT_DESCRIPTOR];

	*target = 0;
	if (fd < 0)
		return target;
	long length = kernel_readlink(text_descriptor(link, fd), target, 511);
	target[length > 0 ? length : 0] = 0;
	return target;
}

static bool named_memfd(int fd)
{
	char target[512];
	return strncmp(identity_fd_name(fd, target), "/memfd:", 7) == 0;
}

/* The kernel's internal ones, on which nothing has a path. */
static __attribute__((noinline)) enum device_class class_of_nameless(uint64_t dev, int fd, uint64_t block)
{
	enum filesystem filesystem = filesystem_of_fd(fd, dev);

	if (filesystem == FILESYSTEM_other || !named_memfd(fd))
		return CLASS_OTHER;
	if (filesystem == FILESYSTEM_perhaps)
		return block > page_round(1) ? CLASS_HUGE : CLASS_MEMFD;
	return filesystem == FILESYSTEM_hugetlbfs ? CLASS_HUGE : CLASS_MEMFD;
}

static __attribute__((noinline)) enum device_class classify(uint64_t dev, int fd, uint64_t block)
{
	enum device_class class = CLASS_OTHER;
	enum mounts_kind below = mounts_below(dev);

	if (below != MOUNTS_none)
		class = below == MOUNTS_hugetlbfs ? CLASS_HUGE_SHM : CLASS_SHM;
	else if (is_shm_device(dev))
		class = CLASS_SHM;
	else if (fd >= 0)
		class = class_of_nameless(dev, fd, block);
	if (class != CLASS_OTHER || fd >= 0)
		device_remember(dev, class);
	return class;
}

static bool fill(const struct stat *st, int fd, struct identity *out)
{
	if (!S_ISREG(st->st_mode))
		return false;
	enum device_class class = class_of(st->st_dev);
	if (class == CLASS_UNKNOWN)
		class = classify(st->st_dev, fd, (uint64_t)st->st_blksize);
	if (class == CLASS_UNKNOWN || class == CLASS_OTHER)
		return false;
	bool huge = class == CLASS_HUGE || class == CLASS_HUGE_SHM,
	     named = class == CLASS_SHM || class == CLASS_HUGE_SHM;
	*out = (struct identity){.dev = st->st_dev,
				 .ino = st->st_ino,
				 .size = (uint64_t)st->st_size,
				 .allocated = (uint64_t)st->st_blocks * 512,
				 .page = huge ? (uint64_t)st->st_blksize : page_round(1),
				 .huge = huge,
				 .mode = st->st_mode & 07777,
				 .uid = st->st_uid,
				 .gid = st->st_gid,
				 .links = (uint32_t)st->st_nlink,
				 .kind = named ? KIND_shm : KIND_memfd,
				 .fd = fd,
				 .dirfd = AT_FDCWD};
	return true;
}

/* Descriptors that a mapping found to lead to an ordinary file, a bit each. */
enum { ORDINARY = 4096, BITS = 64 };
static atomic_ulong ordinary[ORDINARY / BITS];

static unsigned long ordinary_bit(int fd)
{
	return 1ul << fd % BITS;
}

bool identity_is_ordinary(int fd)
{
	static __thread struct recent recent;

	if (fd < 0 || fd >= ORDINARY ||
	    !(atomic_load_explicit(&ordinary[fd / BITS], memory_order_relaxed) & ordinary_bit(fd)))
		return false;
	return recent_enough(&recent);
}

void identity_descriptor_ends(int fd)
{
	if (fd >= 0 && fd < ORDINARY &&
	    (atomic_load_explicit(&ordinary[fd / BITS], memory_order_relaxed) & ordinary_bit(fd)))
		atomic_fetch_and(&ordinary[fd / BITS], ~ordinary_bit(fd));
}

void identity_descriptors_end(unsigned first, unsigned last)
{
	for (unsigned fd = first; fd <= last && fd < ORDINARY; fd++)
		identity_descriptor_ends((int)fd);
}

/* The tmpfs at /dev/shm is asked for once; a program that may get another one calls identity_forget_devices(). */
static bool lies_on_shm(uint64_t dev)
{
	if ((home_holds && dev == home_dev) || mounts_below(dev))
		return true;
	for (int i = 0; i < DEVICES; i++) {
		uint64_t slot = atomic_load_explicit(&devices[i], memory_order_relaxed);
		if ((slot & 7) == CLASS_SHM)
			return slot >> 3 == dev;
	}
	if (!is_shm_device(dev))
		return false;
	device_remember(dev, CLASS_SHM);
	return true;
}

/*
 * A library of ours may map its own through another's wrapper, which then is the caller. st: without a mode where it is not
 * known.
 */
static bool of_descriptor(int fd, struct stat *st, struct identity *out)
{
	st->st_mode = 0;
	if (fd < 0 || own_fd(fd) || kernel_stat(fd, st) < 0 || !fill(st, fd, out))
		return false;
	identity_descriptor_ends(fd);
	return true;
}

bool identity_of_fd(int fd, struct identity *out)
{
	struct stat st;
	return of_descriptor(fd, &st, out);
}

bool identity_of_opened(int fd, struct identity *out, bool *fifo)
{
	struct stat st;
	bool found = of_descriptor(fd, &st, out);

	*fifo = !found && S_ISFIFO(st.st_mode) && lies_on_shm(st.st_dev);
	return found;
}

bool identity_of_mapped(int fd, struct identity *out)
{
	struct stat st;
	bool found = of_descriptor(fd, &st, out);

	if (!found && fd < ORDINARY && S_ISREG(st.st_mode) && class_of(st.st_dev) == CLASS_OTHER)
		atomic_fetch_or(&ordinary[fd / BITS], ordinary_bit(fd));
	return found;
}

enum identity_look identity_look(int dirfd, const char *path, int flags, struct identity *out)
{
	struct stat st;
	long error = kernel_stat_at(dirfd, path, flags, &st);

	if (error < 0)
		return error == -ENOENT ? LOOK_nothing : LOOK_other;
	if (!fill(&st, -1, out))
		return LOOK_other;
	out->name = path;
	out->dirfd = dirfd;
	return LOOK_object;
}

bool identity_of_path(int dirfd, const char *path, int flags, struct identity *out)
{
	return identity_look(dirfd, path, flags, out) == LOOK_object;
}

bool identity_of_directory(int dirfd, const char *path, struct identity *out)
{
	struct stat st;

	if (kernel_stat_at(dirfd, path, AT_SYMLINK_NOFOLLOW, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    !lies_on_shm(st.st_dev))
		return false;
	*out = (struct identity){.dev = st.st_dev, .ino = st.st_ino, .fd = -1, .name = path, .dirfd = dirfd};
	return true;
}

bool identity_on_shm(int dirfd, const char *path)
{
	struct stat st;

	if (kernel_stat_at(dirfd, path, AT_SYMLINK_NOFOLLOW, &st) < 0)
		return false;
	if (S_ISLNK(st.st_mode) && !lies_on_shm(st.st_dev) && kernel_stat_at(dirfd, path, 0, &st) < 0)
		return false;
	return !S_ISDIR(st.st_mode) && lies_on_shm(st.st_dev);
}

bool identity_says_shm(const char *path)
{
	return strncmp(path, SHM_DIRECTORY "/", sizeof SHM_DIRECTORY) == 0;
}

static bool plain(const char *path)
{
	return identity_says_shm(path) && !strchr(path + sizeof SHM_DIRECTORY, '/');
}

bool identity_leads_to(const char *path, const struct identity *identity)
{
	struct stat st;
	return kernel_stat_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st) == 0 && st.st_dev == identity->dev &&
	       st.st_ino == identity->ino;
}

bool identity_has_name(const struct identity *identity, int fd, char name[static 512])
{
	return fd >= 0 && identity_leads_to(identity_fd_name(fd, name), identity);
}

bool identity_by_link(const char *path, struct identity *identity)
{
	struct stat st;

	if (kernel_stat_at(identity->dirfd, path, AT_SYMLINK_NOFOLLOW, &st) < 0 || !S_ISLNK(st.st_mode))
		return false;
	if (lies_on_shm(st.st_dev)) {
		identity->link = path;
		identity->link_mode = st.st_mode;
		identity->link_uid = st.st_uid;
	}
	return true;
}

bool identity_name_is_past(const struct identity *identity, const char *name)
{
	return identity->links && text_gone_mark(name) && !identity_leads_to(name, identity);
}

/* Right in the directory, whatever leads there. */
static bool is_home_of(int dirfd, const char *path)
{
	struct parent parent;

	if (!home_dev)
		return false;
	const char *at = parent_begin(&parent, path);
	bool home = at && is_home(dirfd, at);
	parent_end(&parent);
	return home;
}

const char *identity_spelling(const char *path, const struct identity *identity, char text[static 512])
{
	const char *slash = strrchr(path, '/');

	if (plain(path))
		return path;
	if (identity_has_name(identity, identity->fd, text))
		return text;
	if (identity_shm_path(slash ? slash : path, "", text) && identity_leads_to(text, identity))
		return text;
	if (identity->fd < 0 && place_of(identity->dirfd, path, text) && identity_leads_to(text, identity))
		return text;
	return is_home_of(identity->dirfd, path) && identity_shm_path(slash ? slash : path, "", text) ? text : path;
}

/* Is the path's own directory one that was below /dev/shm, by what it says? */
static bool lost_directory(const char *path, struct stat *home)
{
	return identity_says_shm(path) && kernel_stat_at(AT_FDCWD, SHM_DIRECTORY, 0, home) == 0;
}

const char *identity_spelling_gone(int dirfd, const char *path, char text[static 512])
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (!*path || !(parent_stat(dirfd, path, &st) || lost_directory(path, &st)) || !lies_on_shm(st.st_dev))
		return NULL;
	if (plain(path))
		return path;
	if (is_home_of(dirfd, path) && identity_shm_path(slash ? slash : path, "", text))
		return text;
	return place_of(dirfd, path, text) ? text : path;
}

bool identity_shm_path(const char *name, const char *prefix, char path[static 512])
{
	while (*name == '/')
		name++;
	size_t length = strnlen(name, NAME_MAX + 1);
	if (length == 0 || length > NAME_MAX || memchr(name, '/', length))
		return false;
	char *end = stpcpy(path, SHM_DIRECTORY "/");
	end = stpcpy(end, prefix);
	memcpy(end, name, length + 1);
	return true;
}
