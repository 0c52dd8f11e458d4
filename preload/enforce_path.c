/* The names by which the policy knows what lies at a path, or behind a descriptor, however it is spelled. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/kernel.h"
#include "preload/names.h"
#include "preload/parent.h"
#include "preload/place.h"
#include "preload/text.h"

enum { LINKS = 8 }; /* symbolic links that lead to one another */

const char *enforce_posix_name(const char *name)
{
	return strncmp(name, "/dev/shm/", 9) == 0 ? name + 8 : name;
}

/* By another mount of a directory of /dev/shm the kernel tells a path that leads through that. */
static bool find_home(char text[static 512])
{
	char directory[512];
	char *last = strrchr(text, '/');
	struct stat st;

	if (identity_from_home(text))
		return true;
	if (text[0] != '/' || last == text)
		return false;
	*last = 0;
	bool found = kernel_stat_at(AT_FDCWD, text, 0, &st) == 0 &&
		     identity_where(st.st_dev, st.st_ino) >= WHERE_below &&
		     names_find_directory(st.st_dev, st.st_ino, directory);
	*last = '/';
	if (!found || !text_append(directory, sizeof directory, last))
		return false;
	strcpy(text, directory);
	return true;
}

/* As the kernel names it now: after a rename, and for who only inherited the descriptor. */
static bool name_of_fd(int fd, bool unlinked, char text[static 512])
{
	static const char memfd[] = "/memfd:";
	char *gone;

	identity_fd_name(fd, text);
	if (unlinked && (gone = text_gone_mark(text)))
		*gone = 0;
	if (strncmp(text, memfd, sizeof memfd - 1) == 0)
		memmove(text, text + sizeof memfd - 1, strlen(text) - sizeof memfd + 2);
	else if (strncmp(text, "/dev/shm/", 9) != 0)
		return find_home(text);
	return true;
}

const char *enforce_object_name(const struct identity *identity, char text[static 512])
{
	if (identity->fd >= 0 && name_of_fd(identity->fd, !identity->links, text) &&
	    !identity_name_is_past(identity, text))
		return text;
	if (identity->fd >= 0)
		return identity->links && identity->kind != KIND_memfd && names_find(identity, NULL, text) ? text
													   : NULL;
	return identity->name ? enforce_name(identity->dirfd, identity->name, 0, text) : NULL;
}

/* Of what a link of /proc leads to the kernel tells the name by which it was opened. A memfd's is no path. */
static const char *name_behind(int fd, char text[static 512])
{
	struct identity identity;
	const char *name = text;
	struct stat st;

	if (identity_of_fd(fd, &identity))
		name = enforce_object_name(&identity, text);
	else if (kernel_stat_at(fd, "", AT_EMPTY_PATH, &st) < 0 || !name_of_fd(fd, !st.st_nlink, text))
		name = NULL;
	return name && name[0] == '/' ? name : NULL;
}

bool enforce_known_path(const struct object *object, char path[static 512])
{
	if (object->kind == KIND_memfd)
		return false;
	if (strncmp(object->name, "/dev/shm/", 9) != 0)
		return identity_shm_path(object->name, "", path);
	strcpy(path, object->name);
	return true;
}

bool enforce_is_link(int dirfd, const char *path)
{
	struct stat st;
	return kernel_stat_at(dirfd, path, AT_SYMLINK_NOFOLLOW, &st) == 0 && S_ISLNK(st.st_mode);
}

static __attribute__((noinline)) enum identity_where where_it_lies(int dirfd, const char *path)
{
	struct stat at;

	return parent_stat(dirfd, path, &at) ? identity_where(at.st_dev, at.st_ino) : WHERE_elsewhere;
}

/* The name of what lies, or would lie, right at the path; NULL if that is not at /dev/shm. */
static const char *placed(int dirfd, const char *path, char text[static 512])
{
	size_t length = parent_length(path);
	enum identity_where where = where_it_lies(dirfd, path);

	if (where == WHERE_elsewhere)
		return NULL;
	if (where == WHERE_home)
		return identity_shm_path(path + (length ? length - 1 : 0), "", text) ? text : path;
	/* Below a directory of /dev/shm. What is too long is cut, and so is no name that a policy allows. */
	if (!place_of(dirfd, path, text))
		return where == WHERE_below ? path : NULL;
	if (strncmp(text, "/dev/shm/", 9) == 0 || find_home(text))
		return text;
	if (where == WHERE_perhaps)
		return NULL;
	/* A root of its own does not see where it lies: of what is no name to it, none is allowed. */
	strcpy(text, "/dev/shm/(unreachable)/");
	return strncat(text, path + length, 511 - strlen(text));
}

bool enforce_follow(int dirfd, const char *path, char way[static PATH_MAX], char target[static PATH_MAX])
{
	if (strlen(path) >= PATH_MAX)
		return false;
	strcpy(way, path);
	for (int links = 0; links < LINKS && enforce_is_link(dirfd, way); links++) {
		long length = kernel_call(SYS_readlinkat, dirfd, (long)way, (long)target, PATH_MAX - 1, 0, 0);
		size_t kept = length > 0 && target[0] != '/' ? parent_length(way) : 0;
		if (length <= 0 || kept + (size_t)length >= PATH_MAX)
			return false;
		memcpy(way + kept, target, (size_t)length);
		way[kept + (size_t)length] = 0;
	}
	return true;
}

/* What does not exist yet, and O_CREAT would make at the end of symbolic links. */
static const char *followed(int dirfd, const char *path, char way[static PATH_MAX], char target[static PATH_MAX],
			    char text[static 512])
{
	if (!enforce_follow(dirfd, path, way, target))
		return NULL;
	const char *name = placed(dirfd, way, text);
	if (name != way)
		return name;
	return strlen(way) < 512 ? strcpy(text, way) : NULL;
}

static const char *placed_by_links(int dirfd, const char *path, char text[static 512])
{
	char *room = kernel_memory(2 * PATH_MAX);

	if (!room)
		return NULL;
	const char *name = followed(dirfd, path, room, room + PATH_MAX, text);
	kernel_memory_free(room, 2 * PATH_MAX);
	return name;
}

struct following {
	int dirfd;
	const char *path, *name;
	char *text;
};

static long follow_links(void *context)
{
	struct following *f = context;
	long fd = kernel_call(SYS_openat, f->dirfd, (long)f->path, O_PATH | O_CLOEXEC, 0, 0, 0);

	if (fd < 0)
		return fd;
	f->name = name_behind((int)fd, f->text);
	return kernel_close((int)fd);
}

const char *enforce_name(int dirfd, const char *path, int flags, char text[static 512])
{
	const char *name = NULL;

	if (!kernel_one_text_readable(path))
		return NULL;
	if ((flags & AT_EMPTY_PATH) && !*path)
		return name_behind(dirfd, text);
	if (!(flags & AT_SYMLINK_NOFOLLOW) && enforce_is_link(dirfd, path)) {
		struct following f = {dirfd, path, NULL, text};
		name = apart_hidden(APART_ALL, follow_links, &f) < 0 ? placed_by_links(dirfd, path, text) : f.name;
	}
	return name ? name : placed(dirfd, path, text);
}

bool enforce_is_missed(const struct policy_decision *d, enum identity_look look)
{
	bool asks = d->secret || d->zero || d->reserve;

	for (int rule = 0; !asks && rule < RULE_COUNT; rule++)
		asks = enforce_asks(d, (enum rule_id)rule);
	if (look != LOOK_nothing || !asks || enforce_audits())
		return false;
	errno = ENOENT;
	return true;
}

enum identity_look enforce_look(int dirfd, const char *path, int flags, struct identity *identity)
{
	struct policy_decision d;
	char text[512];
	enum identity_look look = identity_look(dirfd, path, flags, identity);
	const char *name = look == LOOK_nothing ? enforce_name(dirfd, path, flags, text) : NULL;

	if (name) {
		enforce_begin();
		enforce_decide(name, &d);
	}
	if (name && enforce_is_missed(&d, look))
		return LOOK_nothing;
	return look == LOOK_object ? LOOK_object : LOOK_other;
}
