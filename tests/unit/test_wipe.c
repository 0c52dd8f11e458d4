/* What is wiped is opened again by the number of its descriptor, which may be another file's by then. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload/text.c"
#include "preload/wipe.c"
#include "preload/arena.c"
#include "preload/above.c"
#include "preload/own.c"
#include "preload/own_symbol.c"
#include "preload/real.c"
#include "preload/recorder.h"
#include "tests/unit/apart_stand_in.h"

atomic_bool recorder_blocks;
__thread struct thread recorder_thread;
atomic_bool recorder_filtered;

static unsigned tests, failures;

static void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

long unsignalled_pwrite(int fd, const void *bytes, size_t length, uint64_t offset)
{
	return pwrite(fd, bytes, length, (off_t)offset);
}

/* What else the program has of it. */
static int besides = -1;

bool held_allows(int fd, int access)
{
	int mode = fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH);

	return mode == O_RDWR || mode == access;
}

int held_descriptor(const struct identity *identity, int access)
{
	(void)identity;
	return besides >= 0 && held_allows(besides, access) ? besides : -1;
}

long held_punch(const struct identity *identity, uint64_t from, uint64_t to)
{
	(void)identity, (void)from, (void)to;
	return -EACCES;
}

bool held_reaches(int fd)
{
	(void)fd;
	return besides >= 0;
}

static struct identity full(int fd)
{
	struct stat st;
	char bytes[5000];

	memset(bytes, 'x', sizeof bytes);
	if (pwrite(fd, bytes, sizeof bytes, 0) != sizeof bytes || fstat(fd, &st) != 0)
		abort();
	return (struct identity){
		.dev = st.st_dev, .ino = st.st_ino, .size = sizeof bytes, .page = 4096, .allocated = 8192};
}

static unsigned left_in(int fd)
{
	char bytes[5000] = "";
	unsigned left = 0;

	if (pread(fd, bytes, sizeof bytes, 0) < 0)
		abort();
	for (size_t i = 0; i < sizeof bytes; i++)
		left += bytes[i] == 'x';
	return left;
}

static void check_another(bool goes_on)
{
	int fd = memfd_create("object", MFD_CLOEXEC), another = memfd_create("another", MFD_CLOEXEC);
	struct identity identity = full(fd);

	full(another);
	dup2(another, fd);
	check(wipe_object(fd, &identity, goes_on, NULL) == ESTALE, "another that has the number by now is not wiped");
	check(left_in(another) == 5000, "nor touched");
	check(wipe_has_data(fd, &identity), "nor taken for the object that is empty");
	identity = full(fd);
	check(wipe_has_data(fd, &identity) && wipe_object(fd, &identity, goes_on, NULL) == 0 && left_in(another) == 0 &&
		      !wipe_has_data(fd, &identity),
	      "the object itself is");
	close(fd);
	close(another);
}

/* As a mode, or another user, forbids to open it anew. */
static void check_besides(void)
{
	char name[] = "/dev/shm/wipe-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC | O_APPEND);
	struct identity identity = full(fd);
	int another = memfd_create("another", MFD_CLOEXEC), closed = dup(another);

	full(another);
	close(closed);
	unlink(name);
	check(wipe_object(closed, &identity, false, NULL) != 0 && wipe_has_data(closed, &identity),
	      "what is not open by the number is not wiped");
	besides = another;
	check(wipe_object(closed, &identity, false, NULL) != 0 && left_in(another) == 5000,
	      "nor by a descriptor that is another's by now, which is not touched");
	lseek(fd, 7, SEEK_SET);
	besides = fd;
	check(wipe_has_data(closed, &identity), "what has data is known to by another descriptor");
	check(wipe_object(closed, &identity, false, NULL) == 0 && left_in(fd) == 0, "and is wiped by that");
	check(lseek(fd, 0, SEEK_CUR) == 7, "whose offset stays");
	besides = -1;
	close(fd);
	close(another);
}

static void check_device(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fstat(fd, &st) != 0)
		abort();
	struct identity identity = {.dev = st.st_dev, .ino = st.st_ino, .size = 8192, .page = 4096};
	check(wipe_has_data(fd, &identity), "a device is looked at, and an end is found");
	close(fd);
}

int main(void)
{
	real_resolve();
	check_another(false);
	check_another(true);
	check_besides();
	check_device();
	printf("1..%u\n", tests);
	return failures != 0;
}
