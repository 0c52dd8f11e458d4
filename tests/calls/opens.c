/* Every way to open a file by its path, on /dev/shm and elsewhere. */
#include <mntent.h>

#include "print.h"

extern int __open(const char *, int, ...);
extern int __open64(const char *, int, ...);
extern FILE *_IO_fopen(const char *, const char *);
extern int _IO_fclose(FILE *);
extern int __xmknod(int, const char *, mode_t, dev_t *);
extern int __xmknodat(int, int, const char *, mode_t, dev_t *);
extern int __open_2(const char *, int);
extern int __open64_2(const char *, int);
extern int __openat_2(int, const char *, int);
extern int __openat64_2(int, const char *, int);

static void opened(long fd)
{
	if (fd < 0)
		return;
	show_fd((int)fd);
	close((int)fd);
}

static void open_by(const char *name, int (*function)(const char *, int, ...))
{
	printf("%s\n", name);
	opened(CALL(function(path("f"), O_RDWR)));
	opened(CALL(function(path("f"), O_CREAT | O_EXCL | O_RDWR, 0640)));
	opened(CALL(function(path("f"), O_CREAT | O_EXCL | O_RDWR, 0600)));
	opened(CALL(function(path("f"), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0777)));
	opened(CALL(function(path("f"), O_RDONLY | O_TRUNC)));
	opened(CALL(function(path("f"), O_WRONLY | O_NONBLOCK)));
	opened(CALL(function(path("f"), O_PATH)));
	opened(CALL(function(path("f"), O_DIRECTORY)));
	opened(CALL(function(path(""), O_RDONLY | O_DIRECTORY)));
	opened(CALL(function(path(""), O_RDWR)));
	opened(CALL(function(path(""), O_TMPFILE | O_RDWR, 0600)));
	opened(CALL(function(path("f/g"), O_RDONLY)));
	opened(CALL(function("", O_RDONLY)));
	opened(CALL(function(nowhere, O_RDONLY)));
	opened(CALL(function(nowhere, O_CREAT | O_RDWR, 0600)));
	opened(CALL(function(NULL, O_RDONLY)));
	opened(CALL(function("/dev/null", O_RDONLY)));
	opened(CALL(function("/proc/self/exe", O_RDWR)));
	CALL(unlink(path("f")));
}

static void openat_by(const char *name, int (*function)(int, const char *, int, ...))
{
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);

	printf("%s\n", name);
	opened(CALL(function(dir, "f", O_RDWR)));
	opened(CALL(function(dir, "f", O_CREAT | O_RDWR, 0600)));
	opened(CALL(function(-1, "f", O_RDWR)));
	opened(CALL(function(-1, path("f"), O_RDWR)));
	opened(CALL(function(AT_FDCWD, path("f"), O_RDWR | O_CLOEXEC)));
	opened(CALL(function(dir, "../f", O_RDWR)));
	opened(CALL(function(dir, nowhere, O_RDWR)));
	opened(CALL(function(dir, "", O_RDWR)));
	opened(CALL(function(dir, ".", O_TMPFILE | O_RDWR, 0600)));
	CALL(unlink(path("f")));
	close(dir);
}

static void fortified(void)
{
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);

	opened(CALL(creat(path("f"), 0600)));
	opened(CALL(creat64(path("f"), 0640)));
	opened(CALL(creat(path(""), 0600)));
	opened(CALL(creat64(nowhere, 0600)));
	opened(CALL(__open_2(path("f"), O_RDWR)));
	opened(CALL(__open_2(path("none"), O_RDWR)));
	opened(CALL(__open_2(nowhere, O_RDWR)));
	opened(CALL(__open64_2(path("f"), O_RDONLY)));
	opened(CALL(__openat_2(dir, "f", O_RDWR)));
	opened(CALL(__openat_2(-1, "f", O_RDWR)));
	opened(CALL(__openat64_2(dir, "f", O_RDWR | O_CLOEXEC)));
	CALL(unlink(path("f")));
	close(dir);
}

static void fortified_without_mode(void)
{
	__open_2(path("f"), O_CREAT | O_RDWR);
}

/* The six X's are replaced by anything but themselves, the suffix stays. */
static void temporary(long fd, char *name, size_t suffix)
{
	size_t end_of_x = strlen(name) - suffix;

	if (fd < 0) {
		printf("  name kept: %s\n", strrchr(name, '/') + 1);
		return;
	}
	printf("  replaced %d, suffix %s\n", strncmp(name + end_of_x - 6, "XXXXXX", 6) != 0, name + end_of_x);
	opened(fd);
	unlink(name);
}

static char *template(const char *name)
{
	static char buffer[NAME_MAX];

	snprintf(buffer, sizeof(buffer), "%s", path(name));
	return buffer;
}

static void temporaries(void)
{
	char *t;

	t = template("t-XXXXXX");
	temporary(CALL(mkstemp(t)), t, 0);
	t = template("t-XXXXX");
	temporary(CALL(mkstemp(t)), t, 0);
	t = template("none/XXXXXX");
	CALL(mkstemp(t));
	t = template("t-XXXXXX");
	temporary(CALL(mkstemp64(t)), t, 0);
	t = template("t-XXXXXX");
	temporary(CALL(mkostemp(t, O_CLOEXEC | O_APPEND)), t, 0);
	t = template("t-XXXXXX");
	temporary(CALL(mkostemp64(t, O_CLOEXEC)), t, 0);
	t = template("t-XXXXXX.c");
	temporary(CALL(mkstemps(t, 2)), t, 2);
	t = template("t-XXXXXX.c");
	temporary(CALL(mkstemps64(t, 2)), t, 2);
	t = template("t-XXXXXX.c");
	temporary(CALL(mkstemps(t, 1000)), t, 2);
	t = template("t-XXXXXX.c");
	temporary(CALL(mkostemps(t, 2, O_CLOEXEC)), t, 2);
	t = template("t-XXXXXX.c");
	temporary(CALL(mkostemps64(t, 2, O_CLOEXEC)), t, 2);
}

static void streamed(FILE *file)
{
	if (file == NULL)
		return;
	show_fd(fileno(file));
	CALL(fclose(file));
}

static void streams_by(FILE *(*function)(const char *, const char *),
		       FILE *(*again)(const char *, const char *, FILE *))
{
	FILE *file;

	streamed(CALL_POINTER(function(path("f"), "r")));
	streamed(CALL_POINTER(function(path("f"), "w+")));
	streamed(CALL_POINTER(function(path("f"), "r+e")));
	streamed(CALL_POINTER(function(path("f"), "wx")));
	streamed(CALL_POINTER(function(path("f"), "a")));
	streamed(CALL_POINTER(function(path("f"), "")));
	streamed(CALL_POINTER(function(path("f"), "?")));
	streamed(CALL_POINTER(function(path("f"), "r,ccs=nonesuch")));
	streamed(CALL_POINTER(function(path("none/f"), "w")));
	streamed(CALL_POINTER(function(nowhere, "r")));
	file = CALL_POINTER(function(path("f"), "w"));
	fputs("12345", file);
	file = CALL_POINTER(again(path("g"), "w+", file));
	show_path("f");
	file = CALL_POINTER(again(NULL, "r", file));
	show_fd(fileno(file));
	streamed(file);
	file = CALL_POINTER(function(path("f"), "r"));
	streamed(CALL_POINTER(again(path("none"), "r", file)));
	CALL(unlink(path("f")));
	CALL(unlink(path("g")));
}

static void nodes_by_old_names(int dir)
{
	dev_t none = 0;

	CALL(__xmknod(0, path("n"), S_IFREG | 0640, &none));
	show_path("n");
	CALL(__xmknod(0, path("n"), 0640, &none));
	CALL(unlink(path("n")));
	CALL(__xmknod(1, path("n"), 0640, &none));
	CALL(__xmknodat(0, dir, "n", 06751, &none));
	show_path("n");
	CALL(unlink(path("n")));
	CALL(__xmknodat(0, dir, "n", S_IFIFO | 0600, &none));
	CALL(unlink(path("n")));
	CALL(__xmknodat(7, dir, "n", 0600, &none));
	CALL(__xmknodat(0, -1, "n", 0600, &none));
	CALL(__xmknod(0, nowhere, 0600, &none));
}

static void table(FILE *file)
{
	if (file == NULL)
		return;
	show_fd(fileno(file));
	CALL(endmntent(file));
}

static void tables(void)
{
	table(CALL_POINTER(setmntent(path("m"), "r")));
	table(CALL_POINTER(setmntent(path("m"), "w")));
	show_path("m");
	table(CALL_POINTER(setmntent(path("m"), "a+")));
	table(CALL_POINTER(setmntent(path("m"), "wx")));
	table(CALL_POINTER(setmntent(path("m"), "?")));
	table(CALL_POINTER(setmntent(path("none/m"), "w")));
	table(CALL_POINTER(setmntent(nowhere, "r")));
	table(CALL_POINTER(setmntent("/dev/null", "r+")));
	CALL(endmntent(NULL));
	CALL(unlink(path("m")));
}

static void nodes(void)
{
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);

	nodes_by_old_names(dir);

	CALL(mknod(path("n"), S_IFREG | 0640, 0));
	show_path("n");
	CALL(mknod(path("n"), S_IFREG | 0640, 0));
	CALL(unlink(path("n")));
	CALL(mknod(path("n"), 06751, 77));
	show_path("n");
	CALL(unlink(path("n")));
	CALL(mknodat(dir, "n", S_IFREG | 0600, 0));
	CALL(mknodat(dir, "n", 0600, 0));
	show_path("n");
	CALL(unlink(path("n")));
	CALL(mknodat(dir, "n", S_IFIFO | 0600, 0));
	show_path("n");
	CALL(unlink(path("n")));
	CALL(mknod(path("n"), S_IFSOCK | 0600, 0));
	CALL(unlink(path("n")));
	CALL(mknod(path("n"), S_IFDIR | 0600, 0));
	CALL(mknod(path("n"), S_IFMT | 0600, 0));
	CALL(mknod(path("none/n"), S_IFREG | 0600, 0));
	CALL(mknod("", S_IFREG | 0600, 0));
	CALL(mknod(nowhere, S_IFREG | 0600, 0));
	CALL(mknod(NULL, 0600, 0));
	CALL(mknodat(-1, "n", S_IFREG | 0600, 0));
	CALL(mknodat(-1, nowhere, S_IFREG | 0600, 0));
	CALL(close(dir));
}

int main(void)
{
	begin();
	open_by("open", open);
	open_by("open64", open64);
	open_by("__open", __open);
	open_by("__open64", __open64);
	openat_by("openat", openat);
	openat_by("openat64", openat64);
	fortified();
	in_child("__open_2 with O_CREAT", fortified_without_mode);
	temporaries();
	streams_by(fopen, freopen);
	streams_by(fopen64, freopen64);
	streams_by(_IO_fopen, freopen);
	CALL(_IO_fclose(_IO_fopen("/dev/null", "r")));
	tables();
	nodes();
	show_descriptors();
	end();
	return 0;
}
