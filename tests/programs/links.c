/*
 * links HOW NAME: makes an object /NAME, leads to it by a symbolic link /NAME.l the way HOW says, and removes both; what stays
 * in some of them is said beside. Prints nothing. links open PATH, links change PATH: what it says, of what is there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char object[256], alias[300], other[320], target[64];

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static int made(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);

	must(fd >= 0 && ftruncate(fd, 4096) == 0, path);
	must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, path);
	return fd;
}

static void leads(const char *to, const char *path)
{
	must(symlink(to, path) == 0, path);
}

static void opens(const char *path, int flags)
{
	must(open(path, flags, 0600) >= 0, path);
}

static void gone(const char *path)
{
	must(unlink(path) == 0, path);
}

static void moves(int directory, const char *from, const char *to, unsigned flags)
{
	must(renameat2(directory, from, directory, to, flags) == 0, "renameat2");
}

/* There and back by the link alone. */
static void simple(const char *to)
{
	leads(to, alias);
	opens(alias, O_RDWR);
	gone(alias);
	gone(object);
}

static void dangling(void)
{
	leads(other, alias);
	opens(alias, O_RDWR | O_CREAT);
	gone(alias);
	gone(other);
}

static void one_of(const char *how, const char *last)
{
	if (strcmp(how, "absolute") == 0) {
		simple(object);
	} else if (strcmp(how, "relative") == 0) {
		simple(last);
	} else if (strcmp(how, "chain") == 0) {
		leads(last, other);
		simple(other);
		gone(other);
	} else if (strcmp(how, "outside") == 0) {
		leads(object, "outside");
		opens("outside", O_RDWR);
		simple("/proc/self/cwd/outside");
	} else if (strcmp(how, "nested") == 0) {
		must(mkdir(other, 0700) == 0, "mkdir");
		snprintf(alias, sizeof(alias), "%s.o/l", object);
		snprintf(target, sizeof(target), "../%s", last);
		simple(target);
		must(rmdir(other) == 0, "rmdir");
	} else if (strcmp(how, "at") == 0) {
		int directory = open("/dev/shm", O_RDONLY | O_DIRECTORY);
		leads(last, alias);
		must(openat(directory, strrchr(alias, '/') + 1, O_RDWR) >= 0, "openat");
		gone(alias);
		gone(object);
	} else if (strcmp(how, "stream") == 0) {
		leads(last, alias);
		FILE *stream = fopen(alias, "r+");
		must(stream && freopen(alias, "r", stream), "stream");
		gone(alias);
		gone(object);
	} else if (strcmp(how, "moved") == 0) {
		leads(last, alias);
		opens(alias, O_RDWR);
		must(rename(alias, other) == 0, "rename");
		gone(object);
		gone(other);
	} else if (strcmp(how, "renamed") == 0) {
		leads(last, alias);
		opens(alias, O_RDWR);
		must(rename(object, other) == 0, "rename");
		gone(alias);
		gone(other);
	} else if (strcmp(how, "replaced") == 0) { /* the object gets the link's name for its own */
		leads(last, alias);
		opens(alias, O_RDWR);
		must(rename(object, alias) == 0, "rename");
		gone(alias);
	} else if (strcmp(how, "over") == 0) { /* what is no object takes the object's name */
		leads("nowhere", alias);
		moves(AT_FDCWD, alias, object, 0);
		gone(object);
	} else if (strcmp(how, "fifo") == 0) {
		must(mkfifo(alias, 0600) == 0, "mkfifo");
		moves(AT_FDCWD, alias, object, 0);
		gone(object);
	} else if (strcmp(how, "overat") == 0) {
		int directory = open("/dev/shm", O_RDONLY | O_DIRECTORY);
		leads(last, alias);
		moves(directory, strrchr(alias, '/') + 1, last, 0);
		gone(object);
	} else if (strcmp(how, "exchanged") == 0) {
		leads(last, alias);
		moves(AT_FDCWD, object, alias, RENAME_EXCHANGE);
		gone(alias);
		gone(object);
	} else if (strcmp(how, "turned") == 0) { /* the same, named the other way round */
		leads(last, alias);
		moves(open("/dev/shm", O_RDONLY | O_DIRECTORY), strrchr(alias, '/') + 1, last, RENAME_EXCHANGE);
		gone(alias);
		gone(object);
	} else if (strcmp(how, "survives") == 0) { /* by its second name */
		must(link(object, other) == 0, "link");
		leads(last, alias);
		moves(AT_FDCWD, alias, object, 0);
		gone(object);
	} else if (strcmp(how, "object") == 0) { /* by its second name, when another object takes the first */
		must(link(object, other) == 0, "link");
		made(alias);
		moves(AT_FDCWD, alias, object, 0);
		gone(object);
	} else if (strcmp(how, "itself") == 0) { /* two names of one object are left as they are */
		must(link(object, other) == 0, "link");
		moves(AT_FDCWD, object, other, 0);
		gone(other);
	} else if (strcmp(how, "refused") == 0) {
		leads(last, alias);
		must(renameat2(AT_FDCWD, alias, AT_FDCWD, object, RENAME_NOREPLACE) < 0, "renameat2");
		gone(alias);
	} else if (strcmp(how, "second") == 0) { /* by its second name, which is one */
		must(link(object, other) == 0, "link");
		leads(other, alias);
		opens(alias, O_RDWR);
		gone(alias);
		gone(object);
		gone(other);
	} else if (strcmp(how, "dangling") == 0) { /* and another is made by it */
		dangling();
		gone(object);
	} else if (strcmp(how, "unlinked") == 0) { /* what it leads to has no name any more */
		int fd = open(object, O_RDWR);
		gone(object);
		snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
		opens(target, O_RDWR);
		leads(target, alias);
		opens(alias, O_RDWR);
		gone(alias);
	} else if (strcmp(how, "reused") == 0) { /* another object gets the name that was the link's */
		simple(object);
		made(alias);
		gone(alias);
	} else if (strcmp(how, "left") == 0) { /* the object stays */
		leads(last, alias);
		opens(alias, O_RDWR);
		gone(alias);
	} else if (strcmp(how, "kept") == 0) { /* by a second name that is made through the link */
		leads(last, alias);
		must(linkat(AT_FDCWD, alias, AT_FDCWD, other, AT_SYMLINK_FOLLOW) == 0, "linkat");
		gone(alias);
		opens(other, O_RDWR);
		gone(object);
	} else {
		must(0, how);
	}
}

int main(int count, char **argument)
{
	must(count == 3, "usage");
	if (strcmp(argument[1], "open") == 0) {
		int fd = open(argument[2], O_RDWR);
		must(fd >= 0 && mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, argument[2]);
		return 0;
	}
	if (strcmp(argument[1], "change") == 0) {
		must(truncate(argument[2], 8192) == 0 && chmod(argument[2], 0640) == 0, argument[2]);
		return 0;
	}
	snprintf(object, sizeof(object), "/dev/shm/%s", argument[2]);
	snprintf(alias, sizeof(alias), "%s.l", object);
	snprintf(other, sizeof(other), "%s.o", object);
	close(made(object));
	one_of(argument[1], argument[2]);
	return 0;
}
