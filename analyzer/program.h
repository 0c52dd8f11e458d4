/* What kind of file a command is: whether the dynamic loader will put our library into it. */
#ifndef SHMGUARD_PROGRAM_H
#define SHMGUARD_PROGRAM_H

#include <limits.h>
#include <sys/types.h>

/* Finds `name` as execvp(3) does; 0 and `path`, else ENOENT, EACCES or another errno. */
int program_find(const char *name, char path[PATH_MAX]);

/*
 * Why the program at `path` would run without us when started by that user: NULL if it would not, else a text for
 * free(3) such as "it is statically linked". Of a script it tells about the interpreter. A relative path is below `cwd`.
 */
char *program_unseen(const char *path, const char *cwd, uid_t uid, gid_t gid);

#endif
