#include "preload/enforce_vain.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/statfs.h>

#include "preload/apart.h"
#include "preload/enforce_directory.h"
#include "preload/enforce_inner.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/page.h"
#include "preload/recorder.h"
#include "preload/text.h"

enum {
	MOUNTED_NOEXEC = 8 /* ST_NOEXEC of statfs(2) */,
	UNKNOWN_TO_MMAP = MAP_SYNC | 0x3e00000 /* flags that no file at /dev/shm has, and that none has */
};

bool enforce_matters(enum enforce_verdict verdict)
{
	return verdict == VERDICT_deny || (enforce_audits() && enforce_decided());
}

bool enforce_fails(int error)
{
	if (error)
		enforce_forget();
	return error != 0;
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

	/* Where a filter of system calls lets nobody ask for them it is open for all that the policy is to judge. */
	if (kernel_is_refused(flags))
		return *reads = *writes = true;
	*reads = mode == O_RDONLY || mode == O_RDWR;
	*writes = mode == O_WRONLY || mode == O_RDWR;
	return flags >= 0 && !(flags & O_PATH);
}

bool enforce_noexec(int fd)
{
	struct statfs fs;
	long answer = fd < 0 ? kernel_call(SYS_statfs, (long)"/dev/shm", (long)&fs, 0, 0, 0, 0)
			     : kernel_call(SYS_fstatfs, fd, (long)&fs, 0, 0, 0, 0);

	return answer == 0 && (fs.f_flags & MOUNTED_NOEXEC);
}

static bool is_sealed(int fd, int seals)
{
	int has = facts_seals(fd);
	return has > 0 && (has & seals);
}

/*
 * The errno of a call that is made to fail with `passed`, if the kernel has anything else against it. A filter of system calls
 * may kill for what the program itself never asks.
 */
static int refused_before(int passed, long number, long a, long b, long c, long d, long e, long f)
{
	long answer = recorder_filtered ? -passed : kernel_call(number, a, b, c, d, e, f);

	return answer < 0 && answer != -passed ? (int)-answer : 0;
}

/*
 * Addresses, lengths, offsets and their limits, and what may be locked: mmap(2) looks at them before MAP_SHARED_VALIDATE looks
 * at the flags.
 */
static int has_no_place(const struct mmap_event *e, bool locks)
{
	unsigned without = MAP_TYPE | (locks ? 0u : MAP_LOCKED);
	long flags = (long)((e->flags & ~without) | MAP_SHARED_VALIDATE | UNKNOWN_TO_MMAP);

	return refused_before(EOPNOTSUPP, SYS_mmap, (long)e->addr, (long)e->length, e->prot, flags, e->fd, e->offset);
}

/* locks: what cannot be locked is refused. */
static int vain_map(const struct mmap_event *e, const struct identity *identity, bool locks)
{
	uint32_t type = e->flags & MAP_TYPE;
	bool reads, writes, stores = type != MAP_PRIVATE && (e->prot & PROT_WRITE);
	int error = has_no_place(e, locks);

	if (error)
		return error;
	if (type == MAP_SHARED_VALIDATE && (e->flags & MAP_SYNC))
		return EOPNOTSUPP;
	if (!opened_for(e->fd, &reads, &writes))
		return EBADF;
	/* Where the kernel was not asked. */
	if (locks && (e->flags & MAP_LOCKED) && e->length > facts_lockable())
		return EAGAIN;
	if (!reads || (stores && !writes))
		return EACCES;
	if ((e->prot & PROT_EXEC) && enforce_noexec(e->fd))
		return EPERM;
	if ((e->flags & MAP_GROWSDOWN) || (identity->huge && (uint64_t)e->offset % identity->page))
		return EINVAL;
	/* What takes the place of another mapping may need no more than that had. */
	if (!(e->flags & MAP_FIXED) && page_round(e->length) > facts_address_space())
		return ENOMEM;
	return stores && is_sealed(e->fd, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? EPERM : 0;
}

int enforce_vain_map(const struct mmap_event *e, const struct identity *identity)
{
	return vain_map(e, identity, !enforce_denies(RULE_lock_limit));
}

int enforce_vain_map_and_lock(const struct mmap_event *e, const struct identity *identity)
{
	return vain_map(e, identity, true);
}

/* Is there room at the address, or for 0 anywhere? A mapping that is neither shared nor private is refused after that. */
static bool is_free(uint64_t addr, uint64_t length)
{
	long flags = MAP_ANONYMOUS | (addr ? MAP_FIXED_NOREPLACE : 0);

	return !refused_before(EINVAL, SYS_mmap, (long)addr, (long)length, PROT_NONE, flags, -1, 0);
}

/* Asked at an address of the kernel's own, where no mapping is; not with another place, which an old kernel clears first. */
static int remap_is_malformed(const struct mremap_event *e, uint64_t from, uint64_t to)
{
	uint64_t nowhere = 1ULL << 63 | (e->addr & (page_size() - 1)), new_addr = e->new_addr;
	long flags = (long)(e->flags & ~(unsigned)MREMAP_FIXED);
	int error =
		refused_before(EFAULT, SYS_mremap, (long)nowhere, (long)e->length, (long)e->new_length, flags, 0, 0);

	if (error || !(e->flags & MREMAP_FIXED))
		return error;
	bool overlaps = new_addr < e->addr + from && e->addr < new_addr + to;
	return !(e->flags & MREMAP_MAYMOVE) || new_addr != page_round(new_addr) || overlaps ? EINVAL : 0;
}

int enforce_vain_remap(const struct mremap_event *e)
{
	uint64_t from = page_round(e->length), to = page_round(e->new_length);
	bool moves = e->flags & MREMAP_MAYMOVE;
	int error = remap_is_malformed(e, from, to);

	if (error || is_free(moves ? 0 : e->addr + from, moves ? to : to - from))
		return error;
	return e->flags & MREMAP_FIXED ? EINVAL : ENOMEM;
}

/* Of pages past the end of any file the kernel finds at last that they are that. */
int enforce_vain_pages(const struct mmap_event *e)
{
	uint64_t past = UINT64_MAX - e->length / page_size();

	return refused_before(EOVERFLOW, SYS_remap_file_pages, (long)e->addr, (long)e->length, 0, (long)past, 0, 0);
}

/* What has the path alone (O_PATH) tells of no seals. */
static long seals_behind(void *context)
{
	long fd = text_reopen(*(const int *)context, O_RDONLY);
	int seals = fd < 0 ? 0 : facts_seals((int)fd);

	if (fd >= 0)
		kernel_close((int)fd);
	return seals;
}

/* By a path only what has no name of its own can be sealed. */
static bool is_path_sealed(const struct ftruncate_event *e, const struct identity *identity, int seals)
{
	int fd = e->fd;
	long has = fd < 0 || identity->links ? 0 : apart_run(fd, seals_behind, &fd);

	return has > 0 && (has & seals);
}

int enforce_vain_size(const struct ftruncate_event *e, const struct identity *identity)
{
	uint64_t from = e->size_before, to = (uint64_t)e->length;
	int seal = to < from ? F_SEAL_SHRINK : to > from ? F_SEAL_GROW : 0;
	bool reads, writes = true, by_path = identity->fd < 0;
	int error = by_path ? facts_refused(identity->dirfd, identity->name, W_OK, 0)
		    : opened_for(identity->fd, &reads, &writes) ? 0
								: EBADF;

	if (error)
		return error;
	if (!writes || (identity->huge && to % identity->page))
		return EINVAL;
	return (by_path ? is_path_sealed(e, identity, seal) : is_sealed(identity->fd, seal)) ? EPERM : 0;
}

/* fallocate(2) looks at the mode and the descriptor before it refuses what would be longer than any file. */
int enforce_vain_allocation(const struct fallocate_event *e)
{
	const uint32_t known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE; /* to tmpfs and to hugetlbfs */
	int error = refused_before(EFBIG, SYS_fallocate, e->fd, (long)e->mode, 1, INT64_MAX, 0, 0);
	bool reads, writes, punches = e->mode & FALLOC_FL_PUNCH_HOLE;

	if (error || !opened_for(e->fd, &reads, &writes) || !writes)
		return error ? error : EBADF;
	if (e->offset > INT64_MAX - e->length)
		return EFBIG;
	if (e->mode & ~known)
		return EOPNOTSUPP;
	bool grows = !punches && (uint64_t)(e->offset + e->length) > e->size_before;
	int seals = (punches ? F_SEAL_WRITE | F_SEAL_FUTURE_WRITE : 0) | (grows ? F_SEAL_GROW : 0);
	return is_sealed(e->fd, seals) ? EPERM : 0;
}

/* A stream takes no bytes at all, and says what is wrong; with EPIPE comes the signal that the call would have brought. */
static int stream_refuses(const struct enforce_message *m)
{
	struct msghdr nothing = *m->header;
	int flags = MSG_DONTWAIT | (enforce_audits() || !m->first ? MSG_NOSIGNAL : m->flags & MSG_NOSIGNAL);

	nothing.msg_iov = NULL;
	nothing.msg_iovlen = 0;
	long answer = kernel_call(SYS_sendmsg, m->socket, (long)&nothing, flags, 0, 0, 0);
	return answer < 0 ? (int)-answer : 0;
}

/* What is wrong with the socket is told once: in audit mode to the call itself. */
static bool has_error(int socket)
{
	struct pollfd polled = {.fd = socket};
	const struct timespec now = {0};

	return kernel_call(SYS_ppoll, (long)&polled, 1, (long)&now, 0, 0, 0) > 0 && (polled.revents & POLLERR);
}

/*
 * An empty message is one there: of the bytes of this one the kernel finds at last that it cannot read them. Where there is no
 * room for it a call that waits would have waited.
 */
static int packet_refused(const struct enforce_message *m)
{
	struct msghdr unreadable = *m->header;
	long page = (long)page_size();
	long nothing = kernel_call(SYS_mmap, 0, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec byte = {(void *)nothing, 1};

	if (kernel_is_error(nothing))
		return 0;
	unreadable.msg_iov = &byte;
	unreadable.msg_iovlen = 1;
	int error = refused_before(EFAULT, SYS_sendmsg, m->socket, (long)&unreadable,
				   MSG_DONTWAIT | (m->flags & MSG_OOB), 0, 0, 0);
	kernel_call(SYS_munmap, nothing, page, 0, 0, 0, 0);
	return error == EAGAIN ? 0 : error;
}

static int packets_refuse(const struct enforce_message *m, int type)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;

	if (enforce_audits() && has_error(m->socket))
		return ECONNRESET;
	int error = packet_refused(m);
	if (error || (type == SOCK_DGRAM && m->header->msg_namelen))
		return error;
	long answer = kernel_call(SYS_getpeername, m->socket, (long)&peer, (long)&size, 0, 0, 0);
	return answer < 0 ? (int)-answer : 0;
}

int enforce_vain_message(const struct enforce_message *m)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof domain;

	if (recorder_filtered)
		return 0;
	long answer = kernel_call(SYS_getsockopt, m->socket, SOL_SOCKET, SO_DOMAIN, (long)&domain, (long)&size, 0);

	if (answer < 0)
		return (int)-answer;
	kernel_call(SYS_getsockopt, m->socket, SOL_SOCKET, SO_TYPE, (long)&type, (long)&size, 0);
	if (domain != AF_UNIX)
		return 0;
	return type == SOCK_STREAM ? stream_refuses(m) : packets_refuse(m, type);
}

static bool is_on_read_only(const struct identity *identity)
{
	bool by_fd = identity->fd >= 0;

	return enforce_read_only(&(struct enforce_place){.dirfd = by_fd ? identity->fd : identity->dirfd,
							 .path = by_fd || !identity->name ? "" : identity->name});
}

/* What the kernel looks at before it asks whose the object is. */
static int stays_as_it_is(const struct identity *identity)
{
	bool reads, writes;

	if (identity->fd >= 0 && !opened_for(identity->fd, &reads, &writes))
		return EBADF;
	return is_on_read_only(identity) ? EROFS : 0;
}

int enforce_vain_mode(const struct identity *identity)
{
	int error = stays_as_it_is(identity);

	if (error)
		return error;
	return facts_own(identity->uid) || facts_capable(CAP_FOWNER) ? 0 : EPERM;
}

/* Who owns it may give it to himself, and to a group of his. */
int enforce_vain_owner(const struct identity *identity, uid_t uid, gid_t gid)
{
	int error = stays_as_it_is(identity);
	bool own = facts_own(identity->uid), stays = uid == (uid_t)-1 || (own && uid == identity->uid);

	if (error)
		return error;
	if (stays && (gid == (gid_t)-1 || (own && (gid == identity->gid || facts_in_group(gid)))))
		return 0;
	return facts_capable(CAP_CHOWN) ? 0 : EPERM;
}

/* The kernel looks at the flags and for a descriptor first, and then at the path, which begins at no directory. */
static int opens_nothing(int flags, mode_t mode)
{
	long answer = kernel_call(SYS_openat, -1, (long)"-", flags, mode & 07777, 0, 0);

	return answer < 0 && answer != -EBADF ? (int)-answer : 0;
}

int enforce_vain_flags(const struct enforce_opening *o)
{
	return o->maker == MAKER_mknod ? 0 : opens_nothing(o->flags, o->mode);
}

/* What is at the path, and is not followed where it is a link. */
static int of_found(int flags, mode_t mode)
{
	if ((flags & O_DIRECTORY) && !S_ISDIR(mode))
		return ENOTDIR;
	if (S_ISLNK(mode))
		return ELOOP;
	return S_ISDIR(mode) && ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC))) ? EISDIR : 0;
}

/* That it was read is left out of its times for its owner only, of what may be read at all. */
static int is_refused(const struct enforce_opening *o, const char *path, const struct stat *st)
{
	int access = facts_access((uint32_t)o->flags) | (o->flags & O_TRUNC ? W_OK : 0),
	    error = facts_refused(o->dirfd, path, access, 0);

	if (error)
		return error;
	if ((o->flags & O_NOATIME) && !facts_own(st->st_uid) && !facts_capable(CAP_FOWNER))
		return EPERM;
	return S_ISSOCK(st->st_mode) ? ENXIO : 0;
}

int enforce_vain_creation(const struct enforce_opening *o, const char *path)
{
	if (!enforce_is_link(o->dirfd, path))
		return enforce_made_in_vain(o->dirfd, path, o->maker);
	/* By a link that leads nowhere it is made where that leads. */
	char *way = kernel_memory(2 * PATH_MAX);
	if (!way)
		return 0;
	bool leads = enforce_follow(o->dirfd, path, way, way + PATH_MAX);
	int error = leads ? enforce_made_in_vain(o->dirfd, way, o->maker) : 0;
	kernel_memory_free(way, 2 * PATH_MAX);
	return error;
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
	/* Who may not follow a link is not told where that leads. */
	if (missing)
		return missing != EACCES && (o->flags & O_CREAT) ? enforce_vain_creation(o, path) : (int)missing;
	if (exclusive)
		return enforce_made_twice(path, o->maker);
	if (enforce_sticky(o, path, itself, &st))
		return EACCES;
	/* The C library makes one of the other for shm_open(3). */
	if ((error = of_found(o->flags, st.st_mode)) == EISDIR && o->shm)
		return EINVAL;
	return error ? error : is_refused(o, path, &st);
}

/* The C library writes a new one elsewhere first, and gives it the name then; it follows no link to one that is there. */
int enforce_vain_semaphore(const struct enforce_semaphore *s, const char *path)
{
	bool creates = s->flags & O_CREAT, exclusive = creates && (s->flags & O_EXCL);
	struct stat st;
	long missing = -kernel_stat_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st);
	int error = opens_nothing(O_RDWR, 0);

	if (creates && s->value > SEM_VALUE_MAX && (exclusive || (!error && missing == ENOENT)))
		return EINVAL;
	if (error)
		return error;
	/* It finds no name for the new one where it may not look. */
	if (missing == EACCES && exclusive)
		return ENOENT;
	if (missing)
		return missing == ENOENT && creates ? enforce_made_in_vain(AT_FDCWD, path, MAKER_sem_open)
						    : (int)missing;
	if (exclusive)
		return enforce_made_twice(path, MAKER_sem_open);
	error = of_found(s->flags | O_RDWR, st.st_mode);
	return error ? error : is_refused(&(struct enforce_opening){.dirfd = AT_FDCWD, .flags = O_RDWR}, path, &st);
}
