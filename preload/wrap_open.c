/* The ways to open a path: those that lead onto /dev/shm are recorded. */
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/enforce_open.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/names.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/text.h"
#include "preload/wrap.h"
#include "preload/wrap_opening.h"

/* What makes or empties an object is told when it was. The kernel has not looked at the path yet. */
static void expect(const struct wrap_opening *o, struct visit *visit)
{
	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_IDLE && kernel_readable(o->path) &&
	    kernel_readable(o->path + sizeof "/dev/shm") && identity_says_shm(o->path))
		observe_expect(visit);
}

/* Before the call: will it create the file, what will O_TRUNC empty? Without O_EXCL only a look beforehand tells. */
void wrap_opening(struct wrap_opening *o, const void *caller)
{
	struct visit visit;
	struct stat st;

	recorder_may_begin();
	o->changing = own_changing(caller);
	o->creates = (o->flags & O_CREAT) && (o->flags & O_EXCL);
	if (!(o->flags & (O_CREAT | O_TRUNC)) || !observe_enter(&visit, caller))
		return;
	expect(o, &visit);
	if (!o->creates) {
		long missing = kernel_stat_at(o->dirfd, o->path, 0, &st);
		o->creates = (o->flags & O_CREAT) && missing == -ENOENT;
		if (!missing)
			o->size_before = (uint64_t)st.st_size;
	}
	observe_leave(&visit);
}

static bool makes_nameless(const struct wrap_opening *o)
{
	return (o->flags & O_TMPFILE) == O_TMPFILE;
}

/* Of these a policy asks nothing: where O_TMPFILE leads is a directory. */
static bool has_no_object(const struct wrap_opening *o)
{
	return (o->flags & O_PATH) || makes_nameless(o);
}

/* Is no symbolic link right at the path followed to what is opened? */
static bool takes_no_link(const struct wrap_opening *o)
{
	return (o->flags & O_NOFOLLOW) || (o->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) || makes_nameless(o);
}

/* The name by which a policy knows what the path leads to, or would make; NULL if that is not at /dev/shm. */
static const char *known_name(const struct wrap_opening *o, char text[static 512])
{
	return enforce_name(o->dirfd, o->path, takes_no_link(o) ? AT_SYMLINK_NOFOLLOW : 0, text);
}

static bool may_lie_on_shm(const struct wrap_opening *o)
{
	return (o->flags & O_CREAT) || identity_on_shm(o->dirfd, o->path);
}

/* Of most files that are not there a program only wants to know whether they are, and no policy has a say in that. */
static bool is_merely_missing(const struct visit *visit, const struct wrap_opening *o)
{
	return visit->saved_errno == ENOENT && !(o->flags & O_CREAT);
}

/* Of what a path through directories of /dev/shm leads to; of a symbolic link right there the link's own. */
static const char *own_name(const struct wrap_opening *o, char text[static 512])
{
	bool plain = !strchr(o->path + strlen("/dev/shm/"), '/');

	return (plain ? NULL : enforce_name(o->dirfd, o->path, AT_SYMLINK_NOFOLLOW, text)) ?: o->path;
}

/* Flags, a stream's mode and a filter of system calls may refuse the call before anybody has read the path. */
static bool is_readable(const struct visit *visit, const char *path)
{
	return (visit->saved_errno == ENOENT && !recorder_filtered) || kernel_one_text_readable(path);
}

/* A failed open, and one of what is no object, are worth telling where they were meant for /dev/shm: by which name? */
const char *wrap_opening_odd(const struct visit *visit, const struct wrap_opening *o, int fd, bool fifo,
			     char text[static 512])
{
	if (o->astray)
		return o->path;
	if (fd < 0 ? !is_readable(visit, o->path) : o->flags & (O_DIRECTORY | O_PATH))
		return NULL;
	if (strncmp(o->path, "/dev/shm/", 9) == 0)
		return fd < 0 && is_merely_missing(visit, o) ? o->path : own_name(o, text);
	if (fd < 0 ? is_merely_missing(visit, o) || has_no_object(o) || !may_lie_on_shm(o) : !fifo)
		return NULL;
	return known_name(o, text);
}

void wrap_refused(struct visit *visit, const struct identity *identity)
{
	if (enforce_denied())
		enforce_concerns(observe_object(visit, identity));
}

void wrap_refused_path(struct visit *visit, int dirfd, const char *path, int flags, const char *name, uint8_t kind)
{
	struct identity identity;

	if (!enforce_denied() || !identity_of_path(dirfd, path, flags, &identity))
		return;
	identity.name = name;
	identity.kind = kind;
	wrap_refused(visit, &identity);
}

/* A plain open of what is no object's, where nobody would hear of it. */
static bool unheard(const struct wrap_opening *o)
{
	return enforce_on && enforce_unheard && !enforce_clears && recorder_silent() && !o->object &&
	       !(o->flags & (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY)));
}

/* Without /proc, as in a chroot, the kernel tells no name of a descriptor: the policy knows it by this one. */
static void keep_name(const struct identity *identity, const char *name)
{
	char known[512];

	if (enforce_on && name[0] == '/' && !ledger_name(identity, known))
		ledger_rename(identity, name);
}

int wrap_opened(const struct wrap_opening *o, int fd, const void *caller)
{
	struct visit visit;

	if (wrap_hides(fd, caller))
		fd = own_fd_hide(fd);
	own_changed(o->changing);
	if (unheard(o) || !observe_enter(&visit, caller))
		return fd;
	char text[512];
	struct identity identity;
	bool fifo, tracked = identity_of_opened(fd, &identity, &fifo);
	identity.dirfd = o->dirfd;
	if (tracked && identity.kind == KIND_shm)
		identity.kind = KIND_file;
	const char *name = !tracked           ? wrap_opening_odd(&visit, o, fd, fifo, text)
			   : takes_no_link(o) ? identity_spelling(o->path, &identity, text)
					      : names_followed(o->path, &identity, text);
	if (name && fd < 0)
		wrap_refused_path(&visit, o->dirfd, o->path, takes_no_link(o) ? AT_SYMLINK_NOFOLLOW : 0, name,
				  KIND_file);
	if (name)
		RECORD(&visit, open, tracked ? &identity : NULL, .symbol = (uint16_t)o->symbol, .dirfd = o->dirfd,
		       .name = name, .flags = (uint32_t)o->flags, .mode = o->mode, .result = fd,
		       .created = o->creates && fd >= 0, .size_before = o->size_before,
		       .error = observe_error(&visit, fd < 0));
	/* Its event counts it as made once it has a name, and has the directory's. */
	if (tracked && makes_nameless(o))
		ledger_mark(&identity, MARK_CREATED, MARK_INHERITED);
	else if (tracked && name)
		keep_name(&identity, name);
	observe_leave(&visit);
	return fd;
}

static int call_openat(const struct enforce_opening *o, int flags, mode_t mode)
{
	return REAL(openat)(o->dirfd, o->path, flags, mode);
}

static enum enforce_maker maker(enum symbol symbol)
{
	bool node = symbol == SYMBOL_mknod || symbol == SYMBOL_mknodat || symbol == SYMBOL___xmknod ||
		    symbol == SYMBOL___xmknodat;

	return node ? MAKER_mknod : MAKER_open;
}

struct enforce_opening wrap_opening_asked(const struct wrap_opening *o, const void *caller)
{
	return (struct enforce_opening){.maker = maker(o->symbol),
					.name = o->object ?: o->path,
					.dirfd = o->dirfd,
					.path = o->path,
					.flags = o->flags,
					.mode = o->mode,
					.caller = caller};
}

/* Does it lead elsewhere, by what the policy denies? errno is set then. */
static bool strays(struct wrap_opening *o, const void *caller)
{
	o->object = NULL;
	const struct enforce_opening asked = wrap_opening_asked(o, caller);
	o->astray = enforce_astray(&asked);
	return o->astray;
}

/* Is there a policy, and does the path lead onto /dev/shm, or to what stands there in an object's place? */
bool wrap_opening_polices(struct wrap_opening *o, char text[static 512], const void *caller)
{
	if (!enforce_on || own_caller(caller) || has_no_object(o))
		return false;
	if (!may_lie_on_shm(o))
		return strays(o, caller);
	o->object = known_name(o, text);
	return o->object || strays(o, caller);
}

int wrap_opening_enforced(int (*call)(const struct enforce_opening *, int, mode_t), const struct wrap_opening *o,
			  const void *caller)
{
	struct enforce_opening asked = wrap_opening_asked(o, caller);

	asked.call = call;
	return o->astray ? -1 : enforce_open(&asked);
}

int wrap_opening_open(const struct wrap_opening *o, const void *caller)
{
	return wrap_opening_enforced(call_openat, o, caller);
}

/* The original, or what the policy makes of it. */
#define POLICED(original) (wrap_opening_polices(&o, text, CALLER) ? wrap_opening_open(&o, CALLER) : (original))

#define MODE_ARGUMENT(flags)                                                                                           \
	mode_t mode = 0;                                                                                               \
	if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                                        \
		va_list arguments;                                                                                     \
		va_start(arguments, flags);                                                                            \
		mode = va_arg(arguments, mode_t);                                                                      \
		va_end(arguments);                                                                                     \
	}

#define WRAP_OPEN(name)                                                                                                \
	EXPORT int name(const char *path, int flags, ...)                                                              \
	{                                                                                                              \
		MODE_ARGUMENT(flags)                                                                                   \
		OPENING(name, AT_FDCWD, path, flags, mode);                                                            \
		return wrap_opened(&o, POLICED(REAL(name)(path, flags, mode)), CALLER);                                \
	}
WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPEN(__open)
WRAP_OPEN(__open64)

#define WRAP_OPEN_2(name)                                                                                              \
	EXPORT int name(const char *path, int flags)                                                                   \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, flags, 0);                                                               \
		return wrap_opened(&o, POLICED(REAL(name)(path, flags)), CALLER);                                      \
	}
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
WRAP_OPEN_2(__open_2)
WRAP_OPEN_2(__open64_2)

#define WRAP_OPENAT(name)                                                                                              \
	EXPORT int name(int dirfd, const char *path, int flags, ...)                                                   \
	{                                                                                                              \
		MODE_ARGUMENT(flags)                                                                                   \
		dirfd = wrap_given(dirfd, CALLER);                                                                     \
		OPENING(name, dirfd, path, flags, mode);                                                               \
		return wrap_opened(&o, POLICED(REAL(name)(dirfd, path, flags, mode)), CALLER);                         \
	}
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define WRAP_OPENAT_2(name)                                                                                            \
	EXPORT int name(int dirfd, const char *path, int flags)                                                        \
	{                                                                                                              \
		dirfd = wrap_given(dirfd, CALLER);                                                                     \
		OPENING(name, dirfd, path, flags, 0);                                                                  \
		return wrap_opened(&o, POLICED(REAL(name)(dirfd, path, flags)), CALLER);                               \
	}
int __openat_2(int dirfd, const char *path, int flags);
int __openat64_2(int dirfd, const char *path, int flags);
WRAP_OPENAT_2(__openat_2)
WRAP_OPENAT_2(__openat64_2)

#define WRAP_CREAT(name)                                                                                               \
	EXPORT int name(const char *path, mode_t mode)                                                                 \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);                                     \
		return wrap_opened(&o, POLICED(REAL(name)(path, mode)), CALLER);                                       \
	}
WRAP_CREAT(creat)
WRAP_CREAT(creat64)

/* What mkstemp(3) refuses before it looks at the path. */
static bool is_template(const char *path, int suffix)
{
	static const char random[] = "XXXXXX";
	size_t length = strlen(path), last = sizeof random - 1 + (size_t)suffix;

	return suffix >= 0 && length >= last && memcmp(path + length - last, random, sizeof random - 1) == 0;
}

/* mkstemp(3) opens with O_EXCL and mode 0600; the path is known only afterwards. */
#define WRAP_MKSTEMP(name, parameters, arguments, suffix, more_flags)                                                  \
	EXPORT int name parameters                                                                                     \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, O_CREAT | O_EXCL | O_RDWR | (more_flags), 0600);                         \
		bool polices = is_template(path, suffix) && wrap_opening_polices(&o, text, CALLER);                    \
		if (polices && (o.astray || enforce_temporary(o.object, path, CALLER) == VERDICT_deny))                \
			return wrap_opened(&o, -1, CALLER);                                                            \
		int fd = REAL(name) arguments;                                                                         \
		if (polices && fd >= 0)                                                                                \
			ledger_count_created(1);                                                                       \
		return wrap_opened(&o, fd, CALLER);                                                                    \
	}
WRAP_MKSTEMP(mkstemp, (char *path), (path), 0, 0)
WRAP_MKSTEMP(mkstemp64, (char *path), (path), 0, 0)
WRAP_MKSTEMP(mkostemp, (char *path, int flags), (path, flags), 0, flags)
WRAP_MKSTEMP(mkostemp64, (char *path, int flags), (path, flags), 0, flags)
WRAP_MKSTEMP(mkstemps, (char *path, int suffix), (path, suffix), suffix, 0)
WRAP_MKSTEMP(mkstemps64, (char *path, int suffix), (path, suffix), suffix, 0)
WRAP_MKSTEMP(mkostemps, (char *path, int suffix, int flags), (path, suffix, flags), suffix, flags)
WRAP_MKSTEMP(mkostemps64, (char *path, int suffix, int flags), (path, suffix, flags), suffix, flags)
