/* Who holds what: /proc/PID/maps and /proc/PID/fd of every process, each read once. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "analyzer/deleted_mark.h"
#include "analyzer/exe.h"
#include "analyzer/living.h"
#include "analyzer/machine_inner.h"
#include "analyzer/memory.h"

/* The process that is being looked at. */
struct visit {
	struct machine *machine;
	struct machine_process *process; /* NULL until it is found to hold something */
	int directory;                   /* /proc/PID */
	pid_t pid;
	bool refused;
	char *text; /* of its maps; room for all processes */
	size_t room;
};

static ssize_t visit_read(int directory, const char *name, char *to, size_t size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, to, size - 1);

	if (fd >= 0)
		close(fd);
	to[got > 0 ? got : 0] = '\0';
	return got;
}

static void visit_comm(int directory, char comm[static 17])
{
	visit_read(directory, "comm", comm, 17);
	comm[strcspn(comm, "\n")] = '\0';
}

/* Its effective user; the owner of /proc/PID is root for those that may not be dumped. */
static uid_t visit_uid(int directory)
{
	char text[2048];
	const char *line;
	unsigned uid;
	struct stat status;

	if (visit_read(directory, "status", text, sizeof(text)) > 0 && (line = strstr(text, "\nUid:")) &&
	    sscanf(line, "\nUid: %*u %u", &uid) == 1)
		return uid;
	return fstat(directory, &status) ? (uid_t)-1 : status.st_uid;
}

static struct machine_process *visit_process(struct visit *visit)
{
	struct machine *machine = visit->machine;

	if (visit->process)
		return visit->process;
	machine->processes = memory_grow(machine->processes, machine->process_count, sizeof(struct machine_process *));
	visit->process = machine->processes[machine->process_count++] = memory_new(1, sizeof(*visit->process));
	visit->process->pid = visit->pid;
	visit->process->uid = visit_uid(visit->directory);
	visit_comm(visit->directory, visit->process->comm);
	visit->process->exe = exe_path(visit->directory, "exe");
	return visit->process;
}

/* In maps a newline is \012. Cuts what the kernel adds to names that are gone. Changes the text. */
static void visit_name(struct machine_object *object, char *text, bool escaped)
{
	char *to = text;

	for (char *at = text; escaped && *at; *to++ = *at++)
		if (!strncmp(at, "\\012", 4)) {
			at += 3;
			*at = '\n';
		}
	if (escaped)
		*to = '\0';
	text[deleted_mark(text)] = '\0';
	if (object->fs->mount) {
		size_t mount = strlen(object->fs->mount);
		bool below = object->fs->is_shm && !strncmp(text, object->fs->mount, mount) && text[mount] == '/';

		object->name = memory_text(below ? text + mount : text);
	} else {
		object->name = memory_text(object->kind == MACHINE_anonymous ? "anonymous" : text + (*text == '/'));
	}
}

static enum machine_kind visit_own_kind(const char *text)
{
	if (!strncmp(text, "/memfd:", 7))
		return MACHINE_memfd;
	return !strncmp(text, "/SYSV", 5) ? MACHINE_sysv : MACHINE_anonymous;
}

/* Segments of other ipc namespaces have ids of their own. */
static uint64_t visit_ipc_namespace(const struct visit *visit)
{
	struct stat theirs, ours;

	if (fstatat(visit->directory, "ns/ipc", &theirs, 0) || stat("/proc/self/ns/ipc", &ours) ||
	    theirs.st_ino == ours.st_ino)
		return 0;
	return (uint64_t)theirs.st_ino << 32;
}

static struct machine_object *visit_meet(const struct visit *visit, struct machine_fs *fs, ino_t inode, char *text,
					 bool escaped)
{
	enum machine_kind kind = fs->mount ? MACHINE_file : visit_own_kind(text);
	struct machine_key key = {fs->device, inode};
	struct machine_object *object;

	if (kind == MACHINE_sysv)
		key.device = visit_ipc_namespace(visit) | UINT32_MAX;
	object = machine_meet(visit->machine, key, fs);
	if (!object->name) {
		object->kind = kind;
		object->inode = inode;
		visit_name(object, text, escaped);
		if (fs->mount)
			object->kind = machine_kind_of(fs, object->name);
	}
	return object;
}

/* map_files needs rights that only root has. */
static void visit_mapped_status(const struct visit *visit, struct machine_object *object, uint64_t start, uint64_t end)
{
	char path[64];
	struct statx status;

	snprintf(path, sizeof(path), "map_files/%llx-%llx", (unsigned long long)start, (unsigned long long)end);
	if (!statx(visit->directory, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME, &status))
		machine_take_status(object, &status);
}

static uint64_t visit_hexadecimal(char **at)
{
	uint64_t value = 0;

	for (; isxdigit((unsigned char)**at); ++*at)
		value = value << 4 | (uint64_t)(**at <= '9' ? **at - '0' : (**at | 0x20) - 'a' + 10);
	return value;
}

/* "7f00-7f10 rw-s 00001000 00:1b 5406    /dev/shm/x" */
static void visit_mapping(struct visit *visit, char *line)
{
	struct machine_mapping mapping = {0};
	struct machine_object *object;
	struct machine_holder *holder;
	struct machine_fs *fs;
	unsigned major_number, minor_number;
	ino_t inode;
	char *at = line;

	mapping.start = visit_hexadecimal(&at);
	at += *at != '\0';
	mapping.end = visit_hexadecimal(&at);
	if (strnlen(at, 6) < 6)
		return;
	memcpy(mapping.protection, at + 1, 4);
	at += 6;
	mapping.offset = visit_hexadecimal(&at);
	at += *at != '\0';
	major_number = (unsigned)visit_hexadecimal(&at);
	at += *at != '\0';
	minor_number = (unsigned)visit_hexadecimal(&at);
	inode = strtoull(at, &at, 10);
	at += strspn(at, " ");
	/* All that can be ours have no device behind them. The first segment of System V is number 0. */
	if (major_number || (!inode && strncmp(at, "/SYSV", 5) != 0))
		return;
	fs = machine_fs_of(visit->machine, makedev(major_number, minor_number));
	if (!fs && (!strncmp(at, "/memfd:", 7) || !strncmp(at, "/SYSV", 5) || !strncmp(at, "/anon_hugepage", 14)))
		fs = machine_fs_add(visit->machine,
				    &(struct machine_fs){.device = makedev(major_number, minor_number), .huge = true});
	if (!fs)
		return;
	if (mapping.protection[3] == 's')
		fs->shared = true;
	object = visit_meet(visit, fs, inode, at, true);
	holder = machine_hold(object, visit_process(visit));
	holder->mappings = memory_grow(holder->mappings, holder->mapping_count, sizeof(mapping));
	holder->mappings[holder->mapping_count++] = mapping;
	if (!object->has_status && object->kind != MACHINE_sysv)
		visit_mapped_status(visit, object, mapping.start, mapping.end);
}

/* The whole file, or NULL: errno. */
static char *visit_text(struct visit *visit, const char *name)
{
	int fd = openat(visit->directory, name, O_RDONLY | O_CLOEXEC), error;
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return NULL;
	do {
		if (visit->room - length < 64 * 1024)
			visit->text = memory_resize(visit->text, visit->room = 2 * visit->room + 128 * 1024, 1);
		got = read(fd, visit->text + length, visit->room - length - 1);
		length += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	error = errno;
	close(fd);
	visit->text[length] = '\0';
	errno = error;
	return got < 0 ? NULL : visit->text;
}

static void visit_maps(struct visit *visit)
{
	char *text = visit_text(visit, "maps"), *next;

	if (!text) {
		visit->refused = errno == EACCES || errno == EPERM;
		return;
	}
	for (; *text; text = next) {
		next = text + strcspn(text, "\n");
		if (*next)
			*next++ = '\0';
		visit_mapping(visit, text);
	}
}

static void visit_descriptor(struct visit *visit, int descriptors, const char *name)
{
	struct machine_object *object;
	struct statx status;
	char text[PATH_MAX];
	struct machine_fs *fs;
	ssize_t length;

	/* DONT_SYNC: a network file system that does not answer must not hold us up. */
	if (statx(descriptors, name, AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME, &status) ||
	    !S_ISREG(status.stx_mode) || status.stx_dev_major)
		return;
	fs = machine_fs_of(visit->machine, makedev(status.stx_dev_major, status.stx_dev_minor));
	if (!fs)
		return;
	length = readlinkat(descriptors, name, text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	object = visit_meet(visit, fs, status.stx_ino, text, false);
	if (!object->has_status)
		machine_take_status(object, &status);
	machine_hold(object, visit_process(visit))->descriptors++;
}

static void visit_descriptors(struct visit *visit)
{
	int fd = openat(visit->directory, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *descriptors = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!descriptors) {
		visit->refused |= errno == EACCES || errno == EPERM;
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(descriptors)))
		if (isdigit((unsigned char)entry->d_name[0]))
			visit_descriptor(visit, dirfd(descriptors), entry->d_name);
	closedir(descriptors);
}

/* Threads of the kernel and processes that have ended hold nothing. */
static void visit_unseen(struct visit *visit)
{
	struct machine *machine = visit->machine;
	struct machine_unseen *unseen;
	char first[2];

	if (visit_read(visit->directory, "cmdline", first, sizeof(first)) <= 0)
		return;
	machine->unseen = memory_grow(machine->unseen, machine->unseen_count, sizeof(*machine->unseen));
	unseen = &machine->unseen[machine->unseen_count++];
	*unseen = (struct machine_unseen){.pid = visit->pid, .uid = visit_uid(visit->directory)};
	visit_comm(visit->directory, unseen->comm);
}

/* A mount namespace that no earlier process was in. */
static void visit_mounts(const struct visit *visit)
{
	struct stat status;

	if (fstatat(visit->directory, "ns/mnt", &status, 0) || map_get(&visit->machine->mounts, status.st_ino, 0))
		return;
	map_put(&visit->machine->mounts, status.st_ino, 0, visit->machine);
	machine_mounts(visit->machine, visit->directory, visit->pid);
}

static void visit_one(struct visit *visit, int proc, const char *name)
{
	visit->directory = living_open(proc, name);
	visit->pid = atoi(name);
	visit->process = NULL;
	visit->refused = false;
	if (visit->directory < 0) {
		visit->machine->vanished++;
		return;
	}
	visit_mounts(visit);
	visit_maps(visit);
	visit_descriptors(visit);
	if (visit->refused)
		visit_unseen(visit);
	visit->machine->looked++;
	close(visit->directory);
}

void machine_processes(struct machine *machine)
{
	DIR *proc = opendir("/proc");
	struct visit visit = {.machine = machine};
	struct stat status;
	struct dirent *entry;

	if (!stat("/proc/self/ns/mnt", &status))
		map_put(&machine->mounts, status.st_ino, 0, machine);
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
			visit_one(&visit, dirfd(proc), entry->d_name);
	free(visit.text);
	if (proc)
		closedir(proc);
	/* Every pid namespace has a process 1; with the mount option hidepid others' are not even listed (proc(5)). */
	machine->hidepid = stat("/proc/1", &status) != 0;
	/* The first pid namespace of a machine has this number (include/linux/proc_ns.h). */
	machine->inner_pid_namespace = stat("/proc/self/ns/pid", &status) != 0 || status.st_ino != 0xEFFFFFFCu;
}
