/* The descriptors that the process's image began with. */
#ifndef SHMGUARD_INHERITED_H
#define SHMGUARD_INHERITED_H

/* Hands out each descriptor that is open now. */
void inherited_each(void (*look)(int fd, void *context), void *context);

/*
 * Tells `run`, by notes, which of them lead to an object. To ask the kernel for FD_CLOEXEC before the exec would not do: that
 * is not to be seen in a child by vfork(2) or posix_spawn(3), nor where libc executes by itself.
 */
void inherited_tell(void);

#endif
