/* What kind of file a command is: whether the dynamic loader will put our library into it. */
#ifndef SHMGUARD_PROGRAM_H
#define SHMGUARD_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* The kernel reads no more of a script's first line. */
#define PROGRAM_SCRIPT_WORD 257

/* Finds `name` as execvp(3) does; 0 and `path`, else ENOENT, EACCES or another errno. */
int program_find(const char *name, char path[PATH_MAX]);

/*
 * Why the program at `path` would run without us when started by that user: NULL if it would not, else a text for
 * free(3) such as "it is statically linked". Of a script it tells about the interpreter, of the dynamic loader about what it
 * is to load, by its arguments (NULL: not known). A relative path is below `cwd`.
 */
char *program_unseen(const char *path, const char *cwd, uid_t uid, gid_t gid, char *const *arguments);

/*
 * Why the kernel could not start the file at `path`, which may be executed: its interpreter or its loader cannot be, or the
 * file ends within its ELF headers. 0, or the errno of execve(2) and a text for free(3).
 */
int program_broken(const char *path, char **why);

/* Parts of these questions, of an open file. */
/* The interpreter that a first line such as "#! /bin/sh -e" names, and its one word ("": none); false if it is no script. */
bool program_script(int fd, char interpreter[PATH_MAX], char word[PROGRAM_SCRIPT_WORD]);
/* Whether the start of it gains rights, for which the loader ignores LD_PRELOAD: a text for free(3), or NULL. */
char *program_set_id(int fd, uid_t uid, gid_t gid);
char *program_capabilities(int fd, uid_t uid);

#endif
