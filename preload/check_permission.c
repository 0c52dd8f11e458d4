/* "Permission" of the rule catalogue: who may reach what. The numbers of each finding stand beside its FOUND. */
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "preload/check.h"
#include "preload/facts_files.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static bool found(enum rule_id rule, enum severity severity, struct check_finding numbers)
{
	numbers.rule = rule;
	numbers.severity = severity;
	return check_found(&numbers);
}

#define FOUND(rule, severity, ...) found(RULE_##rule, SEVERITY_##severity, (struct check_finding){__VA_ARGS__})

/* length: the mode; limit: the mode that was asked for. A memfd's mode means nothing: it has no name to open it by. */
static bool open_to_all(const struct identity *identity, uint32_t requested)
{
	if (!(identity->mode & (S_IROTH | S_IWOTH)) || identity->kind == KIND_memfd || !facts_reachable(identity))
		return false;
	if ((identity->mode & S_IWOTH) &&
	    FOUND(world_writable, ERROR, .length = identity->mode, .limit = requested, .size = identity->size))
		return true;
	return (identity->mode & S_IROTH) &&
	       FOUND(world_readable, WARNING, .length = identity->mode, .limit = requested, .size = identity->size);
}

/* offset: the uid or gid; limit: its rights; other: 1 for a group; length: the mode. */
static void granted(const struct identity *identity)
{
	struct facts_grant grant;

	if (identity->kind != KIND_memfd && facts_grant(identity, &grant))
		FOUND(acl_grants, WARNING, .offset = grant.id, .limit = grant.rights, .other = grant.group,
		      .length = identity->mode, .size = identity->size);
}

static void mode_made(const struct check_opening *o, const struct identity *identity)
{
	if (open_to_all(identity, o->mode) || o->by != EVENT_shm_open)
		return;
	if (o->mode & 0777 & ~o->clamped & ~identity->mode)
		FOUND(umask_mismatch, NOTE, .length = identity->mode, .limit = o->mode & 0777);
}

/* shm_open(3) never follows a symlink; what is opened and is no object may be a FIFO. Of an object its link is known. */
static bool may_be_special(const struct check_opening *o, const struct identity *identity)
{
	static const char shm[] = "/dev/shm/";

	if ((o->created && (o->flags & O_EXCL)) || o->error == ENOENT)
		return false;
	if (o->by != EVENT_open)
		return !identity && !o->error;
	if (identity || (o->flags & O_NOFOLLOW))
		return false;
	for (size_t i = 0; i < sizeof shm - 1; i++)
		if (o->name[i] != shm[i])
			return false;
	return true;
}

/*
 * offset: whose it is; length: its mode with the type. Only a warning where the kernel refused (error), and for who just
 * reads what has a second name.
 */
static bool special(const struct check_opening *o, const struct identity *identity)
{
	char path[512];
	struct facts_file file, directory;
	bool linked = identity && identity->links > 1 && !o->created;

	if (identity && identity->link)
		file = (struct facts_file){identity->link_mode, identity->link_uid};
	else if ((!linked && !may_be_special(o, identity)) || !facts_path(o->by, o->dirfd, o->name, path) ||
		 !facts_file(path, &file))
		return false;
	if (!facts_stranger(file.uid))
		return false;
	bool symlink = (file.mode & S_IFMT) == S_IFLNK, fifo = (file.mode & S_IFMT) == S_IFIFO;
	if (!symlink && !((fifo || linked) && facts_directory(path, &directory) && (directory.mode & S_ISVTX)))
		return false;
	bool harmless = o->error || (!symlink && !fifo && (o->flags & (O_ACCMODE | O_CREAT)) == O_RDONLY);
	return found(RULE_symlink_or_special, harmless ? SEVERITY_WARNING : SEVERITY_ERROR,
		     (struct check_finding){.offset = file.uid, .length = file.mode, .error = o->error});
}

/* offset: whose it is; length: its mode. */
static bool refused_by_sticky(const struct check_opening *o)
{
	char path[512];
	struct facts_file file, directory;

	if (o->error != EACCES || !(o->flags & O_CREAT) || !facts_path(o->by, o->dirfd, o->name, path) ||
	    !facts_file(path, &file) || (file.mode & S_IFMT) != S_IFREG || !facts_stranger(file.uid) ||
	    !facts_directory(path, &directory) || !facts_sticky(&file, &directory, false) ||
	    !facts_may_open(AT_FDCWD, path, o->flags))
		return false;
	return FOUND(sticky_refused, NOTE, .offset = file.uid, .length = file.mode & 07777, .error = o->error);
}

/* Whose object is it? offset: its owner; length: its mode; create-without-excl: size as found, limit 1 if created. */
static void party(const struct check_opening *o, const struct identity *identity)
{
	bool creates = o->flags & O_CREAT;

	if (refused_by_sticky(o) || special(o, identity) || o->error || !identity)
		return;
	if (check_foreign(identity) &&
	    found(RULE_foreign_owner, creates ? SEVERITY_ERROR : SEVERITY_NOTE,
		  (struct check_finding){.offset = identity->uid, .length = identity->mode, .size = identity->size}))
		return;
	if (o->by == EVENT_shm_open && creates && !(o->flags & O_EXCL))
		FOUND(create_without_excl, WARNING, .offset = identity->uid, .length = identity->mode,
		      .size = o->size_before, .limit = o->created);
}

void check_permission_opened(const struct check_opening *o, const struct identity *identity)
{
	/* What is reached through /proc/self/fd is one's own already. */
	if (identity && identity->kind == KIND_memfd)
		return;
	party(o, identity);
	if (o->error || !identity)
		return;
	if (o->created)
		mode_made(o, identity);
	granted(identity);
}

void check_permission_chmod(const struct chmod_event *e, const struct identity *identity)
{
	if (e->error)
		return;
	open_to_all(identity, e->mode);
	granted(identity);
}

/* It was made where no one could reach it, and is put where all can. */
void check_permission_moved(const char *from, const char *to, int16_t error, const struct identity *identity)
{
	struct identity moved = *identity;
	const char *from_slash = from ? strrchr(from, '/') : NULL, *to_slash = strrchr(to, '/');
	size_t length = from_slash ? (size_t)(from_slash - from) : 0;

	if (error || (from && length == (to_slash ? (size_t)(to_slash - to) : 0) && strncmp(from, to, length) == 0))
		return;
	moved.name = to;
	moved.dirfd = AT_FDCWD;
	open_to_all(&moved, identity->mode);
}

/* What is sealed against writing may be trusted to stay what it is. */
static bool is_fixed(const struct mmap_event *e, const struct identity *identity)
{
	int seals = identity->kind == KIND_memfd ? facts_seals(e->fd) : -1;
	return seals >= 0 && (seals & F_SEAL_WRITE);
}

void check_permission_mmap(const struct mmap_event *e, const struct identity *identity)
{
	if ((e->prot & PROT_EXEC) && !e->error && !is_fixed(e, identity))
		FOUND(exec_map, WARNING, .offset = e->offset, .length = e->length, .size = identity->size,
		      .limit = e->prot);
}

void check_permission_mprotect(const struct mprotect_event *e)
{
	if ((e->prot & PROT_EXEC) && !e->error && e->object)
		FOUND(exec_map, WARNING, .length = e->length, .limit = e->prot);
}

/* no-cloexec: length: the descriptor, limit: the flags. executable: length: the mode, limit: the flags. */
void check_permission_memfd(const struct memfd_create_event *e, const struct identity *identity)
{
	if (e->error || !identity)
		return;
	if (!(e->flags & MFD_CLOEXEC))
		FOUND(memfd_no_cloexec, WARNING, .length = (uint64_t)e->result, .limit = e->flags);
	/* The system may make all of them so: vm.memfd_noexec. */
	if (!(e->flags & (MFD_NOEXEC_SEAL | MFD_EXEC)) && (identity->mode & 0111))
		FOUND(memfd_executable, NOTE, .length = identity->mode, .limit = e->flags);
}

/* Standard input, output and error are redirected in order to be inherited. */
void check_permission_dup(const struct dup_event *e, const struct identity *identity)
{
	if (!e->error && identity->kind == KIND_memfd && e->result > STDERR_FILENO && facts_survives_exec(e->result))
		FOUND(memfd_no_cloexec, WARNING, .length = (uint64_t)e->result, .offset = e->fd,
		      .size = identity->size);
}

/* length: the seals that it has. */
void check_permission_sendmsg(const struct sendmsg_event *e, const struct identity *identity)
{
	int seals = e->error || identity->kind != KIND_memfd ? -1 : facts_seals(e->fd);

	if (seals >= 0 && !(seals & F_SEAL_SHRINK))
		FOUND(memfd_unsealed_share, WARNING, .length = (uint64_t)seals, .size = identity->size);
}
