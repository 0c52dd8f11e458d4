#include "preload/enforce_vain.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#include "preload/enforce_inner.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/page.h"
#include "preload/signals.h"

enum { MOUNTED_NOEXEC = 8 /* ST_NOEXEC of statfs(2) */ };

#ifdef MAP_32BIT
enum { MAP_LOW = MAP_32BIT };
#else
enum { MAP_LOW = 0 };
#endif

bool enforce_matters(enum enforce_verdict verdict)
{
	return verdict == VERDICT_deny || (enforce_audits() && enforce_decided());
}

void enforce_refused_nothing(enum enforce_verdict verdict, int error)
{
	if (!error)
		return;
	enforce_forget();
	if (verdict == VERDICT_deny)
		errno = error;
}

/* What the descriptor was opened for; false: for nothing but its path (O_PATH), as if it were none. */
static bool opened_for(int fd, bool *reads, bool *writes)
{
	long flags = kernel_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0), mode = flags & O_ACCMODE;

	*reads = mode == O_RDONLY || mode == O_RDWR;
	*writes = mode == O_WRONLY || mode == O_RDWR;
	return flags >= 0 && !(flags & O_PATH);
}

static bool is_noexec(int fd)
{
	struct statfs fs;

	return kernel_call(SYS_fstatfs, fd, (long)&fs, 0, 0, 0, 0) == 0 && (fs.f_flags & MOUNTED_NOEXEC);
}

static bool is_sealed(int fd, int seals)
{
	int has = facts_seals(fd);
	return has > 0 && (has & seals);
}

int enforce_vain_map(const struct mmap_event *e)
{
	bool reads, writes, shares = (e->flags & MAP_TYPE) != MAP_PRIVATE, stores = shares && (e->prot & PROT_WRITE);

	if (!opened_for(e->fd, &reads, &writes))
		return EBADF;
	if (!reads || (stores && !writes))
		return EACCES;
	if ((e->prot & PROT_EXEC) && is_noexec(e->fd))
		return EPERM;
	return stores && is_sealed(e->fd, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? EPERM : 0;
}

/* A kernel without faccessat2(2) (before 5.8), or a filter of system calls, tells nothing by another errno. */
static int not_writable(const struct identity *identity)
{
	long error = -kernel_call(SYS_faccessat2, identity->dirfd, (long)identity->name, W_OK, AT_EACCESS, 0, 0);
	return error == EACCES || error == EROFS ? (int)error : 0;
}

int enforce_vain_size(const struct identity *identity, uint64_t from, uint64_t to)
{
	bool reads, writes;

	if (identity->fd < 0)
		return not_writable(identity);
	if (!opened_for(identity->fd, &reads, &writes))
		return EBADF;
	if (!writes)
		return EINVAL;
	int seal = to < from ? F_SEAL_SHRINK : to > from ? F_SEAL_GROW : 0;
	return is_sealed(identity->fd, seal) ? EPERM : 0;
}

int enforce_vain_allocation(const struct fallocate_event *e)
{
	bool reads, writes, punches = e->mode & FALLOC_FL_PUNCH_HOLE;

	if (!opened_for(e->fd, &reads, &writes) || !writes)
		return EBADF;
	bool grows = !(e->mode & FALLOC_FL_KEEP_SIZE) && (uint64_t)(e->offset + e->length) > e->size_before;
	int seals = (punches ? F_SEAL_WRITE | F_SEAL_FUTURE_WRITE : 0) | (grows ? F_SEAL_GROW : 0);
	return is_sealed(e->fd, seals) ? EPERM : 0;
}

static bool is_no_descriptor(const struct identity *identity)
{
	bool reads, writes;
	return identity->fd >= 0 && !opened_for(identity->fd, &reads, &writes);
}

int enforce_vain_mode(const struct identity *identity)
{
	if (is_no_descriptor(identity))
		return EBADF;
	return facts_own(identity->uid) || facts_capable(CAP_FOWNER) ? 0 : EPERM;
}

int enforce_vain_owner(const struct identity *identity, uid_t uid)
{
	if (is_no_descriptor(identity))
		return EBADF;
	return uid == (uid_t)-1 || uid == identity->uid || facts_capable(CAP_CHOWN) ? 0 : EPERM;
}

int enforce_vain_flags(const struct enforce_opening *o)
{
	/* The kernel looks at the flags first, and then at the path, which leads nowhere. */
	bool malformed =
		!o->node && kernel_call(SYS_openat, AT_FDCWD, (long)"", o->flags, o->mode & 07777, 0, 0) == -EINVAL;

	return malformed ? EINVAL : 0;
}

/* What is at the path, and is not followed where it is a link. */
static int of_found(int flags, mode_t mode)
{
	if ((flags & O_DIRECTORY) && !S_ISDIR(mode))
		return ENOTDIR;
	if (S_ISLNK(mode))
		return ELOOP;
	return S_ISDIR(mode) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT)) ? EISDIR : 0;
}

int enforce_vain_opening(const struct enforce_opening *o, const char *path)
{
	bool exclusive = (o->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL),
	     itself = exclusive || o->shm || (o->flags & O_NOFOLLOW);
	int error = enforce_vain_flags(o);
	struct stat st;

	if (error)
		return error;
	long missing = -kernel_stat_at(o->dirfd, path, itself ? AT_SYMLINK_NOFOLLOW : 0, &st);
	if (!missing && exclusive)
		return EEXIST;
	/* The C library makes one of the other for shm_open(3). */
	if (!missing && (error = of_found(o->flags, st.st_mode)) == EISDIR && o->shm)
		return EINVAL;
	if (!missing)
		return error;
	return missing == ENOENT && (o->flags & O_CREAT) ? 0 : (int)missing;
}

/*
 * May it have the address, and is there room? Memory of nobody's is there for a moment in its place: a mapping of the object
 * would be seen by those who look for its users. No handler may jump out meanwhile.
 */
static int has_no_place(const struct mmap_event *e)
{
	uint64_t length = page_round(e->length);
	unsigned fixed = e->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) ? MAP_FIXED_NOREPLACE : 0,
		 flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (e->flags & MAP_LOW) | fixed;

	if (!length)
		return ENOMEM;
	uint64_t mask = signals_block();
	long at = kernel_call(SYS_mmap, (long)e->addr, (long)length, PROT_NONE, flags, -1, 0);
	if (at >= 0)
		kernel_call(SYS_munmap, at, (long)length, 0, 0, 0, 0);
	signals_restore(mask);
	/* MAP_FIXED puts it in the place of what is there. */
	return at >= 0 || (at == -EEXIST && !(e->flags & MAP_FIXED_NOREPLACE)) ? 0 : (int)-at;
}

/* No file at /dev/shm can be mapped so. */
static bool is_unsupported(const struct mmap_event *e)
{
	return (e->flags & MAP_GROWSDOWN) || ((e->flags & MAP_TYPE) == MAP_SHARED_VALIDATE && (e->flags & MAP_SYNC)) ||
	       (uint64_t)e->offset > INT64_MAX - page_round(e->length);
}

bool enforce_map_fails(const struct mmap_event *e)
{
	return enforce_vain_map(e) || is_unsupported(e) || has_no_place(e) ||
	       ((e->flags & MAP_LOCKED) && e->length > facts_lockable());
}
