/* Access lists (acl(5)), as the kernel hands them out and takes them with a file's extended attributes. */
#ifndef SHMGUARD_ACL_H
#define SHMGUARD_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload/facts_files.h"

#define ACL_ACCESS "system.posix_acl_access"
/* Of a directory: what is created in it starts with this list, and the umask counts for nothing. */
#define ACL_DEFAULT "system.posix_acl_default"

/* Bytes of one that says no more than a mode does. */
enum { ACL_OF_MODE = 4 + 3 * 8 };

/* What a list comes down to; rights as in a mode. */
struct acl {
	uint8_t user, group, other;
	uint8_t mask; /* of named entries and the group; 7 where there is none */
	bool masked;
	uint8_t rights;           /* that entries for certain users and groups give together, the mask apart */
	struct facts_grant grant; /* the first that the mask lets in, if any */
};

/* False: it is no list, and the kernel will say so. */
bool acl_parse(const void *value, size_t bytes, struct acl *acl);
/* Does the user namespace know all whom a list names? Else the kernel does not take it, though it may hand out such a one. */
bool acl_names_known(const void *value, size_t bytes);
/* The list of that kind at a path; false where there is none. */
bool acl_read(const char *path, const char *kind, struct acl *acl);

/* Does it let anybody in who is named, the class of the group being held to this mode? */
bool acl_grants(const struct acl *acl, mode_t mode);
/* The same once chmod(2) has put the mode's group bits in the mask's place. */
bool acl_would_grant(const struct acl *acl, mode_t mode);

/* The mode that stat(2) shows of a file with the list; without its named entries and their mask. */
mode_t acl_mode(const struct acl *acl);
mode_t acl_mode_of_owners(const struct acl *acl);

/* The list in `value` grants each of its three classes no more than the mode does. */
void acl_narrow(void *value, size_t bytes, mode_t mode);
/* A list that says what the mode does. */
void acl_of_mode(mode_t mode, char value[static ACL_OF_MODE]);

/* The file at the path has that mode and no list: in one step, so that nobody is let in meanwhile. */
bool acl_replace(const char *path, mode_t mode);

#endif
