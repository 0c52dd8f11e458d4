/* Size, mode and owner of objects and files. */
#include <linux/falloc.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include "print.h"

static int make(void)
{
	return open(path("s"), O_CREAT | O_RDWR, 0600);
}

static void ftruncate_by(int (*function)(int, off_t))
{
	int fd = make();
	int read_only = open(path("s"), O_RDONLY);
	int dir = open(path(""), O_RDONLY);
	int memfd = memfd_create("shmguard-calls", MFD_ALLOW_SEALING);
	int ends[2];

	CALL(function(fd, 1));
	CALL(function(fd, 4095));
	CALL(function(fd, 4096));
	CALL(function(fd, 4097));
	show_fd(fd);
	CALL(function(fd, (off_t)1 << 40));
	show_fd(fd);
	CALL(function(fd, 0));
	CALL(function(fd, -1));
	CALL(function(fd, LONG_MAX));
	CALL(function(fd, LONG_MIN));
	show_fd(fd);
	CALL(function(read_only, 1));
	CALL(function(dir, 1));
	CALL(function(-1, 1));
	CALL(pipe(ends));
	CALL(function(ends[1], 1));
	CALL(function(memfd, 8192));
	CALL(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	CALL(function(memfd, 4096));
	CALL(function(memfd, 12288));
	CALL(fcntl(memfd, F_ADD_SEALS, F_SEAL_GROW));
	CALL(function(memfd, 16384));
	show_fd(memfd);
	closefrom(fd);
	unlink(path("s"));
}

static void truncate_by(int (*function)(const char *, off_t))
{
	int fd = make();

	CALL(function(path("s"), 12345));
	show_fd(fd);
	CALL(function(path("s"), 0));
	CALL(function(path("s"), -1));
	CALL(function(path("none"), 1));
	CALL(function(path(""), 1));
	CALL(function("", 1));
	CALL(function("/dev/null", 1));
	CALL(function(nowhere, 1));
	CALL(function(NULL, 1));
	show_fd(fd);
	close(fd);
	unlink(path("s"));
}

static void fallocate_by(int (*function)(int, int, off_t, off_t))
{
	int fd = make();
	int read_only = open(path("s"), O_RDONLY);
	int memfd = memfd_create("shmguard-calls", MFD_ALLOW_SEALING);

	CALL(function(fd, 0, 0, 10000));
	show_fd(fd);
	CALL(function(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
	show_fd(fd);
	CALL(function(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	show_fd(fd);
	CALL(function(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096));
	CALL(function(fd, FALLOC_FL_ZERO_RANGE, 0, 4096));
	CALL(function(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
	CALL(function(fd, 0x7fffffff, 0, 4096));
	CALL(function(fd, 0, 0, 0));
	CALL(function(fd, 0, -1, 4096));
	CALL(function(fd, 0, 0, -1));
	CALL(function(fd, 0, LONG_MAX, 4096));
	CALL(function(read_only, 0, 0, 4096));
	CALL(function(-1, 0, 0, 4096));
	CALL(function(memfd, 0, 0, 4096));
	CALL(fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
	CALL(function(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	CALL(function(memfd, 0, 0, 8192));
	show_fd(memfd);
	closefrom(fd);
	unlink(path("s"));
}

static void posix_fallocate_by(int (*function)(int, off_t, off_t))
{
	int fd = make();
	int ends[2];

	CALL(function(fd, 0, 10000));
	show_fd(fd);
	CALL(function(fd, 5000, 100));
	CALL(function(fd, 0, 0));
	CALL(function(fd, -1, 1));
	CALL(function(fd, LONG_MAX, 1));
	CALL(function(-1, 0, 1));
	CALL(pipe(ends));
	CALL(function(ends[1], 0, 1));
	show_fd(fd);
	closefrom(fd);
	unlink(path("s"));
}

static void over_the_limit(void)
{
	struct rlimit limit = {8192, 8192};
	int fd = memfd_create("shmguard-calls", 0);

	setrlimit(RLIMIT_FSIZE, &limit);
	CALL(ftruncate(fd, 8192));
	CALL(ftruncate(fd, 8193));
}

static void modes(void)
{
	int fd = make();
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);

	CALL(symlink("s", path("l")));
	CALL(chmod(path("s"), 0));
	show_path("s");
	CALL(chmod(path("l"), 07777));
	show_path("s");
	CALL(chmod(path("none"), 0600));
	CALL(chmod(nowhere, 0600));
	CALL(chmod(path("s/t"), 0600));
	CALL(lchmod(path("s"), 0604));
	CALL(lchmod(path("l"), 0604));
	CALL(lchmod(nowhere, 0604));
	CALL(fchmod(fd, 0640));
	CALL(fchmod(fd, (mode_t)-1));
	show_path("s");
	CALL(fchmod(-1, 0600));
	CALL(fchmodat(dir, "s", 0604, 0));
	show_path("s");
	CALL(fchmodat(dir, "s", 0600, AT_SYMLINK_NOFOLLOW));
	CALL(fchmodat(dir, "l", 0600, AT_SYMLINK_NOFOLLOW));
	CALL(fchmodat(dir, "s", 0600, 0x7fffffff));
	CALL(fchmodat(-1, "s", 0600, 0));
	CALL(fchmodat(dir, nowhere, 0600, 0));
	unlink(path("l"));
	unlink(path("s"));
	closefrom(fd);
}

/* As acl(5) has it in linux/posix_acl_xattr.h. */
struct list {
	uint32_t version;
	struct {
		uint16_t tag, rights;
		uint32_t id;
	} user, named, group, mask, other;
};

static struct list list(uint16_t mask, uint16_t other)
{
	return (struct list){2, {1, 6, ~0u}, {2, 7, 0}, {4, 2, ~0u}, {16, mask, ~0u}, {32, other, ~0u}};
}

static void lists(void)
{
	static const char name[] = "system.posix_acl_access";
	char got[64], *many = calloc(1, 70000);
	int fd = make();
	struct list given = list(5, 4), *value = &given;
	size_t bytes = sizeof given;

	CALL(symlink("s", path("l")));
	CALL(fsetxattr(fd, name, value, bytes, 0));
	show_path("s");
	CALL(fgetxattr(fd, name, got, sizeof got));
	printf("  as it was set: %d\n", memcmp(got, value, bytes) == 0);
	given = list(6, 6);
	CALL(setxattr(path("l"), name, value, bytes, XATTR_CREATE));
	CALL(setxattr(path("l"), name, value, bytes, XATTR_REPLACE));
	CALL(setxattr(path("l"), name, value, bytes, 0));
	show_path("s");
	CALL(lsetxattr(path("l"), name, value, bytes, 0));
	CALL(lsetxattr(path("s"), name, value, bytes, 0));
	CALL(fsetxattr(fd, name, value, bytes - 1, 0));
	CALL(fsetxattr(fd, name, value, 4, 0));
	CALL(fsetxattr(fd, name, many, 65536, 0));
	CALL(fsetxattr(fd, name, many, 70000, 0));
	CALL(fsetxattr(fd, name, nowhere, bytes, 0));
	CALL(fsetxattr(fd, name, NULL, bytes, 0));
	CALL(fsetxattr(fd, name, NULL, 0, 0));
	CALL(fsetxattr(fd, nowhere, value, bytes, 0));
	CALL(fsetxattr(fd, "user.other", value, bytes, 0));
	CALL(fsetxattr(-1, name, value, bytes, 0));
	CALL(setxattr(path("none"), name, value, bytes, 0));
	CALL(setxattr(nowhere, name, value, bytes, 0));
	CALL(lsetxattr("", name, value, bytes, 0));
	given.version = 1;
	CALL(fsetxattr(fd, name, value, bytes, 0));
	show_path("s");
	unlink(path("l"));
	unlink(path("s"));
	closefrom(fd);
	free(many);
}

static void owners(void)
{
	uid_t keep = (uid_t)-1;
	int fd = make();
	int dir = open(path(""), O_RDONLY | O_DIRECTORY);

	CALL(symlink("none", path("l")));
	CALL(chown(path("s"), keep, keep));
	CALL(chown(path("s"), getuid(), getgid()));
	CALL(chown(path("none"), keep, keep));
	CALL(chown(path("l"), keep, keep));
	CALL(chown(nowhere, keep, keep));
	CALL(lchown(path("l"), keep, keep));
	CALL(lchown(path("none"), keep, keep));
	CALL(lchown(nowhere, keep, keep));
	CALL(fchown(fd, keep, keep));
	CALL(fchown(-1, keep, keep));
	CALL(fchownat(dir, "s", keep, keep, 0));
	CALL(fchownat(fd, "", keep, keep, AT_EMPTY_PATH));
	CALL(fchownat(dir, "l", keep, keep, AT_SYMLINK_NOFOLLOW));
	CALL(fchownat(dir, "l", keep, keep, 0));
	CALL(fchownat(dir, "s", keep, keep, 0x7fffffff));
	CALL(fchownat(-1, "s", keep, keep, 0));
	CALL(fchownat(dir, nowhere, keep, keep, 0));
	show_path("s");
	unlink(path("l"));
	unlink(path("s"));
	closefrom(fd);
}

int main(void)
{
	begin();
	ftruncate_by(ftruncate);
	ftruncate_by(ftruncate64);
	truncate_by(truncate);
	truncate_by(truncate64);
	fallocate_by(fallocate);
	fallocate_by(fallocate64);
	posix_fallocate_by(posix_fallocate);
	posix_fallocate_by(posix_fallocate64);
	in_child("ftruncate over RLIMIT_FSIZE", over_the_limit);
	modes();
	lists();
	owners();
	end();
	return 0;
}
