/* Whether systemd-logind removes the shared memory of users that log out: RemoveIPC of logind.conf(5). */
#ifndef SHMGUARD_LOGIND_H
#define SHMGUARD_LOGIND_H

#include <stdbool.h>
#include <sys/types.h>

/* The last uid that is a system user's, whose objects stay. */
enum { LOGIND_SYSTEM_UID = 999 };

struct logind {
	bool runs;   /* this system was booted with systemd */
	bool remove; /* yes is its default */
	char *file;  /* that says so; NULL: none does */
};

/* As the files are now; logind itself knows what they were when it started. To be ended by logind_free(). */
struct logind logind_read(void);
void logind_free(struct logind *logind);

/* Is the user one who stays logged in for ever? */
bool logind_lingers(uid_t uid);

#endif
