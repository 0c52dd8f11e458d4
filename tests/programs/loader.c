/*
 * loader: maps and unmaps an object again and again, and prints whether the loader's list was walked for it, and its lock
 * taken, a few or many times; then has the loader load and unload a library, which must be noticed.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAPPINGS = 1000 };

static atomic_int walks;

/* In place of the C library's, for all that call it by name. */
int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *info, size_t size, void *context), void *context)
{
	static int (*original)(int (*)(struct dl_phdr_info *, size_t, void *), void *);

	atomic_fetch_add(&walks, 1);
	if (!original)
		*(void **)&original = dlsym(RTLD_NEXT, "dl_iterate_phdr");
	return original(callback, context);
}

static void map(int fd)
{
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED || munmap(at, 4096) != 0)
		exit(1);
}

int main(void)
{
	int fd = shm_open("/loader", O_CREAT | O_RDWR, 0600);

	if (fd < 0 || shm_unlink("/loader") != 0 || ftruncate(fd, 4096) != 0)
		return 1;
	for (int i = 0; i < MAPPINGS; i++) {
		/* The first ones learn the stack; it may have to be learned once more. */
		if (i == MAPPINGS / 2)
			atomic_store(&walks, 0);
		map(fd);
	}
	puts(walks < 5 ? "few" : "many");
	for (int i = 0; i < 10; i++) {
		void *library = dlopen("libBrokenLocale.so.1", RTLD_NOW);
		map(fd);
		atomic_store(&walks, 0);
		if (!library || dlclose(library) != 0)
			return 1;
		map(fd);
		if (!walks)
			return puts("a library that went was not noticed") != 0;
	}
	return 0;
}
