/* The checks, a row each. */
#include "analyzer/doctor.h"

const struct check checks[] = {
	{"shm-mounted", AREA_shm, "mount", "statx(/dev/shm)", doctor_mounted,
	 "shm_open() and sem_open() make files in /dev/shm; without a file system of its own they fail or fill /dev.",
	 NULL},
	{"shm-type", AREA_shm, "type", "statfs(/dev/shm), /proc/self/mounts", doctor_type,
	 "On a tmpfs objects are memory, have a limit and can be swapped; a disk is slow, and objects survive a "
	 "restart.",
	 "mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm"},
	{"shm-size", AREA_shm, "size", "statfs(/dev/shm), /proc/meminfo", doctor_size,
	 "A page that does not fit is a SIGBUS when it is touched, not an error of ftruncate(). Half of the memory is "
	 "the kernel's default, as what lies here is never reclaimed: filled, the other half is left for programs. In "
	 "a container: docker run --shm-size.",
	 NULL},
	{"shm-usage", AREA_shm, "used", "statfs(/dev/shm)", doctor_usage,
	 "What is used is there until its names are unlinked and its holders end: `shmguard ls` shows both.", NULL},
	{"shm-inodes", AREA_shm, "inodes", "statfs(/dev/shm)", doctor_inodes,
	 "Each object, semaphore and directory takes one; without any left shm_open() fails with ENOSPC although there "
	 "is room.",
	 NULL},
	{"shm-writable", AREA_shm, "writable", "statfs(/dev/shm)", doctor_writable,
	 "Mounted read-only, nothing can be created, opened for writing or unlinked: EROFS.",
	 "mount -o remount,rw /dev/shm"},
	{"shm-options", AREA_shm, "mount options", "statfs(/dev/shm)", doctor_options,
	 "Anybody may make files here: nosuid and nodev take the danger out of them. noexec refuses PROT_EXEC with "
	 "EPERM, which some JITs need.",
	 "mount -o remount,nosuid,nodev /dev/shm"},
	{"shm-root", AREA_shm, "owner and mode", "stat(/dev/shm)", doctor_root,
	 "1777 of root: all may make objects, and nobody may remove, rename or replace another's (sticky).", NULL},

	{"cgroup-memory", AREA_memory, "memory cgroup",
	 "/proc/self/cgroup, memory.max or memory.limit_in_bytes of each level", doctor_cgroup,
	 "Pages of objects count for the group that touched them first. Past the limit the kernel kills (SIGKILL), "
	 "with no ENOSPC and no SIGBUS.",
	 NULL},
	{"cgroup-hugetlb", AREA_memory, "hugetlb cgroup",
	 "/proc/self/cgroup, hugetlb.*.max or .limit_in_bytes of each level", doctor_cgroup_huge,
	 "A huge page past the limit is a SIGBUS when it is touched, although the pool has some left.", NULL},
	{"overcommit", AREA_memory, "overcommit", "vm.overcommit_memory, /proc/meminfo", doctor_overcommit,
	 "With 2 each page of an object counts as promised memory when it is touched: past CommitLimit that is a "
	 "SIGBUS.",
	 "sysctl -w vm.overcommit_memory=0"},
	{"huge-pages", AREA_memory, "huge pages", "/sys/kernel/mm/hugepages", doctor_huge_pages,
	 "memfd_create(MFD_HUGETLB) and hugetlbfs take pages from this pool: mmap() fails with ENOMEM when it has too "
	 "few.",
	 NULL},
	{"shmem-thp", AREA_memory, "shmem huge pages",
	 "/sys/kernel/mm/transparent_hugepage/shmem_enabled, huge= of the mount", doctor_shmem_huge,
	 "Huge pages make large objects faster; with always or force, each small or sparse one takes 2 MiB. "
	 "shmem_enabled is for memfds and anonymous memory, huge= of the mount for /dev/shm.",
	 "mount -o remount,huge=advise /dev/shm"},

	{"memlock", AREA_limits, "RLIMIT_MEMLOCK", "getrlimit()", doctor_memlock,
	 "mlock(), MAP_LOCKED and mlockall() of more fail with ENOMEM or EAGAIN. Real-time audio needs unlimited.",
	 NULL},
	{"nofile", AREA_limits, "RLIMIT_NOFILE", "getrlimit()", doctor_nofile,
	 "Each shm_open() and memfd_create() takes a descriptor until it is closed; the mapping stays without it. Past "
	 "the limit: EMFILE.",
	 NULL},
	{"fsize", AREA_limits, "RLIMIT_FSIZE", "getrlimit()", doctor_fsize,
	 "ftruncate() of an object to more is a SIGXFSZ or EFBIG: the limit for files on disk holds for memory as "
	 "well.",
	 NULL},
	{"as", AREA_limits, "RLIMIT_AS", "getrlimit()", doctor_address_space,
	 "Shared mappings count as address space: past the limit mmap() fails with ENOMEM.", NULL},
	{"map-count", AREA_limits, "vm.max_map_count", "/proc/sys/vm/max_map_count", doctor_map_count,
	 "A process has at most so many mappings, libraries and heap included: past that mmap() and munmap() of a "
	 "middle part fail with ENOMEM.",
	 "sysctl -w vm.max_map_count=262144"},
	{"files", AREA_limits, "fs.file-max", "/proc/sys/fs/file-nr, file-max", doctor_files,
	 "All processes together may have so many files open, objects included: past that ENFILE.", NULL},

	{"proc", AREA_kernel, "/proc", "statfs(/proc), /proc/self/mounts", doctor_proc,
	 "Who holds an object is read from /proc: without it, or with hidepid, ls, top and clean do not see all "
	 "holders.",
	 NULL},
	{"protected-regular", AREA_kernel, "protected_regular", "/proc/sys/fs/protected_regular", doctor_protected,
	 "With 1 or 2, O_CREAT on another user's object in /dev/shm is EACCES, to root too. With 0 a program silently "
	 "takes what somebody else put there under its name.",
	 "sysctl -w fs.protected_regular=2"},
	{"memfd-noexec", AREA_kernel, "memfd_noexec", "/proc/sys/vm/memfd_noexec", doctor_memfd,
	 "1 makes memfds that do not say MFD_EXEC not executable; 2 refuses all that do not say MFD_NOEXEC_SEAL with "
	 "EACCES, which older programs do not.",
	 "sysctl -w vm.memfd_noexec=0"},
	{"remove-ipc", AREA_kernel, "RemoveIPC",
	 "logind.conf and logind.conf.d of /etc, /run, /usr/local/lib, /usr/lib", doctor_remove_ipc,
	 "When the last session of an ordinary user ends, systemd-logind removes the names of all that user's objects, "
	 "in use or not.",
	 "mkdir -p /etc/systemd/logind.conf.d && printf '[Login]\\nRemoveIPC=no\\n' "
	 ">/etc/systemd/logind.conf.d/zz-keep-ipc.conf && systemctl restart systemd-logind"},
	{"shmmax", AREA_kernel, "kernel.shmmax", "/proc/sys/kernel/shmmax", doctor_shmmax,
	 "The largest segment of System V's shmget(), and of nothing else: shm_open() and memfds do not know it.",
	 "sysctl -w kernel.shmmax=18446744073692774399"},
	{"shmall", AREA_kernel, "kernel.shmall", "/proc/sys/kernel/shmall", doctor_shmall,
	 "All pages of System V's segments together, and of nothing else: shm_open() and memfds do not know it.",
	 "sysctl -w kernel.shmall=18446744073692774399"},

	{"command", AREA_program, "command", "PATH, access()", doctor_command,
	 "The file that is executed. What cannot be executed is not recorded: `shmguard run` ends with 126 or 127.",
	 NULL},
	{"interpreter", AREA_program, "interpreter", "the first line of the file, and of its interpreters",
	 doctor_interpreter,
	 "What a script does its interpreter does: that is the program that must let itself be guarded.", NULL},
	{"class", AREA_program, "class", "ELF header", doctor_class,
	 "A library is only loaded into programs of the same machine and width.", NULL},
	{"linkage", AREA_program, "linkage", "ELF program headers", doctor_linkage,
	 "Calls are seen by a library that glibc's ld.so loads before all others: a static program has no ld.so.",
	 NULL},
	{"set-id", AREA_program, "set-id", "fstat()", doctor_set_id,
	 "Where the start gives another user's or group's rights, ld.so ignores LD_PRELOAD. A copy does not have the "
	 "bit.",
	 NULL},
	{"capabilities", AREA_program, "file capabilities", "security.capability", doctor_capabilities,
	 "Where the start gives capabilities, ld.so ignores LD_PRELOAD. A copy does not have them.", NULL},
	{"libraries", AREA_program, "libraries", "ld.so with LD_TRACE_LOADED_OBJECTS", doctor_libraries,
	 "Without one of its libraries the program does not start.", NULL},
	{"preload", AREA_program, "preload", "ld.so with LD_PRELOAD and LD_TRACE_LOADED_OBJECTS", doctor_preload,
	 "The proof: what ld.so says that it would load for the user who asks.", NULL},
	{"sanitizer", AREA_program, "sanitizer", "ELF dynamic section and symbols, ASAN_OPTIONS", doctor_sanitizer,
	 "An AddressSanitizer that is a library exits at once when another library comes before it, unless told "
	 "otherwise. The preload tells it, but not where the program answers for its options itself.",
	 NULL},
	{"seccomp", AREA_program, "seccomp", "/proc/self/status, ELF dynamic section", doctor_seccomp,
	 "A filter that forbids what LTTng needs (futex, membarrier, sockets, mmap) can kill the program when it is "
	 "recorded; a policy without a recording needs less.",
	 NULL},
	{"apparmor", AREA_program, "AppArmor", "/proc/self/attr/current, policy/profiles of securityfs",
	 doctor_apparmor,
	 "A profile in enforce mode must allow mapping the library, LTTng's sockets in /run/lttng, and what the "
	 "program does in /dev/shm: `shmguard profile` prints that part.",
	 NULL},

	{"lttng", AREA_recording, "LTTng", "lttng-sessiond, liblttng-ust, libunwind", doctor_lttng,
	 "Recordings are written by LTTng, their stacks by libunwind. Policies, ls, top and clean work without both.",
	 "apt-get install lttng-tools liblttng-ust1 libunwind8"},
	{"lttng-daemon", AREA_recording, "session daemon", "lttng_session_daemon_alive(), lttng_list_sessions()",
	 doctor_daemon,
	 "Root's recordings share the machine's daemon; one that does not answer holds up each program that is "
	 "recorded.",
	 NULL},
	{"recording", AREA_recording, "recording", "a session and its ring buffers, made and taken away again",
	 doctor_recording,
	 "The proof: a recording can be set up here. Its buffers lie on /run or on disk, never on /dev/shm.", NULL},
	{NULL, AREA_shm, NULL, NULL, NULL, NULL, NULL},
};
