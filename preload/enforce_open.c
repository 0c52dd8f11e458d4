#include "preload/enforce_open.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/xattr.h>

#include "preload/enforce_leave.h"
#include "preload/facts.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/text.h"
#include "preload/wipe.h"

/* An open that met a name which vanished or appeared meanwhile is tried again so often. */
enum { ATTEMPTS = 100 };

bool enforce_is_shm(int dirfd, const char *path)
{
	char parent[PATH_MAX];
	struct stat at, shm;
	const char *slash = kernel_readable(path) ? strrchr(path, '/') : NULL;
	size_t length = slash ? (size_t)(slash - path) + 1 : 1;

	if (!kernel_readable(path) || length >= sizeof parent)
		return false;
	memcpy(parent, slash ? path : ".", length);
	parent[length] = 0;
	return kernel_call(SYS_newfstatat, AT_FDCWD, (long)"/dev/shm", (long)&shm, 0, 0, 0) == 0 &&
	       kernel_call(SYS_newfstatat, dirfd, (long)parent, (long)&at, 0, 0, 0) == 0 && at.st_dev == shm.st_dev;
}

static int refused(int fd)
{
	int error = errno;
	kernel_close(fd);
	errno = error;
	return -1;
}

static enum enforce_verdict name_allowed(const struct enforce_opening *o, const struct policy_decision *d)
{
	const char *name = strncmp(o->name, "/dev/shm/", 9) == 0 ? o->name + 8 : o->name;

	if (d->has_names) {
		bool allowed = false;
		for (unsigned i = 0; i < d->names->count && !allowed; i++)
			allowed = policy_glob(d->names->item[i], name);
		if (!allowed)
			return ENFORCE(d, name_not_allowed);
	}
	const char *rest = name + strspn(name, "/");
	if (o->shm && enforce_asks(d, RULE_name_nonportable) &&
	    (name[0] != '/' || strchr(rest, '/') || strlen(rest) > NAME_MAX || !rest[strspn(rest, ".")]))
		return ENFORCE(d, name_nonportable);
	return VERDICT_go;
}

/* umask(2) can only be read by setting it, for a moment, for every thread; proc(5) tells it since Linux 4.7. */
static mode_t file_mode_mask(void)
{
	char status[1024];
	uint64_t digits;
	mode_t mask = 0;

	if (text_read("/proc/self/status", status, sizeof status) <= 0 || !text_field(status, "Umask:", &digits))
		return 0;
	for (unsigned shift = 0; digits; digits /= 10, shift += 3)
		mask |= (mode_t)(digits % 10) << shift;
	return mask;
}

struct mode_rule {
	enum rule_id rule;
	mode_t bits;
};

/* Clamps *mode; `mask`: bits that the process's umask takes away all the same, 0 after the fact. */
static enum enforce_verdict clamp(const struct policy_decision *d, mode_t *mode, mode_t mask)
{
	const struct mode_rule wide[] = {
		{RULE_world_writable, 002},
		{RULE_world_readable, 004},
		{RULE_mode_too_open, 0777 & ~d->max_mode},
	};

	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
		mode_t excess = *mode & wide[i].bits & ~mask;
		if (!excess || !enforce_asks(d, wide[i].rule))
			continue;
		struct check_finding finding = {.rule = wide[i].rule,
						.severity = rules[wide[i].rule].severity,
						.length = *mode,
						.limit = *mode & ~wide[i].bits};
		enum enforce_verdict verdict = enforce_broken(d, &finding, 0);
		if (verdict == VERDICT_deny)
			return verdict;
		if (verdict == VERDICT_fix)
			*mode &= ~wide[i].bits;
	}
	return VERDICT_go;
}

static bool wants_modes(const struct policy_decision *d, mode_t mode)
{
	return (enforce_asks(d, RULE_world_writable) && (mode & 002)) ||
	       (enforce_asks(d, RULE_world_readable) && (mode & 004)) ||
	       (enforce_asks(d, RULE_mode_too_open) && (mode & 0777 & ~d->max_mode));
}

/* The creation of what does not exist; fails with EEXIST if it came to exist meanwhile. */
static int create(const struct enforce_opening *o, const struct policy_decision *d)
{
	mode_t mode = o->mode;

	if (enforce_asks(d, RULE_too_many_objects) && ledger_created() >= d->max_objects &&
	    ENFORCE(d, too_many_objects, .size = ledger_created(), .limit = d->max_objects) == VERDICT_deny)
		return -1;
	if (wants_modes(d, mode) && clamp(d, &mode, file_mode_mask()) == VERDICT_deny)
		return -1;
	int fd = o->call(o, (o->flags & ~O_TRUNC) | O_CREAT | O_EXCL, mode);
	if (fd >= 0)
		ledger_count_created(1);
	return fd;
}

static bool is_allowed_owner(const struct policy_decision *d, uint32_t uid)
{
	if (uid == 0 || uid == (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0))
		return true;
	for (unsigned i = 0; d->allow_uid && i < d->allow_uid->count; i++)
		if (d->allow_uid->item[i] == uid)
			return true;
	return false;
}

/* Named entries of an access list (acl(5)): its extended attribute holds more than the three of the mode. */
static bool has_named_entries(int fd)
{
	char value[1024];
	long bytes = kernel_call(SYS_fgetxattr, fd, (long)"system.posix_acl_access", (long)value, sizeof value, 0, 0);
	return bytes > 4 + 3 * 8;
}

static bool nobody_maps(const struct identity *identity)
{
	return !ledger_mapped_end(identity) && facts_no_other_maps(identity);
}

/* Rules on an object that existed; the descriptor is open and nothing was done to the object yet. */
static enum enforce_verdict attached(const struct enforce_opening *o, const struct policy_decision *d, int fd,
				     struct identity *identity)
{
	enum enforce_verdict verdict;

	if (enforce_asks(d, RULE_foreign_owner) && !is_allowed_owner(d, identity->uid) &&
	    ENFORCE(d, foreign_owner, .other = (int32_t)identity->uid) == VERDICT_deny)
		return VERDICT_deny;
	if (enforce_asks(d, RULE_create_without_excl) && (o->flags & O_CREAT) && !is_allowed_owner(d, identity->uid) &&
	    ENFORCE(d, create_without_excl) == VERDICT_deny)
		return VERDICT_deny;
	if (enforce_asks(d, RULE_acl_grants) && has_named_entries(fd)) {
		verdict = ENFORCE(d, acl_grants);
		if (verdict == VERDICT_deny)
			return verdict;
		if (verdict == VERDICT_fix &&
		    kernel_call(SYS_fremovexattr, fd, (long)"system.posix_acl_access", 0, 0, 0, 0) < 0)
			enforce_not_fixed(RULE_acl_grants);
	}
	if ((o->flags & O_CREAT) && identity->size &&
	    (enforce_asks(d, RULE_stale_bytes) || (d->zero & ZERO_on_attach)) && nobody_maps(identity) &&
	    wipe_has_data(fd, identity)) {
		verdict = d->zero & ZERO_on_attach ? VERDICT_fix : ENFORCE(d, stale_bytes, .size = identity->size);
		if (verdict == VERDICT_deny)
			return verdict;
		if (verdict == VERDICT_fix && !wipe_object(fd, identity, WIPE_unused))
			enforce_not_fixed(RULE_stale_bytes);
	}
	return VERDICT_go;
}

/* O_TRUNC was kept from the real call: is it to happen now? */
static enum enforce_verdict truncating(const struct policy_decision *d, int fd, const struct identity *identity)
{
	if (!identity->size)
		return VERDICT_go;
	enum enforce_verdict verdict = enforce_asks(d, RULE_truncate_on_open)
					       ? ENFORCE(d, truncate_on_open, .size = identity->size)
					       : VERDICT_go;
	if (verdict == VERDICT_fix && !wipe_object(fd, identity, WIPE_unused))
		enforce_not_fixed(RULE_truncate_on_open);
	/* Linux truncates even through O_RDONLY, which ftruncate(2) refuses: through the descriptor's own path it works. */
	if (verdict == VERDICT_go && kernel_call(SYS_ftruncate, fd, 0, 0, 0, 0, 0) < 0) {
		char path[64] = "/proc/self/fd/";
		text_append_decimal(path, sizeof path, (uint64_t)fd);
		kernel_call(SYS_truncate, (long)path, 0, 0, 0, 0, 0);
	}
	return verdict;
}

/*
 * fs.protected_regular (proc(5)) refuses O_CREAT of another's file in a sticky directory, but not the plain open that was
 * made instead: the kernel is asked once more, so that the program gets the errno that it would have had.
 */
static bool kernel_refuses(const struct enforce_opening *o, const struct identity *identity)
{
	if (!(o->flags & O_CREAT) || identity->uid == (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0))
		return false;
	int again = o->call(o, o->flags & ~(O_EXCL | O_TRUNC), 0600);
	if (again >= 0)
		kernel_close(again);
	return again < 0;
}

static enum enforce_verdict examine(const struct enforce_opening *o, const struct policy_decision *d, int fd)
{
	struct identity identity;

	if (!identity_of_fd(fd, &identity))
		return VERDICT_go;
	identity.name = o->name;
	if (kernel_refuses(o, &identity))
		return VERDICT_deny;
	if (attached(o, d, fd, &identity) == VERDICT_deny)
		return VERDICT_deny;
	return o->flags & O_TRUNC ? truncating(d, fd, &identity) : VERDICT_go;
}

/* In a directory that others can write to: a link, a FIFO or a second name may be a trap laid by them. */
static enum enforce_verdict special(const struct enforce_opening *o, const struct policy_decision *d)
{
	struct stat st;

	if (o->shm || (o->flags & O_NOFOLLOW) || !enforce_asks(d, RULE_symlink_or_special) ||
	    kernel_call(SYS_newfstatat, o->dirfd, (long)o->path, (long)&st, AT_SYMLINK_NOFOLLOW, 0, 0) < 0)
		return VERDICT_go;
	bool trap = S_ISLNK(st.st_mode) || S_ISFIFO(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink > 1);
	if (!trap || is_allowed_owner(d, st.st_uid))
		return VERDICT_go;
	return ENFORCE(d, symlink_or_special, .other = (int32_t)st.st_uid);
}

/* With O_CREAT first as a creation, so that it is known which of the two it was, without a race. */
static int create_or_attach(const struct enforce_opening *o, const struct policy_decision *d)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		int fd = -1;
		if (o->flags & O_CREAT) {
			fd = create(o, d);
			if (fd >= 0 || errno != EEXIST || (o->flags & O_EXCL))
				return fd;
			enforce_forget();
		}
		fd = o->call(o, o->flags & ~(O_CREAT | O_EXCL | O_TRUNC), o->mode);
		if (fd < 0 && errno == ENOENT && (o->flags & O_CREAT))
			continue;
		if (fd < 0)
			break;
		return examine(o, d, fd) == VERDICT_deny ? refused(fd) : fd;
	}
	return -1;
}

int enforce_open(const struct enforce_opening *o)
{
	struct policy_decision d;
	int kept = errno, fd = -1;

	enforce_begin();
	enforce_decide(o->name, &d);
	if (name_allowed(o, &d) != VERDICT_deny && special(o, &d) != VERDICT_deny)
		fd = create_or_attach(o, &d);
	if (fd >= 0)
		errno = kept;
	enforce_end(o->caller);
	return fd;
}

/* Contents that must not outlive the name; while anybody maps the object they are still in use. */
static void wipe_at_unlink(const struct policy_decision *d, int dirfd, const char *path)
{
	struct identity identity;
	long fd = kernel_call(SYS_openat, dirfd, (long)path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0, 0, 0);

	if (fd >= 0 && identity_of_fd((int)fd, &identity))
		enforce_leave(d, (int)fd, &identity, nobody_maps(&identity), d->zero & ZERO_on_unlink);
	if (fd >= 0)
		kernel_close((int)fd);
}

static enum enforce_verdict unlinking(int dirfd, const char *path, const char *name)
{
	struct policy_decision d;
	struct identity identity;
	struct enforce_opening o = {.name = name};

	enforce_decide(name, &d);
	if (name_allowed(&o, &d) == VERDICT_deny)
		return VERDICT_deny;
	if (!identity_of_path(dirfd, path, AT_SYMLINK_NOFOLLOW, &identity))
		return VERDICT_go;
	if (enforce_asks(&d, RULE_unlink_by_stranger) && !is_allowed_owner(&d, identity.uid) &&
	    ENFORCE(&d, unlink_by_stranger, .other = (int32_t)identity.uid) == VERDICT_deny)
		return VERDICT_deny;
	if (identity.uid == (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0))
		ledger_count_created(-1);
	if ((d.zero & ZERO_on_unlink) || d.secret)
		wipe_at_unlink(&d, dirfd, path);
	return VERDICT_go;
}

enum enforce_verdict enforce_unlink(int dirfd, const char *path, const char *name, const void *caller)
{
	enforce_begin();
	enum enforce_verdict verdict = unlinking(dirfd, path, name);
	enforce_end(caller);
	return verdict;
}

enum enforce_verdict enforce_name(const char *name, const void *caller)
{
	struct policy_decision d;
	struct enforce_opening o = {.name = name};

	enforce_begin();
	enforce_decide(name, &d);
	enum enforce_verdict verdict = name_allowed(&o, &d);
	enforce_end(caller);
	return verdict;
}

unsigned enforce_memfd_flags(unsigned flags, const void *caller)
{
	struct policy_decision d;

	enforce_begin();
	enforce_decide(NULL, &d);
	if (!(flags & MFD_CLOEXEC) && enforce_asks(&d, RULE_memfd_no_cloexec) &&
	    ENFORCE(&d, memfd_no_cloexec) == VERDICT_fix)
		flags |= MFD_CLOEXEC;
	enforce_end(caller);
	return flags;
}

enum enforce_verdict enforce_mode(const struct identity *identity, mode_t *mode, const void *caller)
{
	struct policy_decision d;
	enum enforce_verdict verdict = VERDICT_go;

	if (identity->kind == KIND_memfd)
		return verdict;
	enforce_begin();
	enforce_decide_object(identity, &d);
	if (wants_modes(&d, *mode))
		verdict = clamp(&d, mode, 0);
	enforce_end(caller);
	return verdict;
}
