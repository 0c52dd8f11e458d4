/* shm_open, shm_unlink, memfd_create, sem_*, and the names of files on /dev/shm. */
#include <semaphore.h>

#include "print.h"

static void open_nowhere(void)
{
	shm_open(nowhere, O_RDWR, 0600);
}

static void unlink_nowhere(void)
{
	shm_unlink(nowhere);
}

static void objects(void)
{
	char *a = object("a");
	char long_name[NAME_MAX + 2] = "/";
	int fd;

	memset(long_name + 1, 'x', NAME_MAX);
	CALL(shm_open(a, O_RDWR, 0600));
	fd = (int)CALL(shm_open(a, O_CREAT | O_EXCL | O_RDWR, 0640));
	show_fd(fd);
	CALL(shm_open(a, O_CREAT | O_EXCL | O_RDWR, 0600));
	CALL(ftruncate(fd, 5000));
	CALL(close(fd));
	fd = (int)CALL(shm_open(a, O_CREAT | O_RDWR, 0777));
	show_fd(fd);
	CALL(close(fd));
	fd = (int)CALL(shm_open(a, O_RDONLY, 0));
	show_fd(fd);
	CALL(close(fd));
	fd = (int)CALL(shm_open(a + 1, O_RDWR | O_TRUNC, 0));
	show_fd(fd);
	CALL(close(fd));
	CALL(shm_open("", O_RDWR, 0));
	CALL(shm_open("/", O_RDWR, 0));
	CALL(shm_open("/.", O_RDWR, 0));
	CALL(shm_open("/..", O_RDWR, 0));
	CALL(shm_open("/a/b", O_CREAT | O_RDWR, 0600));
	CALL(shm_open(long_name, O_CREAT | O_RDWR, 0600));
	CALL(shm_open(a, 0xffff, 0600));
	CALL(shm_open(a, O_WRONLY | O_RDWR, 0600));
	CALL(shm_unlink(a));
	CALL(shm_unlink(a));
	CALL(shm_unlink(""));
	CALL(shm_unlink("/a/b"));
	CALL(shm_unlink(long_name));
	in_child("shm_open(nowhere)", open_nowhere);
	in_child("shm_unlink(nowhere)", unlink_nowhere);
}

static void memfds(void)
{
	char name[251];
	int fd;

	memset(name, 'n', 250);
	name[250] = '\0';
	fd = (int)CALL(memfd_create("shmguard-calls", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	show_fd(fd);
	CALL(close(fd));
	fd = (int)CALL(memfd_create("", 0));
	show_fd(fd);
	CALL(close(fd));
	CALL(memfd_create(name, 0));
	name[249] = '\0';
	fd = (int)CALL(memfd_create(name, 0));
	CALL(close(fd));
	CALL(memfd_create("x", 0xffffffff));
	CALL(memfd_create(nowhere, 0));
	CALL(memfd_create(NULL, 0));
}

static void semaphores(void)
{
	char *a = object("s");
	int value = -1;
	sem_t *sem, *again;

	CALL_POINTER(sem_open(a, 0));
	sem = CALL_POINTER(sem_open(a, O_CREAT | O_EXCL, 0600, 3));
	CALL_POINTER(sem_open(a, O_CREAT | O_EXCL, 0600, 3));
	again = CALL_POINTER(sem_open(a, O_CREAT, 0600, 9));
	CALL(sem_getvalue(sem, &value));
	printf("  value %d, the same semaphore %d\n", value, sem == again);
	CALL_POINTER(sem_open(a + 1, O_CREAT, 0600, 1));
	CALL_POINTER(sem_open("/a/b", O_CREAT, 0600, 1));
	CALL_POINTER(sem_open(object("t"), O_CREAT, 0600, (unsigned)SEM_VALUE_MAX + 1));
	CALL(sem_close(again));
	CALL(sem_close(sem));
	CALL(sem_unlink(a));
	CALL(sem_unlink(a));
	CALL(sem_unlink("/a/b"));
	CALL_POINTER(sem_open(a, 0));
}

static void make(const char *name)
{
	int fd = open(path(name), O_CREAT | O_RDWR, 0600);

	printf("  made %s: %d\n", name, fd >= 0 && close(fd) == 0);
}

static void unlinks(void)
{
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);

	make("u");
	CALL(unlink(path("u")));
	CALL(unlink(path("u")));
	make("u");
	CALL(unlinkat(dir, "u", 0));
	CALL(unlinkat(dir, "u", 0));
	CALL(unlinkat(dir, "u", 0x7fffffff));
	CALL(unlinkat(-1, "u", 0));
	make("u");
	CALL(unlinkat(-1, path("u"), 0));
	make("u");
	CALL(unlinkat(dir, "u", AT_REMOVEDIR));
	CALL(remove(path("u")));
	CALL(remove(path("u")));
	CALL(mkdir(path("d"), 0700));
	CALL(unlink(path("d")));
	CALL(remove(path("d")));
	CALL(mkdir(path("d"), 0700));
	CALL(unlinkat(dir, "d", AT_REMOVEDIR));
	CALL(unlink(""));
	CALL(unlink(nowhere));
	CALL(unlink(NULL));
	CALL(unlinkat(dir, nowhere, 0));
	CALL(remove(nowhere));
	CALL(close(dir));
}

static void renames(void)
{
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);

	make("a");
	make("b");
	CALL(rename(path("a"), path("c")));
	CALL(rename(path("a"), path("c")));
	CALL(rename(path("c"), path("b")));
	show_path("a");
	show_path("b");
	show_path("c");
	CALL(rename(path("b"), path("b")));
	CALL(rename(path("b"), "/proc/b"));
	CALL(rename(nowhere, path("b")));
	CALL(rename(path("b"), nowhere));
	CALL(renameat(dir, "b", dir, "a"));
	CALL(renameat(-1, "a", dir, "b"));
	CALL(renameat(dir, "a", AT_FDCWD, path("b")));
	make("a");
	CALL(renameat2(dir, "a", dir, "b", RENAME_NOREPLACE));
	CALL(renameat2(dir, "a", dir, "b", RENAME_EXCHANGE));
	CALL(renameat2(dir, "a", dir, "none", RENAME_EXCHANGE));
	CALL(renameat2(dir, "a", dir, "b", 0xffffffff));
	CALL(renameat2(dir, "a", dir, "b", 0));
	CALL(unlink(path("b")));
	show_path("a");
	CALL(close(dir));
}

static void links(void)
{
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);
	int fd = open(path(""), O_TMPFILE | O_RDWR, 0600);

	make("a");
	CALL(link(path("a"), path("b")));
	CALL(link(path("a"), path("b")));
	CALL(link(path("none"), path("c")));
	CALL(link(path("a"), "/proc/a"));
	CALL(link(nowhere, path("c")));
	show_path("a");
	CALL(linkat(dir, "a", dir, "c", 0));
	CALL(linkat(dir, "a", -1, "d", 0));
	CALL(linkat(dir, "a", dir, "d", 0x7fffffff));
	CALL(linkat(fd, "", dir, "e", AT_EMPTY_PATH));
	show_path("a");
	CALL(unlink(path("a")));
	CALL(unlink(path("b")));
	CALL(unlink(path("c")));
	unlink(path("e"));
	CALL(close(fd));
	CALL(close(dir));
}

int main(void)
{
	begin();
	objects();
	memfds();
	semaphores();
	unlinks();
	renames();
	links();
	show_descriptors();
	end();
	return 0;
}
