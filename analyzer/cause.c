/* The reasons, a row each, and the checks of the name itself. */
#include "analyzer/cause.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

static enum verdict cause_call(const struct scene *scene, char **detail)
{
	(void)scene, (void)detail;
	return VERDICT_maybe;
}

static enum verdict cause_not_mounted(const struct scene *scene, char **detail)
{
	(void)detail;
	return scene->mounted ? VERDICT_no : VERDICT_yes;
}

/* In the /dev/shm of another mount namespace, as of a container? */
static char *cause_elsewhere(const struct scene *scene)
{
	char *error = NULL, *found = NULL;
	struct machine *machine = machine_look(0, MACHINE_RECENT, &error);

	free(error);
	for (size_t i = 0; machine && !found && i < machine->count; i++) {
		const struct machine_object *object = machine->objects[i];

		if (object->fs && object->fs->is_shm && object->fs->through && *object->name == '/' &&
		    !strcmp(object->name + 1, scene->base))
			found = memory_format("process %d has one in the /dev/shm of its own mount namespace",
					      (int)object->fs->through);
	}
	machine_free(machine);
	return found;
}

static enum verdict cause_nameless(const struct scene *scene, char **detail)
{
	char *semaphore;

	if (!scene->mounted || scene->there || !scene->name || !scene->good)
		return VERDICT_no;
	semaphore = memory_format("/dev/shm/sem.%s", scene->base);
	if (!access(semaphore, F_OK))
		*detail = memory_text("there is a semaphore of this name, which is another thing: sem_open() finds it");
	else
		*detail = cause_elsewhere(scene);
	free(semaphore);
	if (!*detail && getuid() >= 1000)
		*detail = memory_text("if it was there before: systemd removes the objects of users that log out "
				      "(RemoveIPC=no in logind.conf keeps them)");
	return VERDICT_yes;
}

static enum verdict cause_exists(const struct scene *scene, char **detail)
{
	char *error = NULL;
	struct machine *machine;

	if (!scene->there)
		return VERDICT_no;
	machine = machine_look(0, MACHINE_RECENT, &error);
	free(error);
	for (size_t i = 0; machine && i < machine->count; i++) {
		const struct machine_object *object = machine->objects[i];
		char *user, *holders;

		if (object->inode != scene->status.st_ino || object->device != scene->status.st_dev)
			continue;
		user = machine_text_user(object->uid);
		holders = machine_text_holders(object, 3);
		*detail = memory_format("it is %s's, %s%s%s%s", user, machine_state_names[object->state],
					*holders ? ", held by " : "", holders,
					object->state == MACHINE_STATE_ghost ? ": `shmguard clean` removes it" : "");
		free(user);
		free(holders);
		break;
	}
	machine_free(machine);
	return VERDICT_yes;
}

static enum verdict cause_bad_name(const struct scene *scene, char **detail)
{
	if (!scene->name || scene->good || strlen(scene->base) > NAME_MAX)
		return VERDICT_no;
	if (!*scene->base)
		*detail = memory_text("nothing is left of it without its leading slashes");
	else if (strchr(scene->base, '/'))
		*detail = memory_text("it has a slash inside");
	else
		*detail = memory_text("it is a directory's");
	return VERDICT_yes;
}

static enum verdict cause_long_name(const struct scene *scene, char **detail)
{
	size_t length = scene->name ? strlen(scene->base) : 0;

	if (length <= NAME_MAX)
		return VERDICT_no;
	*detail = memory_format("it has %zu bytes without its slashes; %d are allowed, %d for a semaphore", length,
				NAME_MAX, NAME_MAX - 4);
	return VERDICT_yes;
}

static enum verdict cause_symlink(const struct scene *scene, char **detail)
{
	(void)detail;
	return scene->there && S_ISLNK(scene->status.st_mode) ? VERDICT_yes : VERDICT_no;
}

static enum verdict cause_is_directory(const struct scene *scene, char **detail)
{
	(void)detail;
	return scene->there && S_ISDIR(scene->status.st_mode) ? VERDICT_yes : VERDICT_no;
}

static enum verdict cause_read_only(const struct scene *scene, char **detail)
{
	(void)detail;
	return scene->mounted && scene->room.f_flag & ST_RDONLY ? VERDICT_yes : VERDICT_no;
}

static enum verdict cause_noexec(const struct scene *scene, char **detail)
{
	(void)detail;
	return scene->mounted && scene->room.f_flag & ST_NOEXEC ? VERDICT_maybe : VERDICT_no;
}

static enum verdict cause_empty(const struct scene *scene, char **detail)
{
	if (!scene->there || !S_ISREG(scene->status.st_mode))
		return VERDICT_no;
	*detail = memory_format("it is %jd bytes long now", (intmax_t)scene->status.st_size);
	return scene->status.st_size ? VERDICT_no : VERDICT_yes;
}

const struct cause causes[] = {
	{EACCES, "/dev/shm may not be searched or written to", cause_directory, NULL},
	{EACCES, "the object's mode refuses it", cause_mode,
	 "have its owner give the mode at shm_open() and mind the umask"},
	{EACCES, "an access control list refuses it", cause_acl, NULL},
	{EACCES, "O_CREAT on another user's object in a sticky directory", cause_protected, NULL},
	{EACCES, "shm_unlink() of another user's object", cause_sticky, NULL},
	{EACCES, "mmap() asked for PROT_WRITE of a descriptor that is only open for reading", cause_call,
	 "open it O_RDWR"},
	{EACCES, "AppArmor, SELinux or such refuses it", cause_confined, NULL},
	{EPERM, "chmod() or chown() of another user's object", cause_owner, NULL},
	{EPERM, "unlink() of another user's object in a sticky directory", cause_sticky, NULL},
	{EPERM, "PROT_EXEC on a file system that is mounted noexec", cause_noexec,
	 "do without, or mount -o remount,exec"},
	{EPERM, "ftruncate() or a writable mapping of a memfd that is sealed", cause_call, "fcntl(fd, F_GET_SEALS)"},
	{EPERM, "mlock() without the right to lock any memory", cause_lock, "raise the limit"},
	{ENOENT, "/dev/shm is not there", cause_not_mounted, "mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm"},
	{ENOENT, "there is no object of this name, and O_CREAT was not given", cause_nameless, NULL},
	{ENOENT, "the name is empty or has a slash inside", cause_bad_name, "one slash in front, none inside"},
	{EEXIST, "O_CREAT and O_EXCL were given and the object exists", cause_exists, NULL},
	{EINVAL, "shm_open() does not take this name", cause_bad_name, "one slash in front, none inside"},
	{EINVAL, "mmap() of length 0, or an offset that is no multiple of the page", cause_call, NULL},
	{EINVAL, "ftruncate() to a negative size, or of a descriptor that is not open for writing", cause_call, NULL},
	{ENAMETOOLONG, "the name is too long", cause_long_name, "take a shorter one"},
	{EMFILE, "the process has as many descriptors open as it may", cause_descriptors,
	 "`shmguard run` finds fd-leak"},
	{ENFILE, "all processes together have as many files open as they may", cause_files, "sysctl fs.file-max"},
	{ENOSPC, "/dev/shm is full", cause_space, NULL},
	{ENOSPC, "/dev/shm has no inode left", cause_inodes, NULL},
	{ENOMEM, "the process may have no more address space", cause_address_space, NULL},
	{ENOMEM, "the process has as many mappings as it may", cause_map_count, "sysctl vm.max_map_count"},
	{ENOMEM, "no more memory may be promised", cause_commit, "sysctl vm.overcommit_memory"},
	{ENOMEM, "mlock() of more than may be locked", cause_lock, NULL},
	{ENOMEM, "/dev/shm is full", cause_space, NULL},
	{EFBIG, "the size is above the file size limit", cause_file_size, NULL},
	{EAGAIN, "mlock() or MAP_LOCKED of more than may be locked", cause_lock, NULL},
	{EAGAIN, "an open with O_NONBLOCK while a cleaner makes sure that nobody uses the object", cause_call,
	 "try again"},
	{ENXIO, "the object is empty: there is no data to seek", cause_empty, NULL},
	{ENXIO, "a policy of shmguard refused a mapping past the end", cause_call, "`shmguard explain map-beyond-end`"},
	{ELOOP, "the name is a symbolic link, which shm_open() does not follow", cause_symlink, "remove the link"},
	{EISDIR, "the name is a directory's", cause_is_directory, NULL},
	{EROFS, "/dev/shm is mounted read-only", cause_read_only, "mount -o remount,rw /dev/shm"},
	{EBADF, "the descriptor was closed, or closed and made anew by another thread", cause_call, NULL},
	{ETXTBSY, "the object is being executed", cause_call, NULL},
	{0, NULL, NULL, NULL},
};
