/* The file that a process runs. */
#ifndef SHMGUARD_EXE_H
#define SHMGUARD_EXE_H

/*
 * The path behind such a link (/proc/PID/exe), without what the kernel adds to it once the file was removed or replaced. NULL:
 * it may not be read, or there is no such process. A text for free(3).
 */
char *exe_path(int directory, const char *link);

#endif
