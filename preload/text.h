/* Small files of /proc, /sys and cgroupfs, read without stdio or malloc. */
#ifndef SHMGUARD_TEXT_H
#define SHMGUARD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whole file, at most size-1 bytes, NUL-terminated; -errno if it cannot be read, else the bytes read. */
long text_read(const char *path, char *buffer, size_t size);

/* Decimal or hexadecimal number at *at, which moves behind it; false when no digit is there. */
bool text_decimal(const char **at, uint64_t *number);
bool text_hexadecimal(const char **at, uint64_t *number);

/* The file's first word as a number; UINT64_MAX for "max" or a file that cannot be read. */
uint64_t text_limit(const char *path);

/* Number behind `key` at the start of a line; false without such a line. */
bool text_field(const char *text, const char *key, uint64_t *number);

/* Has the map of a user namespace (/proc/PID/uid_map or gid_map) that number inside it? */
bool text_maps(const char *map, uint64_t id);

/* Appends; false, and nothing appended, when it does not fit. */
bool text_append(char *buffer, size_t size, const char *more);
bool text_append_decimal(char *buffer, size_t size, uint64_t number);

/* The descriptor's own path; by the thread: of a process whose first thread has ended, /proc/self shows none (proc(5)). */
enum { TEXT_DESCRIPTOR = 40 };
const char *text_descriptor(char path[static TEXT_DESCRIPTOR], int fd);
/* Another open file description of what the descriptor is for, with these flags and O_CLOEXEC; -errno. */
long text_reopen(int fd, int flags);
/* The same of that file; -ESTALE: the number is another's by now. */
long text_reopen_same(int fd, int flags, uint64_t dev, uint64_t ino);

/* Where in the path stands what the kernel adds to that of a file that is gone; NULL: nowhere. */
char *text_gone_mark(const char *path);

#endif
