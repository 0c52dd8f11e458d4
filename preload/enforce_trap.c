/* Traps that others may have laid on the way to an object: links, FIFOs and second names. */
#include <string.h>

#include "preload/enforce_inner.h"
#include "preload/enforce_vain.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/parent.h"

const char *enforce_whole_path(const struct enforce_opening *o, char text[static 512])
{
	return o->shm && identity_shm_path(o->name, "", text) ? text : o->name;
}

const char *enforce_opening_path(const struct enforce_opening *o, char text[static 512])
{
	return o->shm ? enforce_whole_path(o, text) : o->path;
}

enum enforce_verdict enforce_trap(const struct policy_decision *d, const struct stat *st)
{
	return enforce_owner_allowed(d, st->st_uid) ? VERDICT_go
						    : ENFORCE(d, symlink_or_special, .other = (int32_t)st->st_uid);
}

bool enforce_meets_special(const struct enforce_opening *o, int fd)
{
	int itself = o->shm || (o->flags & O_NOFOLLOW) ? AT_SYMLINK_NOFOLLOW : 0;
	char text[512];
	struct stat st;

	if (!(o->flags & O_CREAT))
		return false;
	long missing =
		fd < 0 ? kernel_stat_at(o->dirfd, enforce_opening_path(o, text), itself, &st) : kernel_stat(fd, &st);
	return !missing && !S_ISREG(st.st_mode);
}

bool enforce_sticky(const struct enforce_opening *o, const char *path, bool itself, const struct stat *st)
{
	const struct facts_file file = {st->st_mode, st->st_uid};
	struct stat in;

	if (!(o->flags & O_CREAT) || S_ISDIR(st->st_mode))
		return false;
	/* It lies where the last link leads. */
	bool link = !itself && enforce_is_link(o->dirfd, path);
	char *way = link ? kernel_memory(2 * PATH_MAX) : NULL;
	bool leads = !link || (way && enforce_follow(o->dirfd, path, way, way + PATH_MAX));
	bool known = leads && parent_stat(o->dirfd, way ?: path, &in);
	if (way)
		kernel_memory_free(way, 2 * PATH_MAX);
	return known && facts_sticky(&file, &(struct facts_file){in.st_mode, in.st_uid}, false);
}

/* Does a link of another's on /dev/shm stand for one of the directories? Where a link leads is not looked through again. */
static enum enforce_verdict led_astray(const struct enforce_opening *o, const struct policy_decision *d)
{
	static const char usual[] = "/dev/shm/";
	bool usually = strncmp(o->path, usual, sizeof usual - 1) == 0;
	const char *start = o->path + (usually ? sizeof usual - 1 : 0);
	enum identity_where least = usually ? WHERE_perhaps : WHERE_below;
	char text[512] = "";
	struct stat st;

	for (const char *slash = strchr(start, '/'); slash && slash - o->path < 512; slash = strchr(slash + 1, '/')) {
		memcpy(text, o->path, (size_t)(slash - o->path));
		text[slash - o->path] = 0;
		if (kernel_stat_at(o->dirfd, text, AT_SYMLINK_NOFOLLOW, &st) == 0 && S_ISLNK(st.st_mode) &&
		    identity_where(st.st_dev, st.st_ino) >= least && enforce_trap(d, &st) == VERDICT_deny)
			return VERDICT_deny;
	}
	return VERDICT_go;
}

/* One stat at most where no directory of the path can lie on /dev/shm. */
static bool may_stray(int dirfd, const char *path)
{
	struct stat st;

	if (!kernel_one_text_readable(path))
		return false;
	if (path[0] == '/')
		return strncmp(path, "/dev/shm/", 9) == 0 && strchr(path + 9, '/');
	return strchr(path, '/') && kernel_stat_at(dirfd, "", AT_EMPTY_PATH, &st) == 0 &&
	       identity_where(st.st_dev, st.st_ino) != WHERE_elsewhere;
}

bool enforce_astray(const struct enforce_opening *o)
{
	struct policy_decision d;

	if (!enforce_asks_everywhere(RULE_symlink_or_special) || !may_stray(o->dirfd, o->path))
		return false;
	enforce_begin();
	enforce_decide(o->name, &d);
	enum enforce_verdict verdict = led_astray(o, &d);
	bool denied = verdict == VERDICT_deny;
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_vain_opening(o, o->path));
	enforce_end(o->caller);
	/* No event follows. */
	if (!denied)
		enforce_forget();
	return denied;
}

enum enforce_verdict enforce_special(const struct enforce_opening *o, const struct policy_decision *d)
{
	bool follows = !o->shm && !(o->flags & O_NOFOLLOW);
	char text[512];
	struct stat st;

	/* What shm_open has opened says itself whether it has a second name: enforce_attached(). */
	if (!enforce_asks(d, RULE_symlink_or_special) || (o->shm && enforce_asks_at_opening(d)))
		return VERDICT_go;
	if (!o->shm && led_astray(o, d) == VERDICT_deny)
		return VERDICT_deny;
	if ((o->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return VERDICT_go;
	const char *path = enforce_opening_path(o, text);
	if (kernel_stat_at(o->dirfd, path, AT_SYMLINK_NOFOLLOW, &st) < 0)
		return VERDICT_go;
	bool lies_there =
		(S_ISLNK(st.st_mode) && follows) || S_ISFIFO(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink > 1);
	return lies_there ? enforce_trap(d, &st) : VERDICT_go;
}
