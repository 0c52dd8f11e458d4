/* What an ELF file says of itself that matters to who wants to be loaded into it. */
#ifndef SHMGUARD_IMAGE_H
#define SHMGUARD_IMAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	bool elf;
	uint64_t headers_end; /* where its program headers end, by its first header; UINT64_MAX: nowhere */
	bool whole;           /* its headers can be read */
	bool own;             /* made for the machine that this command is made for, with the same width */
	int bits;             /* 32 or 64 */
	const char *machine;  /* "x86-64"; "another machine" */
	bool loaded;          /* by a loader: it is not static */
	char loader[PATH_MAX];
	char *soname;  /* what it is called as a library, or NULL */
	char **needed; /* libraries, in its order */
	size_t needed_count;
	const char *sanitizer; /* "AddressSanitizer"; NULL: none */
	bool sanitizer_shared; /* its runtime is a library */
	bool asan_options;     /* it has AddressSanitizer's options itself, by __asan_default_options() */
};

/* Reads the file from its beginning. To be ended by image_free(). */
struct image image_read(int fd);
/* The same without soname, needed and sanitizer, which take reading its symbols; nothing is to be freed. */
struct image image_headers(int fd);
void image_free(struct image *image);

/* Does it need a library whose name begins so? */
bool image_needs(const struct image *image, const char *name);

/* The loader of this command; "" if it has none. */
const char *image_own_loader(void);

#endif
