/* What to do about a finding, by its rule, and where that has several causes by the cause. */
#include "analyzer/report.h"

static const char *const advice[RULE_COUNT] = {
	[RULE_segment_leak] =
		"shm_unlink() the name once every process has attached, or on every way out of the owner; "
		"a name outlives its processes until it is unlinked or the machine restarts",
	[RULE_mapping_leak] = "munmap() what this call maps when it is no longer used, or map it once and keep it",
	[RULE_fd_leak] = "close() the descriptor after mmap(): the mapping stays valid without it",
	[RULE_partial_unmap] = "munmap() the whole length that was mapped, rounded up to the page",
	[RULE_double_unlink] = "let one process own the name and unlink it once; by now the name may be another's",
	[RULE_name_vanished] =
		"look for what cleans /dev/shm: systemd's RemoveIPC=yes removes it when the user logs out",
	[RULE_split_brain] =
		"make all users reattach when the name is replaced, or never reuse the name of a live object",
	[RULE_churn] = "keep the object or the mapping and use it again, or take it from a pool",
	[RULE_map_beyond_end] = "map what fstat() says, or make the object longer before anything touches the rest",
	[RULE_map_before_size] =
		"ftruncate() before mmap(); whoever attaches waits until fstat() shows a size other than 0",
	[RULE_resize_failed_ignored] = "look at what ftruncate() returns, and map no more than fstat() says",
	[RULE_shrink_under_map] =
		"do not shrink what others map: unlink it and make a new one, or punch a hole and keep "
		"the size; an object of memfd_create() can be sealed with F_SEAL_SHRINK",
	[RULE_truncate_on_open] = "leave O_TRUNC out, or create with O_EXCL and under another name",
	[RULE_resize_by_attacher] = "let the creator alone resize, and the others map what fstat() says",
	[RULE_shm_fs_full] = "reserve with posix_fallocate() and take ENOSPC for an answer, or give /dev/shm more room "
			     "(docker run --shm-size=1g)",
	[RULE_sparse_unreserved] =
		"posix_fallocate() where a SIGBUS in the middle of the work would be worse than ENOSPC "
		"before it",
	[RULE_memory_limit] = "raise the memory limit of the container or the service: shared memory counts against it",
	[RULE_huge_page_unbacked] =
		"leave MAP_NORESERVE out, so that mmap() fails instead of a touch; raise vm.nr_hugepages",
	[RULE_huge_page_misaligned] = "use multiples of f_bsize of fstatfs() for length and offset",
	[RULE_punch_unreserves] = "posix_fallocate() the range again before it is used",
	[RULE_tail_overrun] = "map and use no more than the object's size, or round that up to a page",
	[RULE_file_size_limit] = "raise RLIMIT_FSIZE (ulimit -f); it counts for shared memory and memfd as well",
	[RULE_lock_limit] = "raise RLIMIT_MEMLOCK (ulimit -l), or lock less",
	[RULE_private_map] = "use MAP_SHARED to write for others, or map without PROT_WRITE",
	[RULE_access_mismatch] = "open with O_RDWR what is written or resized, and map from a multiple of the page",
	[RULE_sigbus_cause] = "whoever changes the size must know who maps it; a mapper of a size that others control "
			      "must expect SIGBUS, or ask for a sealed memfd",
	[RULE_reservation_interrupted] =
		"call posix_fallocate() again while it returns EINTR, in steps of some megabytes",
	[RULE_size_disagreement] = "store the size in the object, and map what fstat() says",
	[RULE_stale_at_start] = "find out which run leaves them (segment-leak), and shm_unlink() them",
	[RULE_stale_reattach] = "create with O_EXCL, and after EEXIST decide what is to become of the leftover",
	[RULE_unlink_by_stranger] = "let the owner alone unlink, and other users only detach",
	[RULE_name_collision] = "use a random name with O_EXCL, and another one after EEXIST",
	[RULE_descriptor_exhaustion] = "close() and munmap() what is done with, or raise the limit",
	[RULE_lock_not_robust] = "pthread_mutexattr_setrobust(PTHREAD_MUTEX_ROBUST), and handle EOWNERDEAD",
	[RULE_world_writable] = "create with mode 0600, or 0660 and a group; fchmod() what is already there",
	[RULE_world_readable] = "create with mode 0600, or 0640 and a group",
	[RULE_mode_too_open] = "create with the mode that is needed, or give the policy's max-mode the bits that are",
	[RULE_umask_mismatch] = "fchmod() after creation to the mode that is needed",
	[RULE_create_without_excl] =
		"create with O_EXCL; after EEXIST open without O_CREAT and check owner, mode and size",
	[RULE_foreign_owner] = "create with O_EXCL, and check fstat()'s st_uid of what is opened before it is used",
	[RULE_symlink_or_special] = "use shm_open(), or open() with O_NOFOLLOW and fstat() what comes",
	[RULE_acl_grants] = "setfacl -b, and no default list on the directory",
	[RULE_predictable_name] = "make the name random and create with O_EXCL, or pass a memfd over a socket",
	[RULE_name_nonportable] = "begin the name with a slash, and have no other in it",
	[RULE_sticky_refused] = "open without O_CREAT first, and create with O_EXCL when there is nothing",
	[RULE_exec_map] = "map without PROT_EXEC, or take a memfd sealed with F_SEAL_WRITE",
	[RULE_memfd_no_cloexec] = "memfd_create(..., MFD_CLOEXEC); clear it in the child that is to inherit it",
	[RULE_memfd_unsealed_share] =
		"F_ADD_SEALS with F_SEAL_SHRINK before it is sent, and F_GET_SEALS where it is received",
	[RULE_memfd_executable] = "memfd_create(..., MFD_NOEXEC_SEAL), and without it where that gives EINVAL",
	[RULE_name_not_allowed] = "add the name to the policy's names, if the program is meant to use it",
	[RULE_object_too_large] = "make it smaller, or raise the policy's max-size",
	[RULE_too_many_objects] = "unlink what is done with, or raise the policy's max-objects",
	[RULE_weak_mount] = "mount -o remount,nosuid,nodev,noexec /dev/shm",
	[RULE_stale_bytes] = "create with O_EXCL, or clear what is adopted",
	[RULE_grow_exposes_tail] = "size objects in whole pages, or clear the rest of the page before it grows",
	[RULE_secret_left] =
		"clear it before the last munmap() and close(), or let the policy do it (secret-left = fix)",
	[RULE_dumpable_secret] = "madvise(MADV_DONTDUMP) and mlock() right after mmap()",
	[RULE_unsynchronised_sharing] =
		"a mutex in the object, with pthread_mutexattr_setpshared() and setrobust(), or a semaphore; a design "
		"without locks needs atomics with acquire and release on both sides",
	[RULE_huge_page_advice] = "do what the message says, where it is measured to help",
	[RULE_lock_advice] = "mlock() what must answer at once, or give the machine or the cgroup more memory",
	[RULE_discard_no_op] = "MADV_REMOVE, or fallocate() with FALLOC_FL_PUNCH_HOLE",
};

static const char *const remedies[REMEDY_COUNT] = {
	[REMEDY_shrunk] =
		"do not shrink what others map: unlink it and make a new one, or punch a hole and keep the size; a "
		"mapper of a size that others control must expect SIGBUS, or ask for a sealed memfd",
	[REMEDY_shrunk_itself] =
		"munmap() or mremap() what lies past the new end before ftruncate(), or punch a hole and "
		"keep the size",
	[REMEDY_emptied] =
		"leave O_TRUNC out where an object may be in use, or create with O_EXCL and under another name",
	[REMEDY_too_short] =
		"ftruncate() to the whole length before anything touches it, and map no more than fstat() says; "
		"whoever attaches waits until it has its size",
	[REMEDY_full] =
		"reserve with posix_fallocate() before the first touch and take ENOSPC for an answer; remove what "
		"fills the file system, or give it more room (docker run --shm-size=1g)",
	[REMEDY_punched] =
		"posix_fallocate() a range that was punched before it is used again, and take ENOSPC for an answer; "
		"or give the file system more room (docker run --shm-size=1g)",
	[REMEDY_no_huge_page] =
		"leave MAP_NORESERVE out, so that mmap() fails instead of a touch; raise vm.nr_hugepages, or "
		"the hugetlb limit of the cgroup",
	[REMEDY_hardware] =
		"have the machine's memory examined: the kernel's log names the page, and no program can mend it",
	[REMEDY_sent] = "find out who sends it: no memory was touched",
	[REMEDY_not_ours] = "look at what was mapped at that address: most likely a file that became shorter",
};

const char *report_advice(const struct finding *finding)
{
	return finding->remedy ? remedies[finding->remedy] : advice[finding->rule];
}
