/* Makes objects writable to all, each in another way, and names the way: PREFIX.WAY in /dev/shm. */
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char text[256];

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static const char *path(const char *way)
{
	snprintf(text, sizeof(text), "/dev/shm/shmguard-rules.%d.%s", getpid(), way);
	return text;
}

/* The same from within /dev/shm. */
static const char *name(const char *way)
{
	return path(way) + 9;
}

static int shared(int fd)
{
	must(fd >= 0 && ftruncate(fd, 4096) == 0, "object");
	must(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	return fd;
}

static int private(const char *way)
{
	return shared(open(path(way), O_CREAT | O_EXCL | O_RDWR, 0600));
}

/* acl(5) of mode 0666, as linux/posix_acl_xattr.h has it. */
static const struct {
	uint32_t version;
	struct {
		uint16_t tag, rights;
		uint32_t id;
	} user, group, other;
} open_to_all = {2, {1, 6, ~0u}, {4, 6, ~0u}, {32, 6, ~0u}};

int main(void)
{
	int directory = open("/dev/shm", O_RDONLY | O_DIRECTORY), fd;
	char from[256], link_text[64];

	umask(0);
	must(directory >= 0, "/dev/shm");
	shared(shm_open(path("shm_open") + 8, O_CREAT | O_EXCL | O_RDWR, 0666));
	shared(open(path("open"), O_CREAT | O_EXCL | O_RDWR, 0666));
	shared(openat(directory, name("openat"), O_CREAT | O_EXCL | O_RDWR, 0666));
	must(sem_open(path("sem_open") + 8, O_CREAT | O_EXCL, 0666, 1) != SEM_FAILED, "sem_open");
	must(fchmod(private("fchmod"), 0666) == 0, "fchmod");
	private("chmod");
	must(chmod(path("chmod"), 0666) == 0, "chmod");
	private("fchmodat");
	must(fchmodat(directory, name("fchmodat"), 0666, 0) == 0, "fchmodat");
	must(mknod(path("mknod"), S_IFREG | 0666, 0) == 0, "mknod");
	shared(open(path("mknod"), O_RDWR));
	private("setxattr");
	must(setxattr(path("setxattr"), "system.posix_acl_access", &open_to_all, sizeof open_to_all, 0) == 0,
	     "setxattr");
	snprintf(from, sizeof(from), "%s", path("directory"));
	must(mkdir(from, 0700) == 0, "mkdir");
	snprintf(from, sizeof(from), "%s/made", path("directory"));
	fd = shared(open(from, O_CREAT | O_EXCL | O_RDWR, 0666));
	must(rename(from, path("rename")) == 0 && rmdir(path("directory")) == 0, "rename");
	fd = shared(open("/dev/shm", O_TMPFILE | O_RDWR, 0666));
	snprintf(link_text, sizeof(link_text), "/proc/self/fd/%d", fd);
	must(linkat(AT_FDCWD, link_text, AT_FDCWD, path("linkat"), AT_SYMLINK_FOLLOW) == 0, "linkat");
	return 0;
}
