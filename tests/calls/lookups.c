/* Functions that are asked for by name: of a library, of all, of the next, and such as are not there. */
#include <dlfcn.h>

#include "print.h"

static void missing(void *library, const char *name)
{
	errno = EDOM;
	void *found = dlsym(library, name);
	int error = errno;
	const char *said = dlerror();

	printf("%s %s: %s", name, found ? "found" : "missing", said ? strrchr(said, ':') : "nothing said");
	print_errno(error);
}

static void calls_of(void *library)
{
	int (*make)(const char *, int, mode_t) = (int (*)(const char *, int, mode_t))dlsym(library, "shm_open");
	int (*size)(int, off_t) = (int (*)(int, off_t))dlsym(library, "ftruncate");
	void *(*map)(void *, size_t, int, int, int, off_t) =
		(void *(*)(void *, size_t, int, int, int, off_t))dlsym(library, "mmap");
	int (*unmap)(void *, size_t) = (int (*)(void *, size_t))dlsym(library, "munmap");
	int (*leave)(int) = (int (*)(int))dlsym(library, "close");
	int (*take_away)(const char *) = (int (*)(const char *))dlsym(library, "shm_unlink");
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/shmguard-calls.lookups.%d", (int)getpid());
	fd = (int)CALL(make(name, O_RDWR | O_CREAT | O_EXCL, 0600));
	CALL(make(name, O_RDWR | O_CREAT | O_EXCL, 0600));
	CALL(size(fd, (off_t)PAGE));
	CALL(size(-1, (off_t)PAGE));
	char *memory = CALL_POINTER(map(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	memory[0] = 1;
	CALL(unmap(memory, PAGE));
	CALL_POINTER(map(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
	CALL(leave(fd));
	CALL(leave(fd));
	CALL(take_away(name));
	CALL(take_away(name));
}

/* The child of one comes back twice. */
static void children_of(void *library)
{
	pid_t (*make)(void) = (pid_t(*)(void))dlsym(library, "fork");
	int status = 0;
	pid_t child = make();

	if (child == 0)
		_exit(7);
	CALL(waitpid(child, &status, 0) == child);
	printf("status %d\n", WEXITSTATUS(status));
}

int main(void)
{
	static const char *const libraries[] = {"libc.so.6", "librt.so.1", "libpthread.so.0", NULL};
	static const char *const names[] = {"shm_open", "open64",  "mmap64", "vfork",      "dlsym", "pthread_create",
					    "getpid",   "environ", "nobody", "shm_open64", ""};

	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
		void *library = dlopen(libraries[i], RTLD_NOW);

		printf("of %s\n", libraries[i] ? libraries[i] : "the program");
		for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++)
			missing(library, names[j]);
		calls_of(library);
		children_of(library);
		CALL(dlclose(library));
	}
	calls_of(RTLD_DEFAULT);
	calls_of(RTLD_NEXT);
	missing(RTLD_DEFAULT, "nobody");
	missing(RTLD_NEXT, "nobody");
	missing(RTLD_NEXT, "main");
	CALL(dlsym(dlopen("libc.so.6", RTLD_NOW), "malloc") == dlsym(RTLD_DEFAULT, "malloc"));
	return 0;
}
