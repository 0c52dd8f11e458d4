/* Memory for the command: it never returns NULL; when there is none left the command says so and exits with 125. */
#ifndef SHMGUARD_MEMORY_H
#define SHMGUARD_MEMORY_H

#include <stddef.h>

#define MEMORY_OUT 125

/* Zeroed. All three are released with free(3). */
void *memory_new(size_t count, size_t size);
void *memory_resize(void *old, size_t count, size_t size);
char *memory_text(const char *text);
/* Of that length, which `text` has at least. */
char *memory_span(const char *text, size_t length);
/* What something else that allocates has answered, unless that is NULL. */
void *memory_checked(void *result);
/* printf into a new text. */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Room for one more element behind `count` in an array that was only ever grown by this call; returns its new place. */
void *memory_grow(void *array, size_t count, size_t size);

#endif
