/* Who may: modes, access control lists, the sticky bit, fs.protected_regular, confinement. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "analyzer/cause.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

static bool may(const char *path, int how)
{
	return !faccessat(AT_FDCWD, path, how, AT_EACCESS);
}

/* "0600 of root" */
static char *whose(const struct stat *status)
{
	char *user = machine_text_user(status->st_uid);
	char *text = memory_format("mode %04o, of %s", status->st_mode & 07777, user);

	free(user);
	return text;
}

enum verdict cause_directory(const struct scene *scene, char **detail)
{
	char *how;
	bool search = may("/dev/shm", X_OK), write = may("/dev/shm", W_OK);

	if (!scene->mounted || (search && (write || scene->there)))
		return VERDICT_no;
	how = whose(&scene->root);
	*detail = memory_format("/dev/shm has %s; it should be 1777 of root: chmod 1777 /dev/shm", how);
	free(how);
	return VERDICT_yes;
}

static bool is_of_group(gid_t gid)
{
	gid_t groups[1024];
	int count = getgroups(1024, groups);

	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return gid == getegid();
}

/* Of whom the mode speaks: then it is not what refuses, but a list beside it. */
static bool mode_grants(const struct stat *status)
{
	unsigned shift = status->st_uid == geteuid() ? 6 : is_of_group(status->st_gid) ? 3 : 0;

	return (status->st_mode >> shift & 06) == 06;
}

static bool has_list(const struct scene *scene)
{
	return getxattr(scene->path, "system.posix_acl_access", NULL, 0) > 0;
}

enum verdict cause_mode(const struct scene *scene, char **detail)
{
	bool reads, writes;
	const char *as;
	char *how;

	if (!scene->there)
		return VERDICT_no;
	reads = may(scene->path, R_OK);
	writes = may(scene->path, W_OK);
	if ((reads && writes) || (has_list(scene) && mode_grants(&scene->status)))
		return VERDICT_no;
	as = scene->status.st_uid == geteuid()   ? "its owner"
	     : is_of_group(scene->status.st_gid) ? "its group"
						 : "others";
	how = whose(&scene->status);
	*detail = memory_format("the object has %s: to you, as %s, %s is refused%s", how, as,
				!reads && !writes ? "reading and writing"
				: reads           ? "writing (O_RDWR, O_TRUNC)"
						  : "reading",
				reads || writes ? "" : ", so any open");
	free(how);
	return VERDICT_yes;
}

enum verdict cause_acl(const struct scene *scene, char **detail)
{
	if (!scene->there || !has_list(scene))
		return VERDICT_no;
	*detail = memory_text("it has one, which decides before the mode's group bits: getfacl shows it");
	return may(scene->path, R_OK) && may(scene->path, W_OK) ? VERDICT_no : VERDICT_yes;
}

/* As in may_create_in_sticky() of the kernel; no capability lifts it. */
enum verdict cause_protected(const struct scene *scene, char **detail)
{
	long long level = cause_number("/proc/sys/fs/protected_regular");
	char *owner;

	if (!scene->there || !S_ISREG(scene->status.st_mode) || level <= 0 || !(scene->root.st_mode & S_ISVTX) ||
	    scene->status.st_uid == scene->root.st_uid || scene->status.st_uid == geteuid() ||
	    !(scene->root.st_mode & 0002 || (level >= 2 && scene->root.st_mode & 0020)))
		return VERDICT_no;
	owner = machine_text_user(scene->status.st_uid);
	*detail = memory_format(
		"fs.protected_regular is %lld, /dev/shm is sticky and others may write to it, and the object "
		"is %s's: O_CREAT on it is refused to everybody else, to root too, whatever its mode; open "
		"it without O_CREAT",
		level, owner);
	free(owner);
	return VERDICT_yes;
}

enum verdict cause_sticky(const struct scene *scene, char **detail)
{
	char *owner;

	/* CAP_FOWNER lifts it; that root has it is as good as sure. */
	if (!scene->there || !geteuid() || !(scene->root.st_mode & S_ISVTX) || scene->status.st_uid == geteuid() ||
	    scene->root.st_uid == geteuid())
		return VERDICT_no;
	owner = machine_text_user(scene->status.st_uid);
	*detail = memory_format("/dev/shm is sticky: only the object's owner, %s, and root may remove its name", owner);
	free(owner);
	return VERDICT_yes;
}

enum verdict cause_owner(const struct scene *scene, char **detail)
{
	char *owner;

	if (!scene->there || !geteuid() || scene->status.st_uid == geteuid())
		return VERDICT_no;
	owner = machine_text_user(scene->status.st_uid);
	*detail = memory_format("it is %s's", owner);
	free(owner);
	return VERDICT_yes;
}

enum verdict cause_confined(const struct scene *scene, char **detail)
{
	char profile[256] = "";
	FILE *file = fopen("/proc/self/attr/current", "re");

	(void)scene;
	if (!file)
		return VERDICT_no;
	if (!fgets(profile, sizeof(profile), file))
		*profile = '\0';
	fclose(file);
	profile[strcspn(profile, "\n")] = '\0';
	if (!*profile) {
		return VERDICT_no;
	}
	*detail = memory_format("you are %s; the program may have a profile of its own: journalctl -k | grep DENIED",
				profile);
	return VERDICT_maybe;
}
