/* What the preload has in place of libc's <string.h>, against libc's: short texts of few letters, of which many meet. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X)                                                                                                   \
	X(memchr)                                                                                                      \
	X(memmem)                                                                                                      \
	X(mempcpy)                                                                                                     \
	X(stpcpy)                                                                                                      \
	X(stpncpy)                                                                                                     \
	X(strcat)                                                                                                      \
	X(strchr)                                                                                                      \
	X(strcmp)                                                                                                      \
	X(strcpy)                                                                                                      \
	X(strcspn)                                                                                                     \
	X(strlen)                                                                                                      \
	X(strncat)                                                                                                     \
	X(strncmp)                                                                                                     \
	X(strncpy)                                                                                                     \
	X(strnlen)                                                                                                     \
	X(strpbrk)                                                                                                     \
	X(strrchr)                                                                                                     \
	X(strspn)                                                                                                      \
	X(strstr)

#define LIBCS(name) static __typeof__(name) *volatile libc_##name = name;
FUNCTIONS(LIBCS)

#define memchr own_memchr
#define memmem own_memmem
#define mempcpy own_mempcpy
#define stpcpy own_stpcpy
#define stpncpy own_stpncpy
#define strcat own_strcat
#define strchr own_strchr
#define strcmp own_strcmp
#define strcpy own_strcpy
#define strcspn own_strcspn
#define strlen own_strlen
#define strncat own_strncat
#define strncmp own_strncmp
#define strncpy own_strncpy
#define strnlen own_strnlen
#define strpbrk own_strpbrk
#define strrchr own_strrchr
#define strspn own_strspn
#define strstr own_strstr
#include "preload/own_strings.c"

enum { ROUNDS = 200000, ROOM = 64, LETTERS = 4 };

static unsigned wrong[32];
static char texts[2][ROOM], copies[2][ROOM];

/* The highest byte tells signed letters from unsigned ones. */
static char letter(void)
{
	return "ab/\xff"[rand() % LETTERS];
}

static void make(char *text, int longest)
{
	int length = rand() % (longest + 1);

	for (int i = 0; i < length; i++)
		text[i] = letter();
	text[length] = 0;
}

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

static bool ends_alike(const char *ours, const char *libcs)
{
	return ours - copies[0] == libcs - copies[1] && memcmp(copies[0], copies[1], ROOM) == 0;
}

static void fill(const char *beginning)
{
	for (int i = 0; i < 2; i++) {
		memset(copies[i], '#', ROOM);
		libc_strcpy(copies[i], beginning);
	}
}

static void look(void)
{
	const char *a = texts[0], *b = texts[1];
	char byte = rand() % 8 ? letter() : 0;
	size_t most = (size_t)(rand() % 20);
	unsigned at = 0;

#define SAME(ours, libcs) wrong[at++] += (ours) != (libcs)
	SAME(strlen(a), libc_strlen(a));
	SAME(strnlen(a, most), libc_strnlen(a, most));
	SAME(sign(strcmp(a, b)), sign(libc_strcmp(a, b)));
	SAME(sign(strncmp(a, b, most)), sign(libc_strncmp(a, b, most)));
	SAME(strchr(a, byte), libc_strchr(a, byte));
	SAME(strrchr(a, byte), libc_strrchr(a, byte));
	SAME(strspn(a, b), libc_strspn(a, b));
	SAME(strcspn(a, b), libc_strcspn(a, b));
	SAME(strpbrk(a, b), libc_strpbrk(a, b));
	SAME(strstr(a, b), libc_strstr(a, b));
	SAME(memchr(a, byte, most), libc_memchr(a, byte, most));
	SAME(memmem(a, most, b, libc_strlen(b)), libc_memmem(a, most, b, libc_strlen(b)));

#define COPIES(name, ...)                                                                                              \
	fill(b);                                                                                                       \
	wrong[at++] += !ends_alike(own_##name(copies[0], __VA_ARGS__), libc_##name(copies[1], __VA_ARGS__))
	COPIES(mempcpy, a, most);
	COPIES(stpcpy, a);
	COPIES(stpncpy, a, most);
	COPIES(strcat, a);
	COPIES(strcpy, a);
	COPIES(strncat, a, most);
	COPIES(strncpy, a, most);
}

int main(void)
{
	static const char *const names[] = {"strlen",  "strnlen", "strcmp", "strncmp", "strchr", "strrchr", "strspn",
					    "strcspn", "strpbrk", "strstr", "memchr",  "memmem", "mempcpy", "stpcpy",
					    "stpncpy", "strcat",  "strcpy", "strncat", "strncpy"};
	enum { COUNT = sizeof names / sizeof *names };
	bool right = true;

	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		make(texts[0], 16);
		make(texts[1], rand() % 2 ? 3 : 16);
		look();
	}
	for (unsigned i = 0; i < COUNT; i++) {
		right = right && wrong[i] == 0;
		printf("%s %u - %s is as libc's\n", wrong[i] ? "not ok" : "ok", i + 1, names[i]);
	}
	printf("1..%u\n", (unsigned)COUNT);
	return !right;
}
