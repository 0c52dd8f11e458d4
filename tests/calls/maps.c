/* Mappings, and the raw system call. */
#include <pthread.h>
#include <sys/syscall.h>

#include "print.h"

typedef void *map_function(void *, size_t, int, int, int, off_t);

static int make(const char *name, size_t size)
{
	int fd = open(path(name), O_CREAT | O_RDWR, 0600);

	return ftruncate(fd, (off_t)size) == 0 ? fd : -1;
}

static void map_by(map_function *map)
{
	int fd = make("m", 4 * PAGE);
	int read_only = open(path("m"), O_RDONLY);
	int write_only = open(path("m"), O_WRONLY);
	int memfd = memfd_create("shmguard-calls", MFD_ALLOW_SEALING);
	char *a, *b;

	CALL(ftruncate(memfd, 8192));
	a = CALL_POINTER(map(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	strcpy(a + PAGE, "here");
	b = CALL_POINTER(map(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, read_only, (off_t)PAGE));
	printf("  read back: %s\n", b);
	show_maps();
	CALL_POINTER(map(a, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, memfd, 0));
	show_maps();
	CALL_POINTER(map(a, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0));
	CALL_POINTER(map(a + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	show_maps();
	CALL_POINTER(map(NULL, 100, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CALL_POINTER(map(NULL, 100 * PAGE, PROT_READ, MAP_SHARED, fd, 0));
	CALL_POINTER(map(NULL, PAGE, PROT_NONE, MAP_SHARED | MAP_POPULATE, fd, (off_t)PAGE));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, memfd, (off_t)PAGE));
	show_maps();
	CALL_POINTER(map(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
	CALL_POINTER(map(NULL, SIZE_MAX, PROT_READ, MAP_SHARED, fd, 0));
	CALL_POINTER(map(NULL, SIZE_MAX / 2, PROT_READ, MAP_SHARED, fd, 0));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, MAP_SHARED, fd, -(off_t)PAGE));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, 0, fd, 0));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, MAP_SHARED, -1, 0));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, MAP_SHARED, 1000, 0));
	CALL_POINTER(map(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, read_only, 0));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, MAP_SHARED, write_only, 0));
	CALL_POINTER(map(a + 1, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	CALL_POINTER(map(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x70000000, fd, 0));
	CALL(fcntl(memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	CALL_POINTER(map(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0));
	a = CALL_POINTER(map(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	CALL(munmap(a, PAGE));
	show_maps();
	closefrom(fd);
	unlink(path("m"));
}

static void unmaps(void)
{
	int fd = make("m", 8 * PAGE);
	char *a = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CALL(munmap(a + 3 * PAGE, PAGE));
	show_maps();
	CALL(munmap(a + 3 * PAGE, PAGE));
	CALL(munmap(a, 1));
	show_maps();
	CALL(munmap(a + 1, PAGE));
	CALL(munmap(a, 0));
	CALL(munmap(a, SIZE_MAX));
	CALL(munmap(nowhere, PAGE));
	CALL(munmap(NULL, PAGE));
	CALL(munmap(a, 8 * PAGE));
	show_maps();
	closefrom(fd);
	unlink(path("m"));
}

static void remaps(void)
{
	int fd = make("m", 16 * PAGE);
	char *a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *place = mmap(NULL, 32 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	strcpy(a, "moved");
	a = CALL_POINTER(mremap(a, 4 * PAGE, 2 * PAGE, 0));
	show_maps();
	a = CALL_POINTER(mremap(a, 2 * PAGE, 12 * PAGE, MREMAP_MAYMOVE));
	printf("  %s\n", a);
	show_maps();
	a = CALL_POINTER(mremap(a, 12 * PAGE, 12 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place));
	printf("  %s, where it was to go: %d\n", a, a == place);
	show_maps();
	CALL_POINTER(mremap(a, 0, PAGE, MREMAP_MAYMOVE));
	show_maps();
	CALL_POINTER(mremap(a + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 20 * PAGE));
	show_maps();
	CALL_POINTER(mremap(a, 3 * PAGE, 6 * PAGE, 0));
	CALL_POINTER(mremap(a + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	CALL_POINTER(mremap(a, PAGE, 0, MREMAP_MAYMOVE));
	CALL_POINTER(mremap(a, PAGE, SIZE_MAX / 2, MREMAP_MAYMOVE));
	CALL_POINTER(mremap(a, PAGE, PAGE, 0x7fffffff));
	CALL_POINTER(mremap(a, PAGE, PAGE, MREMAP_FIXED, place));
	CALL_POINTER(mremap(a, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 1));
	CALL_POINTER(mremap(nowhere - 8, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	CALL(munmap(place, 32 * PAGE));
	show_maps();
	closefrom(fd);
	unlink(path("m"));
}

static int raw_remap_file_pages(void *start, size_t size, int prot, size_t page, int flags)
{
	return (int)syscall(SYS_remap_file_pages, start, size, prot, page, flags);
}

static void other_pages(int (*remap)(void *, size_t, int, size_t, int))
{
	int fd = make("m", 16 * PAGE);
	char *a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	strcpy(a, "first");
	CALL(remap(a, PAGE, 0, 2, 0));
	printf("  %d\n", *a);
	show_maps();
	CALL(remap(a + 8, 3 * PAGE + 8, 0, 1, MAP_NONBLOCK));
	CALL(remap(a + 3 * PAGE, PAGE, 0, 0, 0x7fffffff));
	printf("  %s\n", a + 3 * PAGE);
	show_maps();
	CALL(remap(a, 4 * PAGE, 0, 20, 0));
	show_maps();
	CALL(remap(a, PAGE, PROT_READ, 0, 0));
	CALL(remap(a, PAGE - 1, 0, 0, 0));
	CALL(remap(a, 8 * PAGE, 0, 0, 0));
	CALL(remap(a, SIZE_MAX, 0, 0, 0));
	CALL(remap(a, PAGE, 0, SIZE_MAX, 0));
	CALL(remap(a, PAGE, 0, SIZE_MAX - 1, 0));
	CALL(remap(a, PAGE, 0, SIZE_MAX / PAGE, 0));
	CALL(remap(private, PAGE, 0, 0, 0));
	CALL(remap((char *)nowhere - 8, PAGE, 0, 0, 0));
	show_maps();
	CALL(munmap(a, 4 * PAGE));
	CALL(munmap(private, PAGE));
	closefrom(fd);
	unlink(path("m"));
}

static void protections(void)
{
	int fd = make("m", 4 * PAGE);
	int read_only = open(path("m"), O_RDONLY);
	char *a = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	char *b = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, read_only, 0);

	CALL(mprotect(a + PAGE, PAGE, PROT_READ | PROT_WRITE));
	show_maps();
	CALL(mprotect(a, 0, PROT_READ));
	CALL(mprotect(a + 1, PAGE, PROT_READ));
	CALL(mprotect(a, PAGE, 0x7fffffff));
	CALL(mprotect(b, PAGE, PROT_READ | PROT_WRITE));
	CALL(pkey_mprotect(a + PAGE, PAGE, PROT_READ, -1));
	CALL(pkey_mprotect(a + 1, PAGE, PROT_READ, -1));
	CALL(pkey_mprotect(a, PAGE, PROT_READ, 99));
	CALL(pkey_mprotect(b, PAGE, PROT_READ | PROT_WRITE, -1));
	CALL(mprotect(nowhere - 8, PAGE, PROT_READ));
	CALL(mprotect(a, SIZE_MAX, PROT_READ));
	CALL(madvise(a, 4 * PAGE, MADV_DONTNEED));
	CALL(madvise(a, 4 * PAGE, MADV_WILLNEED));
	CALL(madvise(a + PAGE, PAGE, MADV_REMOVE));
	CALL(madvise(b, PAGE, MADV_REMOVE));
	CALL(madvise(a, PAGE, MADV_DONTFORK));
	CALL(madvise(a, PAGE, MADV_DONTDUMP));
	CALL(madvise(a, PAGE, MADV_FREE));
	CALL(madvise(a, 0, MADV_DONTNEED));
	CALL(madvise(a, PAGE, -1));
	CALL(madvise(a + 1, PAGE, MADV_DONTNEED));
	CALL(madvise(nowhere - 8, PAGE, MADV_DONTNEED));
	CALL(munmap(a, 4 * PAGE));
	CALL(munmap(b, 4 * PAGE));
	closefrom(fd);
	unlink(path("m"));
}

static void locks(void)
{
	int fd = make("m", 4 * PAGE);
	char *a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CALL(mlock(a, PAGE));
	CALL(mlock(a + 100, 1));
	CALL(mlock(a, 0));
	CALL(mlock(nowhere - 8, PAGE));
	CALL(mlock(a, SIZE_MAX));
	CALL(mlock2(a, PAGE, MLOCK_ONFAULT));
	CALL(mlock2(a, PAGE, 0));
	CALL(mlock2(a, PAGE, 0x7fffffff));
	CALL(munlock(a, 4 * PAGE));
	CALL(munlock(a, SIZE_MAX));
	CALL(munlock(nowhere - 8, PAGE));
	CALL(mlockall(0));
	CALL(mlockall(0x7fffffff));
	/* For others what a recorder maps counts against RLIMIT_MEMLOCK too. */
	if (geteuid() == 0)
		CALL(mlockall(MCL_CURRENT | MCL_ONFAULT) == 0 && munlockall() == 0);
	CALL(munmap(a, 4 * PAGE));
	closefrom(fd);
	unlink(path("m"));
}

static void raw_calls(void)
{
	long fd, address;

	CALL(syscall(-1L));
	CALL(syscall(100000L));
	CALL(syscall(SYS_getpid) == getpid());
	fd = CALL(syscall(SYS_memfd_create, "shmguard-calls", 0));
	CALL(syscall(SYS_ftruncate, fd, PAGE));
	errno = EDOM;
	address = syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0L);
	printf("mapped %d, errno kept %d\n", address > 0, errno == EDOM);
	show_maps();
	CALL(syscall(SYS_munmap, address, PAGE));
	CALL(syscall(SYS_mmap, NULL, 0L, PROT_READ, MAP_SHARED, fd, 0L));
	CALL(syscall(SYS_close, fd));
	CALL(syscall(SYS_close, fd));
	CALL(syscall(SYS_openat, AT_FDCWD, nowhere, O_RDONLY));
	CALL(syscall(SYS_unlink, nowhere));
	fd = CALL(syscall(SYS_openat, AT_FDCWD, path("r"), O_CREAT | O_RDWR, 0600));
	CALL(syscall(SYS_dup2, fd, 30));
	CALL(syscall(SYS_close_range, fd, 60, 0));
	CALL(syscall(SYS_unlink, path("r")));
	CALL(syscall(SYS_unlink, path("r")));
	show_descriptors();
}

/* In an object and outside of one, shared and not. */
static void mutexes(void)
{
	char *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, make("l", PAGE), 0);
	pthread_mutex_t *mutex = (pthread_mutex_t *)a, own;
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	CALL(pthread_mutex_init(mutex, NULL));
	CALL(pthread_mutex_init(mutex, &attributes));
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	CALL(pthread_mutex_init(&own, &attributes));
	CALL(pthread_mutex_init(mutex, &attributes));
	CALL(pthread_mutex_lock(mutex));
	CALL(pthread_mutex_unlock(mutex));
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	CALL(pthread_mutex_init(mutex, &attributes));
	CALL(pthread_mutex_lock(mutex));
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT);
	CALL(pthread_mutex_init(mutex, &attributes));
	pthread_mutexattr_destroy(&attributes);
}

int main(void)
{
	begin();
	map_by(mmap);
	map_by(mmap64);
	unmaps();
	remaps();
	other_pages(remap_file_pages);
	other_pages(raw_remap_file_pages);
	protections();
	locks();
	raw_calls();
	mutexes();
	end();
	return 0;
}
