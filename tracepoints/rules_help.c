#include "rules.h"

const char *const rule_help[RULE_COUNT] = {
	[RULE_map_beyond_end] =
		"The mapping reaches past the last page of the object. mmap succeeds, and the first touch past that "
		"page kills the process with SIGBUS. Checked: offset + length > the object's size rounded up to a "
		"page, with a size above 0 and some access asked for, at mmap, mremap, and mprotect where that gives "
		"it; a read-only mapping is a warning, as readers often map more than there is. Deny fails the call "
		"with ENXIO, POSIX's own code for it; nothing is ever grown silently. Legal all the same: mapping "
		"first and growing later, as databases do, which is why a later resize that covers the mapping turns "
		"this into a note. Cure: map what fstat says, or ftruncate before mmap. Seen in saleyn/emmap#3.",
	[RULE_map_before_size] =
		"The object has size 0 when it is mapped: ftruncate was forgotten, or the reader won a race against "
		"the creator. Any touch is a SIGBUS. Checked: st_size is 0 at mmap. Deny: ENXIO. Fix: wait a limited "
		"time for a size. Legal: a creator that maps first and sizes before it touches; then it ends as a "
		"note. Cure: let the creator size the object under another name and rename or link it into place, or "
		"let the reader retry until fstat shows the expected size. Seen in dimensionalOS/dimos#3671.",
	[RULE_resize_failed_ignored] =
		"The last ftruncate or fallocate on this object failed, and it is mapped nevertheless, beyond the "
		"size it really has: the failure comes back as a SIGBUS far from its cause. Checked: that failure, "
		"and offset + length > the size rounded up to a page. Deny: ENXIO. No legal use is known. Cure: "
		"check the return value of the resize. Seen in numactl/numactl#82.",
	[RULE_shrink_under_map] =
		"The object shrinks while somebody still maps the part that goes away; whoever touches that part "
		"next dies of SIGBUS, perhaps another program. Checked: the new size rounded up to a page is below "
		"the end of a live mapping, of this process first, then of every other one in /proc/*/maps, by "
		"device and inode. An error if another process maps the tail, a warning if only this one does, a "
		"note once that tail is unmapped. Deny: EPERM, as for a sealed memfd. Fix: punch a hole into the "
		"tail and keep the size. Legal: a library that shrinks and remaps at once. Cure: agree on the size "
		"before shrinking, or never shrink. Seen in hyprwm/Hyprland#7518 and python/cpython#148650.",
	[RULE_truncate_on_open] =
		"O_TRUNC on an object that exists and has contents: it is emptied under everyone who maps it, even "
		"when it is opened read-only, and their next touch is a SIGBUS. Checked: O_TRUNC, the object "
		"existed, its size was above 0; an error if another process maps it, else a warning. Deny: EACCES. "
		"Fix: drop the flag and punch the contents out, which keeps the size. Either is done where shm_open "
		"asks, and where open or its kin do of what somebody maps, or may map; an ordinary file on /dev/shm "
		"that nobody maps is emptied, and that is recorded. Cure: create with O_EXCL, and unlink what is "
		"stale first. Seen in asajeffrey/shared-data#7.",
	[RULE_resize_by_attacher] =
		"A process that did not create the object changes the size that its creator gave it. The creator and "
		"other users still believe in the old one. Checked, at ftruncate, truncate and an fallocate that grows "
		"it: the caller neither is the creator nor gave it its first size, that was above 0, and the new one "
		"differs. After an exec, or in a forked child, it is neither of what was made before. Deny: EPERM. "
		"Legal: logs and heaps that any user may grow by agreement. Cure: let the creator alone resize; attach "
		"with the size that fstat tells. Seen in osvenskan/posix_ipc#3.",
	[RULE_shm_fs_full] =
		"The object is given a size that its file system cannot hold. ftruncate never checks for space, so "
		"it succeeds, and the program dies of SIGBUS when it touches the page that is one too many: the "
		"usual fate in a container whose /dev/shm has 64 MB. Checked: a tmpfs with a limit, and the new size "
		"less the blocks allocated is more than what is free. Deny: ENOSPC at ftruncate, ENOMEM at mmap. "
		"Fix: reserve with posix_fallocate, and restore the old size if that fails. Legal: sizing generously "
		"and touching little; if the object ended without a fault this is a note. Cure: posix_fallocate "
		"instead of ftruncate, or a larger /dev/shm (docker run --shm-size). Seen in pytorch/pytorch#5247, "
		"docker-library/postgres#416, SeleniumHQ/docker-selenium#589.",
	[RULE_sparse_unreserved] =
		"A writable mapping of which some pages have no memory yet and for which nothing was reserved. Each "
		"first touch has to find a page, and is a SIGBUS if there is none left. Checked: allocated bytes "
		"below the part of the object that is mapped, and no fallocate seen. Fix, for names a policy lists: "
		"reserve. Legal, and common: large objects that are filled slowly; therefore a note. Cure: "
		"posix_fallocate where failing early matters. Seen in mongodb/mongo-c-driver#1244; deliberate in "
		"neondatabase/neon#6748.",
	[RULE_memory_limit] =
		"Pages of shared memory are charged to the memory cgroup of whoever touches them first. The object "
		"grows beyond what that cgroup, or one above it, has left; touching it all ends in an OOM kill, not "
		"in a SIGBUS. Checked: for growth of 1 MiB or more, against memory.max less the current usage of "
		"each cgroup upwards. Deny: ENOMEM. Reclaimable cache counts as used, so this is a warning. Cure: "
		"raise the limit, or size by it. Seen in kubernetes/kubernetes#128339.",
	[RULE_huge_page_unbacked] =
		"A mapping of huge pages made with MAP_NORESERVE while the pool has too few free ones: touching a "
		"page that is not there is a SIGBUS. Checked: free minus reserved pages against the mapping's length "
		"minus the pages the object already has. Deny: ENOMEM. Fix: populate at once with "
		"MADV_POPULATE_WRITE, which answers with an error instead of a signal. The pool is shared, so the "
		"answer can age. Cure: leave MAP_NORESERVE out, or enlarge the pool. Seen in "
		"cloud-hypervisor/cloud-hypervisor#7387.",
	[RULE_huge_page_misaligned] =
		"A length or offset on hugetlb memory that is no multiple of the huge page. Calls fail with EINVAL, "
		"or do less than they seem to. Checked: against the block size that fstatfs tells, at mmap, munmap "
		"and fallocate. Deny: EINVAL. Cure: round up to that size. Seen in "
		"firecracker-microvm/firecracker#6237.",
	[RULE_punch_unreserves] =
		"A hole is punched into memory that had been reserved before. The reservation is gone with the "
		"contents: the next touch may find the file system full. Checked: fallocate with "
		"FALLOC_FL_PUNCH_HOLE or madvise with MADV_REMOVE on a range that was reserved. Fix: reserve it "
		"again. Legal: balloons and garbage collectors mean it. Cure: overwrite with zeros where the "
		"reservation matters.",
	[RULE_tail_overrun] =
		"The mapping ends between the object's end and the end of its last page. No signal comes there, but "
		"what is written past the end is never stored, and nobody else is promised to see it. Checked: size "
		"< offset + length <= size rounded up to a page. Legal: callers that round to pages. Cure: give the "
		"object the length that is used.",
	[RULE_size_disagreement] =
		"Two processes map the same object with different lengths although it had the same size for both. "
		"One of them has another idea of the layout: an old version, another struct, a 32-bit peer. It reads "
		"garbage, or dies past its end. Checked from the whole recording: the longest mapping that each "
		"process made of the object, and the object's size at that call. Legal: mapping views of a large "
		"object; a process that only does that is not counted. Cure: keep size and version in a header and "
		"check them after mapping. Seen in php/php-src#22982.",
	[RULE_file_size_limit] =
		"A resize beyond RLIMIT_FSIZE, which holds for shared memory and memfds too: the call fails with "
		"EFBIG and SIGXFSZ kills the process. Checked: the new size against the limit. Deny: EFBIG without "
		"the signal. Cure: raise the limit, or size by it. Seen in python-discord/snekbox#113.",
	[RULE_lock_limit] =
		"mlock or MAP_LOCKED asks for more than RLIMIT_MEMLOCK leaves, without the capability to exceed it; "
		"the call fails, or the memory silently is not locked. Checked: length plus the memory already "
		"locked against the limit. Deny: what the kernel answers, EAGAIN at mmap, ENOMEM at mlock, EPERM where "
		"nothing may be locked. An ENOMEM at mlock may also mean that the tmpfs is full. "
		"Cure: raise the limit (limits.conf, LimitMEMLOCK=). Seen in jackaudio/jack1#63.",
	[RULE_private_map] =
		"MAP_PRIVATE and PROT_WRITE on a shared memory object: writes go to a private copy and no other "
		"process ever sees them. Checked: these two flags. Legal: a snapshot to scribble on. Cure: "
		"MAP_SHARED.",
	[RULE_access_mismatch] =
		"The call asks for what the descriptor cannot give: a writable shared mapping or a resize through a "
		"read-only descriptor, any mapping of a write-only one, an offset that is no multiple of the page. "
		"The kernel refuses it with an errno (EACCES, EINVAL) that fits many causes; this names the one. "
		"Checked: the descriptor's access mode against the request. Cure: open with O_RDWR what is to be "
		"written or mapped writable.",
	[RULE_sigbus_cause] =
		"The process got SIGBUS in a mapping of shared memory. Told from the faulting address, the mapping, "
		"the object's size at that moment, the space left on its file system and the huge page pool: past "
		"the end and since when, file system full, no huge page, broken hardware, or not ours. Fix: put a "
		"page of zeros under the fault and go on, as display servers do for untrusted buffers; still "
		"reported as an error. A program's own handler stays, and is called for every fault that was not "
		"survived: of one that was it hears nothing. Cure: whatever the cause says. Seen in "
		"pytorch/pytorch#26009.",
	[RULE_reservation_interrupted] =
		"posix_fallocate returned EINTR: a signal came, and nothing is reserved. A large reservation under a "
		"profiling or interval timer may never get through. Checked: that result. Fix: reserve in pieces and "
		"try again. Cure: the same in the program. Seen in ClusterLabs/libqb#451.",
	[RULE_segment_leak] =
		"An object was created and left behind: when the recording ends its name still leads to it, and no "
		"process, recorded or not, has it open or mapped. Its memory is lost until somebody unlinks it or "
		"the machine restarts, and a few crashes fill /dev/shm. Checked from the whole recording and a look "
		"at the machine at its end: created in the recording, the name leads to the same inode, no holder; a "
		"plain file in /dev/shm counts once it was mapped shared. The stack is that of the creation; a "
		"creator that was killed is named as such. Legal: state meant to survive a restart. Cure: shm_unlink "
		"as soon as every party has it open, or on every way out including signals; pass a memfd instead of "
		"a name; at start remove what the last run left. Seen in sgl-project/sglang#40723 (852 objects, 18 "
		"GiB in five minutes) and open-mpi/ompi#7220.",
	[RULE_mapping_leak] =
		"Mappings made by one place in the code pile up and are never unmapped: address space, page tables "
		"and vm.max_map_count run out, and unlinked objects keep their memory. An error when it grows: for "
		"one process and stack, counting only what it acquired itself, at least 10 are outstanding at its "
		"end, and there are strictly more at the end than at 75 % and more there than at 50 % of the time "
		"since the first. Otherwise, of a process that ended by itself, a note of what it still held, which "
		"is how most programs end; one that was killed, or runs on, had no chance to unmap. Legal: caches "
		"that grow by design. Cure: munmap on the same path that maps, error paths too.",
	[RULE_fd_leak] =
		"Descriptors of shared memory made by one place in the code pile up: RLIMIT_NOFILE is reached, and "
		"unlinked objects keep their memory. Checked as mapping-leak is, for descriptors whose object the "
		"process does not map, or no longer: an error when it grows; else a note, if the object was mapped "
		"before. Legal: a descriptor kept for a later resize. Cure: close right after mmap; the mapping does "
		"not need the descriptor. Seen in pytorch/pytorch#11201.",
	[RULE_partial_unmap] =
		"munmap was given less than the mapping's length rounded up to pages, and the rest stayed mapped to "
		"the end of the process. Often a length without a header, or one that changed since. Checked: a "
		"piece of a mapping unmapped, and another of it still there at the end. Legal: splitting on purpose, "
		"to trim alignment or give memory back. Cure: keep the length that mmap was given beside the "
		"address.",
	[RULE_stale_at_start] =
		"Before the program even starts, objects of this user that no process has open take up a good part "
		"of the file system. Earlier runs left them, and this one may find /dev/shm full. Checked once: "
		"whether they fill a tenth of the tmpfs. Nothing is removed automatically, as users in other pid "
		"namespaces cannot be seen. Cure: find out who leaves them (segment-leak) and unlink them. Seen in "
		"sgl-project/sglang#28089.",
	[RULE_stale_reattach] =
		"shm_open with O_CREAT found an object that nobody was using: the remains of an earlier, perhaps "
		"crashed run. Its contents, locks included, are half finished. Checked: it existed, its size was "
		"above 0, nobody mapped it, and its creator has ended, or nobody had it open when the recording "
		"began. Deny: EEXIST. "
		"Fix, for names a policy lists: unlink it and create anew. A policy sees at the call who maps it or "
		"has it open, and how old it is: what is older than the process, or fork, that opens it counts as "
		"left. "
		"Legal: a warm restart. Cure: O_EXCL, and "
		"a decision what to do about leftovers. Seen in eProsima/Fast-DDS#6501.",
	[RULE_unlink_by_stranger] =
		"A process removes the name of an object that it neither created nor owns. Those who come later make "
		"a new object under that name, and the parties no longer meet. A warning; only a note for a relative "
		"of the same user, and for Python's resource_tracker, whose task this is. Deny: EACCES, for another "
		"user only. Legal: the last one to leave unlinks. Cure: one owner, who alone unlinks. Seen in "
		"python/cpython#104291.",
	[RULE_double_unlink] =
		"A name is removed a second time; the call fails with ENOENT. Two parties each believe they own it, "
		"and if a third creates the name between the two calls, the second removes a living object. Checked: "
		"an unlink that fails with ENOENT while the recording holds an earlier one that succeeded for that "
		"name and no creation since; both stacks are shown. Legal, and not reported: removing whatever may "
		"be there just before creating it anew. Cure: one owner for the name. Seen in pytorch/pytorch#30225.",
	[RULE_name_vanished] =
		"shm_open fails with ENOENT although the object was created in this recording and nobody in it "
		"removed the name. Something outside did: for users from uid 1000 on the usual one is "
		"systemd-logind, which removes a user's shared memory at the last logout (RemoveIPC). Checked: "
		"creation seen, no unlink or rename seen, and then an open that fails with ENOENT, or the name gone "
		"when the recording stopped. Legal: a cleaner outside the recording. Cure: RemoveIPC=no in "
		"logind.conf, or run as a system user, or loginctl enable-linger. Seen in systemd/systemd#2039.",
	[RULE_split_brain] =
		"A name now leads to a new object while processes still map the old one that had that name. Both "
		"halves go on, each believing the other listens. Checked: an unlink or rename followed by a creation "
		"under the same name, with live mappings of the old object in another process of the same mount "
		"namespace. Legal: a rolling upgrade in which old users drain away. Cure: put a generation into the "
		"object and have users check it, or hand over descriptors instead of names.",
	[RULE_name_collision] =
		"The name is made of the process's own pid, and exists already: an earlier process with that pid "
		"left it, or one in another pid namespace that shares /dev/shm uses it now. Checked: shm_open fails "
		"with EEXIST, the name holds the own pid, and its creator is dead or out of sight. Cure: random "
		"names with O_EXCL in a loop. Seen in ofiwg/libfabric#11147.",
	[RULE_churn] =
		"One place in the code creates and unlinks objects, or maps and unmaps them, many times a second. "
		"Each cycle costs system calls, page faults, zeroing and TLB shootdowns on every core. Checked from "
		"the whole recording: at least 1,000 complete cycles of one stack within one second; the message "
		"tells the busiest second, and what passed on average from giving one up to having the next, pauses of "
		"a millisecond left out: the calls, what the program does between them, and their recording. Legal: "
		"short tests and benchmarks. Cure: keep a pool and reuse objects.",
	[RULE_descriptor_exhaustion] =
		"open or mmap failed for want of descriptors or mappings, or nine tenths of RLIMIT_NOFILE or "
		"vm.max_map_count are used. What fails next is arbitrary. Checked: EMFILE and ENOMEM against these "
		"two limits. Cure: close and unmap (fd-leak, mapping-leak), or raise the limit. Seen in "
		"pytorch/pytorch#973.",
	[RULE_lock_not_robust] =
		"A process-shared mutex without the robust attribute: if its owner dies, everyone else waits for "
		"ever. Checked: pthread_mutex_init in an object, with PTHREAD_PROCESS_SHARED and without "
		"PTHREAD_MUTEX_ROBUST. Legal: where "
		"something else recovers the lock. Cure: PTHREAD_MUTEX_ROBUST, and handling of EOWNERDEAD. Seen in "
		"boostorg/interprocess#65.",
	[RULE_world_writable] =
		"Any user of the machine may write to a named object, and therefore also truncate it, which kills "
		"its users with SIGBUS. Checked: mode & 002 of a named object in a directory that others can search "
		"by then, at creation, when it is moved there, and at each chmod or access list; never a memfd, whose "
		"mode means nothing. Deny: EACCES. Fix: the bits are masked at creation, clamped at chmod. Legal: "
		"communication between users by design. Cure: mode 0600, or a group. See CVE-2013-2905.",
	[RULE_world_readable] =
		"Any user of the machine may read a named object: buffers, keys, frames of a camera. Checked as "
		"world-writable is, for mode & 004. Deny: EACCES. Fix: mask the bits. Cure: mode 0600; some "
		"libraries default to 0644.",
	[RULE_mode_too_open] =
		"The mode has bits beyond the max-mode of the policy, set-user-ID, set-group-ID and sticky bits "
		"among them, wherever the object lies. Checked at creation and each chmod or access list. Deny: "
		"EACCES. Fix: mask the bits. Cure: ask for the mode that is needed. CWE-732 describes the class.",
	[RULE_umask_mismatch] =
		"The umask took bits away that the program asked for: a peer of another user or group will be "
		"refused. Checked: requested & ~actual mode at creation. Fix: fchmod to what was asked for. umask "
		"itself is never touched, as it belongs to the whole process. Cure: fchmod after creation. Seen in "
		"ipbus/ipbus-software#197.",
	[RULE_create_without_excl] =
		"O_CREAT without O_EXCL adopts whatever is there: a leftover, or an object that another user put "
		"under that name to wait for this program. Checked: which of the two happened, by trying O_EXCL "
		"first. Deny: EEXIST for an object of another user. Fix: O_EXCL is added, and an existing object is "
		"verified. Legal: several parties of which any may be the first. Cure: O_EXCL, and a check of owner, "
		"mode and size after EEXIST. Seen in LadybirdBrowser/ladybird#10765.",
	[RULE_foreign_owner] =
		"The object that was opened belongs to a user who is neither this one, nor root, nor on the policy's "
		"list. With O_CREAT that is squatting, an error: its owner can read, change and truncate everything. "
		"Otherwise a note. Checked: st_uid after the open. Deny: EACCES, also for chown to such a user, and, "
		"where the policy has `owner`, for a rename or link of another's object into place. Legal: services "
		"that share through a common uid. Cure: check fstat's st_uid before use. Seen in "
		"opencryptoki/opencryptoki#426.",
	[RULE_symlink_or_special] =
		"What was opened in /dev/shm is not a plain object of this user: a symlink that leads elsewhere, a "
		"FIFO that blocks, a hard link of another user's. Anyone may put such things into a sticky "
		"directory. Checked: at open of a path in /dev/shm, its directories too, where links are followed; "
		"hard links at shm_open and with O_NOFOLLOW as well. Deny: ELOOP. Legal: some programs keep FIFOs of "
		"their own there; link-into-place has two links for a moment. Cure: shm_open or O_NOFOLLOW, and "
		"fstat. Seen in ClusterLabs/libqb#338.",
	[RULE_acl_grants] =
		"An access control list lets named users or groups in whom the mode does not show. Checked: the "
		"extended attribute system.posix_acl_access after open and chmod, when it is set, and the directory's "
		"default list at creation. Deny: EACCES. Fix: remove the list; the group keeps what it had itself. "
		"Legal: a group that a framework grants on purpose. Cure: setfacl -b, and a default list on no "
		"directory above.",
	[RULE_predictable_name] =
		"The name is constant, or made of pid or uid only, so that another user can create it first. "
		"Checked: fewer than 32 random bits in the name. Legal: a name on which parties are to meet has to "
		"be known. Cure: a random name with O_EXCL, or a memfd passed over a socket. See CVE-2019-12779 and "
		"CVE-2025-23320.",
	[RULE_name_nonportable] =
		"A name without a leading slash, with another slash in it, of dots only, or longer than NAME_MAX: "
		"POSIX leaves to each system what happens. Checked: those four. Deny: EINVAL. Legal: many programs "
		"omit the slash, and Linux allows it. Cure: one slash, first. Seen in squid-cache/squid#1783.",
	[RULE_sticky_refused] =
		"shm_open with O_CREAT failed with EACCES although the mode would allow it: in a sticky directory "
		"that others can write to, the kernel refuses O_CREAT on an object of another user "
		"(fs.protected_regular). Checked: exactly that state. Cure: open without O_CREAT first. Seen in "
		"spdk/spdk#2483.",
	[RULE_exec_map] =
		"Shared memory is mapped executable: whoever can write to the object can run code in this process. "
		"Checked: PROT_EXEC at mmap and mprotect. Deny: EACCES. Legal: just-in-time compilers, which map one "
		"object twice. Cure: no PROT_EXEC, or a sealed memfd.",
	[RULE_memfd_no_cloexec] =
		"The memfd would survive an exec and stay open in a program that knows nothing of it, with "
		"everything in it. Checked: at memfd_create, F_SETFD and dup2. Fix: add the flag. Legal: passing it "
		"to a child on purpose. Cure: MFD_CLOEXEC.",
	[RULE_memfd_unsealed_share] =
		"A memfd is sent to another process without F_SEAL_SHRINK: the sender can shrink it at any time and "
		"crash the receiver. Checked: F_GET_SEALS at sendmsg and sendmmsg with SCM_RIGHTS. Deny: EPERM. Fix: "
		"add the seal. Legal: pools that shrink by protocol. Cure: F_ADD_SEALS before sending, F_GET_SEALS "
		"after receiving. Seen in Smithay/client-toolkit#173.",
	[RULE_memfd_executable] =
		"memfd_create with neither MFD_NOEXEC_SEAL nor MFD_EXEC: the memfd can be executed, a way around "
		"noexec mounts, and newer kernels warn. Checked: the flags. Fix: MFD_NOEXEC_SEAL, left out again "
		"where the kernel does not know it. Cure: the same. Seen in bus1/dbus-broker#323.",
	[RULE_weak_mount] =
		"/dev/shm is mounted without nosuid, nodev or noexec, or its directory is not root's with mode 1777. "
		"Checked once before the program starts, and told where it used /dev/shm. Legal: noexec breaks "
		"just-in-time compilers. Cure: mount -o "
		"remount,nosuid,nodev,noexec /dev/shm. CIS Debian 12, 1.1.2.2.",
	[RULE_name_not_allowed] =
		"The policy lists the names that this program may use, and this is none of them. Checked at "
		"shm_open, open and unlink. Deny: EACCES. Cure: extend the list, or ask why the program wants it.",
	[RULE_object_too_large] =
		"The object would grow to more than the policy's max-size; one that is larger may stay so, and shrink. "
		"Checked at ftruncate and fallocate. Deny: EFBIG. Cure: raise the limit, or find out why it grows.",
	[RULE_too_many_objects] =
		"The process has more live objects of its own than the policy's max-objects; those of other names than "
		"the section's, if it is one of certain names, do not count. Checked at creation. "
		"Deny: EMFILE. Cure: raise the limit, or find out why they pile up.",
	[RULE_stale_bytes] =
		"The program attached, with O_CREAT, to an object that nobody uses and that still holds somebody's "
		"data. Checked at shm_open: it existed, SEEK_DATA finds bytes that are not zero, and the recording, "
		"or the look before it, knows of no mapper. A policy with deny or fix is asked at the first mapping, "
		"too, of what the program has opened by its name. "
		"Deny: EEXIST. Fix, for names a policy lists: wipe it. "
		"Legal: a warm restart. "
		"Cure: O_EXCL, or clear what is adopted. Seen in boostorg/interprocess#128.",
	[RULE_grow_exposes_tail] =
		"Growing an object whose size was no multiple of the page uncovers what was written past its old end "
		"in the last page: on tmpfs those bytes are still there. Checked: the old size at any growth by "
		"ftruncate, truncate and fallocate, not by write, and those bytes; a note where they cannot be read. "
		"Fix: the tail is punched out before the object grows; its contents stay. Legal: programs that store "
		"there on purpose. Cure: sizes in whole pages, or clear the tail first.",
	[RULE_secret_left] =
		"An object that the policy marks secret outlives its last user with its contents. Checked at unlink, "
		"exit, last unmap and the close of the last descriptor while it is not mapped; after a SIGKILL, from "
		"the recording. Fix: wipe it then, if nobody maps it; else "
		"the audit trail tells why not, as it does before an exec. Legal: state for a restart. Cure: clear "
		"secrets as soon as they are used. Seen in "
		"nordic-institute/X-Road#3361.",
	[RULE_discard_no_op] =
		"madvise with MADV_DONTNEED or MADV_FREE on a shared mapping returns 0 and discards nothing: the "
		"next touch finds the same data. Checked: that call on shared memory. Legal: giving back this "
		"process's own page references. Cure: MADV_REMOVE or FALLOC_FL_PUNCH_HOLE. Seen in "
		"firecracker-microvm/firecracker#6167.",
	[RULE_dumpable_secret] =
		"A secret object is mapped without MADV_DONTDUMP or mlock: its contents reach core dumps and swap. "
		"Checked of a name that the policy marks secret, when it is unmapped or the process ends. Fix, at "
		"mmap: MADV_DONTDUMP. Cure: the same, and mlock.",
	[RULE_unsynchronised_sharing] =
		"Two processes have the object mapped shared and writable at the same time, and nothing was seen by "
		"which they could take turns: no process-shared mutex, lock, barrier or spin lock, no semaphore, no "
		"futex by syscall(2), no lock on a file, of either of them or of the process that forked them. Without "
		"it one reads what the other has half written. Checked: both mappings, and the calls that make or use "
		"such means, whatever memory they lie in; a fork's counts once both lived on for 0.1 s. Locks made of "
		"atomic instructions alone cannot be seen, nor can turns taken by messages over pipes and sockets, so "
		"it never is more than a note. Cure: a robust process-shared mutex in the object, a semaphore, or a "
		"lock-free design with acquire and release on both sides.",
	[RULE_huge_page_advice] =
		"A process works in at least 16 MiB of shared memory on small pages. A processor's second-level TLB "
		"reaches over 6 to 8 MiB of 4 KiB pages; beyond, every touch of another page walks the page table. "
		"Checked by `run`, from /proc/PID/smaps: 16 MiB or more of the mapping are resident in the process's "
		"page table, at least half of them referenced, none by a huge page; it was seen there for a second "
		"or longer, and the process computed for at least a fifth of that time; it did not ask for small "
		"pages (MADV_NOHUGEPAGE); and huge pages are free in the pool, or the kernel can make them for tmpfs. "
		"The message says which of the two and how. Legal: memory that is touched in order, or rarely, gains "
		"little; a huge page is taken whole. Cure: as the message says, and measure.",
	[RULE_lock_advice] =
		"Pages of a shared mapping were moved to swap while a process had it mapped. The kernel may keep some "
		"in "
		"memory as well for a while; the next touch of the others waits for the disk, for whole milliseconds, "
		"perhaps with a lock held that other processes wait for. Checked by "
		"`run`, from the Swap line of /proc/PID/smaps, once the process had them mapped for a second. Legal: "
		"memory that is not used any more is rightly in swap. Cure: mlock(2) of what must answer at once "
		"(RLIMIT_MEMLOCK must allow it), MADV_WILLNEED before a phase that needs it, or more memory for the "
		"machine or the cgroup.",
};
