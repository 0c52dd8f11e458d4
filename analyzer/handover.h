/* What run was started with is the command's: whoever waits for its end, or its last reader, is to see the command's. */
#ifndef SHMGUARD_HANDOVER_H
#define SHMGUARD_HANDOVER_H

/*
 * Once the command has them: closes what run inherited, but for standard error, what the path `report` leads to (NULL:
 * nothing), and files on which it has record locks. What run opened itself has FD_CLOEXEC, and stays.
 */
void handover_descriptors(const char *report);

#endif
