#include "preload/place.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/parent.h"
#include "preload/text.h"

enum { COMPONENTS = 8 };

struct way {
	int dirfd, flags;
	const char *path;
	char *text;
	size_t size;
};

/* "/dev/shm/x": whole, and without "//", "." and ".."? A slash at the end is none of a name. */
static bool is_plain_path(const char *path, size_t length)
{
	for (size_t at = 0; at < length;) {
		const char *component = path + at + 1;
		size_t bytes = strcspn(component, "/");
		if (path[at] != '/' || !bytes ||
		    (component[0] == '.' && (bytes == 1 || (bytes == 2 && component[1] == '.'))))
			return false;
		at += 1 + bytes;
	}
	return length > 0;
}

/* A plain path through no link is the name itself, and no descriptor is needed to know that. */
static bool names_itself(const struct way *l)
{
	size_t length = strlen(l->path);
	struct stat st;
	unsigned components = 0;

	length -= length > 1 && l->path[length - 1] == '/';
	if (length >= l->size || !is_plain_path(l->path, length))
		return false;
	memcpy(l->text, l->path, length);
	l->text[length] = 0;
	for (char *end = l->text; end && components < COMPONENTS; components++) {
		end = strchr(end + 1, '/');
		if (end)
			*end = 0;
		bool passes = kernel_stat_at(AT_FDCWD, l->text, AT_SYMLINK_NOFOLLOW, &st) == 0 && !S_ISLNK(st.st_mode);
		if (end)
			*end = '/';
		if (!passes)
			return false;
		if (!end)
			return S_ISDIR(st.st_mode) || !((l->flags & O_DIRECTORY) || l->path[length]);
	}
	return false;
}

static long ask_kernel(void *context)
{
	const struct way *l = context;
	char link[TEXT_DESCRIPTOR];
	long fd = kernel_call(SYS_openat, l->dirfd, (long)l->path, l->flags, 0, 0, 0);
	long length = fd < 0 ? fd : kernel_readlink(text_descriptor(link, (int)fd), l->text, l->size - 1);

	if (fd >= 0)
		kernel_close((int)fd);
	l->text[length > 0 ? length : 0] = 0;
	return fd >= 0;
}

static bool leads(struct way l)
{
	/* A path may lead through any descriptor (/proc/thread-self/fd), and then to nothing where that is missing. */
	return names_itself(&l) || apart_hidden(l.dirfd, ask_kernel, &l) || apart_hidden(APART_ALL, ask_kernel, &l);
}

bool place_real(int dirfd, const char *path, char *text, size_t size)
{
	return leads((struct way){dirfd, O_PATH | O_CLOEXEC, path, text, size}) && *text && strlen(text) < size - 1;
}

bool place_of(int dirfd, const char *path, char text[static 512])
{
	struct parent parent;
	const char *slash = strrchr(path, '/'), *at = parent_begin(&parent, path);
	bool known = at && leads((struct way){dirfd, O_PATH | O_DIRECTORY | O_CLOEXEC, at, text, 512});

	parent_end(&parent);
	if (!known)
		return false;
	strncat(text, "/", 511 - strlen(text));
	strncat(text, slash ? slash + 1 : path, 511 - strlen(text));
	return true;
}
