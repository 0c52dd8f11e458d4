#include "preload/identity.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/page.h"
#include "preload/recent.h"

#define SHM_DIRECTORY "/dev/shm"

enum class { CLASS_UNKNOWN, CLASS_OTHER, CLASS_SHM, CLASS_MEMFD, CLASS_HUGE };

/* Devices are few and for ever, so a slot is written once: the device in the upper bits, its class in the lowest three. */
enum { DEVICES = 32 };
static _Atomic uint64_t devices[DEVICES];

static enum class device_class(uint64_t dev) {
	for (int i = 0; i < DEVICES; i++){uint64_t slot = atomic_load_explicit(&devices[i], memory_order_relaxed);
					  if (!slot) return CLASS_UNKNOWN;
					  if (slot >> 3 == dev) return (enum class)(slot & 7);}
return CLASS_UNKNOWN;
}

static void device_remember(uint64_t dev, enum class class)
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
}

static bool is_tmpfs(const struct statfs *fs)
{
	return fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC;
}

/* /dev/shm as a plain directory of a disk would make every file of that disk an object, so it must be a tmpfs. */
static bool is_shm_device(uint64_t dev)
{
	struct stat st;
	struct statfs fs;

	if (kernel_call(SYS_newfstatat, AT_FDCWD, (long)SHM_DIRECTORY, (long)&st, 0, 0, 0) < 0 || st.st_dev != dev)
		return false;
	return kernel_call(SYS_statfs, (long)SHM_DIRECTORY, (long)&fs, 0, 0, 0, 0) == 0 && is_tmpfs(&fs);
}

const char *identity_fd_name(int fd, char target[static 512])
{
	char link[32];
	char *end = link + sizeof link;

	*target = 0;
	if (fd < 0)
		return target;
	*--end = 0;
	do
		*--end = (char)('0' + fd % 10);
	while ((fd /= 10));
	end -= sizeof "/proc/self/fd/" - 1;
	memcpy(end, "/proc/self/fd/", sizeof "/proc/self/fd/" - 1);
	long length = kernel_readlink(end, target, 511);
	target[length > 0 ? length : 0] = 0;
	return target;
}

static bool named_memfd(int fd)
{
	char target[512];
	return strncmp(identity_fd_name(fd, target), "/memfd:", 7) == 0;
}

static enum class classify(uint64_t dev, int fd) {
	struct statfs fs; enum class class = CLASS_OTHER;

	if (is_shm_device(dev)) class = CLASS_SHM;
	else if (fd >= 0 && kernel_call(SYS_fstatfs, fd, (long)&fs, 0, 0, 0, 0) == 0 &&
		 (is_tmpfs(&fs) || fs.f_type == HUGETLBFS_MAGIC) && named_memfd(fd)) class
	= fs.f_type == HUGETLBFS_MAGIC ? CLASS_HUGE : CLASS_MEMFD;
	if (class != CLASS_OTHER || fd >= 0) device_remember(dev, class);
	return class;
}

static bool fill(const struct stat *st, int fd, struct identity *out)
{
	if (!S_ISREG(st->st_mode))
		return false;
	enum class class = device_class(st->st_dev);
	if (class == CLASS_UNKNOWN)
		class = classify(st->st_dev, fd);
	if (class == CLASS_UNKNOWN || class == CLASS_OTHER)
		return false;
	*out = (struct identity){.dev = st->st_dev,
				 .ino = st->st_ino,
				 .size = (uint64_t)st->st_size,
				 .allocated = (uint64_t)st->st_blocks * 512,
				 .page = class == CLASS_HUGE ? (uint64_t)st->st_blksize : page_round(1),
				 .huge = class == CLASS_HUGE,
				 .mode = st->st_mode & 07777,
				 .uid = st->st_uid,
				 .gid = st->st_gid,
				 .links = (uint32_t)st->st_nlink,
				 .kind = class == CLASS_SHM ? KIND_shm : KIND_memfd,
				 .fd = fd,
				 .dirfd = AT_FDCWD};
	return true;
}

bool identity_of_fd(int fd, struct identity *out)
{
	struct stat st;
	/* A library of ours may map its own through another's wrapper, which then is the caller. */
	return fd >= 0 && !own_fd(fd) && kernel_call(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) == 0 && fill(&st, fd, out);
}

static atomic_uint changes;

void identity_changes(void)
{
	atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
}

enum { NAME_KEPT = 64 };

/* What a thread asked last; `valid` is cleared while the rest is written, in case a signal handler jumps out of it. */
struct asked {
	volatile bool valid;
	unsigned changes;
	uint32_t object;
	struct recent recent;
	struct identity identity;
};

static __thread struct asked last_fd, last_name;
static __thread char last_name_text[NAME_KEPT];

static bool still(struct asked *last, bool same)
{
	if (!last->valid || !same || last->changes != atomic_load_explicit(&changes, memory_order_relaxed)) {
		last->recent.times = 0;
		same = false;
	}
	return recent_enough(&last->recent) && same;
}

static bool ask(struct asked *last, int fd, struct identity *out)
{
	unsigned now = atomic_load_explicit(&changes, memory_order_relaxed);

	last->valid = false;
	atomic_signal_fence(memory_order_seq_cst);
	if (!identity_of_fd(fd, out))
		return false;
	last->identity = *out;
	last->changes = now;
	return true;
}

static void keep(struct asked *last)
{
	atomic_signal_fence(memory_order_seq_cst);
	last->valid = true;
}

bool identity_of_fd_again(int fd, uint32_t object, uint64_t end, struct identity *out)
{
	bool same = object && object == last_fd.object && fd == last_fd.identity.fd;

	if (still(&last_fd, same) && end <= last_fd.identity.size) {
		*out = last_fd.identity;
		return true;
	}
	if (!ask(&last_fd, fd, out))
		return false;
	last_fd.object = object;
	keep(&last_fd);
	return true;
}

bool identity_of_name_again(const char *name, int fd, struct identity *out)
{
	if (fd < 0)
		return false;
	if (still(&last_name, strncmp(name, last_name_text, sizeof last_name_text) == 0)) {
		*out = last_name.identity;
		out->fd = fd;
		return true;
	}
	if (!ask(&last_name, fd, out))
		return false;
	size_t length = strnlen(name, sizeof last_name_text);
	if (length < sizeof last_name_text) {
		memcpy(last_name_text, name, length + 1);
		keep(&last_name);
	}
	return true;
}

bool identity_of_path(int dirfd, const char *path, int flags, struct identity *out)
{
	struct stat st;

	if (kernel_call(SYS_newfstatat, dirfd, (long)path, (long)&st, flags, 0, 0) < 0 || !fill(&st, -1, out))
		return false;
	out->name = path;
	out->dirfd = dirfd;
	return true;
}

/* The tmpfs at /dev/shm is asked for once; a program that may get another one calls identity_forget_devices(). */
static bool lies_on_shm(uint64_t dev)
{
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

bool identity_on_shm(int dirfd, const char *path)
{
	struct stat st;

	if (kernel_call(SYS_newfstatat, dirfd, (long)path, (long)&st, AT_SYMLINK_NOFOLLOW, 0, 0) < 0)
		return false;
	if (S_ISLNK(st.st_mode) && !lies_on_shm(st.st_dev) &&
	    kernel_call(SYS_newfstatat, dirfd, (long)path, (long)&st, 0, 0, 0) < 0)
		return false;
	return !S_ISDIR(st.st_mode) && lies_on_shm(st.st_dev);
}

static bool plain(const char *path)
{
	return strncmp(path, SHM_DIRECTORY "/", sizeof SHM_DIRECTORY) == 0 && !strchr(path + sizeof SHM_DIRECTORY, '/');
}

static bool leads_to(const char *path, const struct identity *identity)
{
	struct stat st;
	return kernel_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)&st, AT_SYMLINK_NOFOLLOW, 0, 0) == 0 &&
	       st.st_dev == identity->dev && st.st_ino == identity->ino;
}

const char *identity_spelling(const char *path, const struct identity *identity, char text[static 512])
{
	const char *slash = strrchr(path, '/');

	if (plain(path))
		return path;
	if (identity->fd >= 0 && leads_to(identity_fd_name(identity->fd, text), identity))
		return text;
	return identity_shm_path(slash ? slash : path, "", text) && leads_to(text, identity) ? text : path;
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
