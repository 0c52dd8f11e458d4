/* The AppArmor profile that a process has, and the one that an executable will get. */
#ifndef SHMGUARD_APPARMOR_H
#define SHMGUARD_APPARMOR_H

#include <stdbool.h>

struct apparmor_profile {
	char *name;  /* NULL: none */
	char *mode;  /* "enforce", "complain", "kill", "unconfined" */
	bool active; /* AppArmor is in use on this system */
	int error;   /* of reading the profiles: 0, or an errno */
};

/* Both to be ended by apparmor_free(). */
struct apparmor_profile apparmor_own(void);
/* Of those whose attachment matches the path the one with the longest. */
struct apparmor_profile apparmor_attached(const char *path);
void apparmor_free(struct apparmor_profile *profile);

/* Does a glob of AppArmor (?, *, **, [a-c], {a,b}) match the path? */
bool apparmor_matches(const char *glob, const char *path);

#endif
