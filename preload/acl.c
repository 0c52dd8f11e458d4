#include "preload/acl.h"

#include <string.h>

#include "preload/kernel.h"
#include "preload/text.h"

/* linux/posix_acl_xattr.h, little-endian whatever the machine: a version, then entries. */
struct entry {
	uint16_t tag, rights;
	uint32_t id;
};

enum { VERSION = 2, HEAD = 4, USER_OBJ = 0x01, USER = 0x02, GROUP_OBJ = 0x04, GROUP = 0x08, MASK = 0x10, OTHER = 0x20 };
/* Most lists have fewer than 16 entries, and a signal's handler may have little stack. */
enum { SHORT = HEAD + 16 * sizeof(struct entry), LONGEST = 65536 /* XATTR_SIZE_MAX */ };

static struct entry entry_at(const void *value, size_t index)
{
	struct entry entry;

	memcpy(&entry, (const char *)value + HEAD + index * sizeof entry, sizeof entry);
	return entry;
}

static void add(struct acl *acl, const struct entry *entry)
{
	uint8_t rights = (uint8_t)entry->rights;

	switch (entry->tag) {
	case USER_OBJ:
		acl->user = rights;
		break;
	case GROUP_OBJ:
		acl->group = rights;
		break;
	case OTHER:
		acl->other = rights;
		break;
	case MASK:
		acl->mask = rights;
		acl->masked = true;
		break;
	default:
		acl->rights |= rights;
	}
}

static void find_grant(struct acl *acl, const struct entry *entry)
{
	if ((entry->tag != USER && entry->tag != GROUP) || acl->grant.rights || !(entry->rights & acl->mask))
		return;
	acl->grant = (struct facts_grant){entry->id, entry->rights & acl->mask, entry->tag == GROUP};
}

/* May an entry stand behind those whose tags are `seen`? The tags' own order is that of a list. */
static bool in_order(const struct entry *entry, unsigned seen)
{
	unsigned tag = entry->tag, named = tag & (USER | GROUP);

	return tag && tag <= OTHER && !(tag & (tag - 1)) && seen < (named ? tag << 1 : tag) && entry->rights <= 7;
}

static bool is_whole(unsigned seen)
{
	const unsigned owners = USER_OBJ | GROUP_OBJ | OTHER;

	return (seen & owners) == owners && (!(seen & (USER | GROUP)) || (seen & MASK));
}

bool acl_parse(const void *value, size_t bytes, struct acl *acl)
{
	unsigned seen = 0;
	uint32_t version;
	size_t count = bytes > HEAD ? (bytes - HEAD) / sizeof(struct entry) : 0;

	*acl = (struct acl){.mask = 7};
	if (!count || HEAD + count * sizeof(struct entry) != bytes)
		return false;
	memcpy(&version, value, sizeof version);
	for (size_t i = 0; i < count; i++) {
		struct entry entry = entry_at(value, i);
		if (!in_order(&entry, seen))
			return false;
		seen |= entry.tag;
		add(acl, &entry);
	}
	/* The mask comes after most of those whom it holds back. */
	for (size_t i = 0; i < count; i++) {
		struct entry entry = entry_at(value, i);
		find_grant(acl, &entry);
	}
	return version == VERSION && is_whole(seen);
}

enum { MAP = 1024 };

/* The map is "" until it is read; one that cannot be, or is longer, knows all. */
static bool is_known(const char *path, char map[static MAP], uint32_t id)
{
	if (id == UINT32_MAX)
		return false;
	long length = *map ? (long)strlen(map) : text_read(path, map, MAP);
	return length <= 0 || length == MAP - 1 || text_maps(map, id);
}

bool acl_names_known(const void *value, size_t bytes)
{
	char users[MAP] = "", groups[MAP] = "";

	for (size_t i = 0; HEAD + i * sizeof(struct entry) < bytes; i++) {
		struct entry entry = entry_at(value, i);
		if ((entry.tag == USER && !is_known("/proc/thread-self/uid_map", users, entry.id)) ||
		    (entry.tag == GROUP && !is_known("/proc/thread-self/gid_map", groups, entry.id)))
			return false;
	}
	return true;
}

bool acl_read(const char *path, const char *kind, struct acl *acl)
{
	char few[SHORT];
	long bytes = kernel_call(SYS_getxattr, (long)path, (long)kind, (long)few, sizeof few, 0, 0);

	if (bytes >= 0)
		return acl_parse(few, (size_t)bytes, acl);
	char *many = bytes == -ERANGE ? kernel_memory(LONGEST) : NULL;
	if (!many)
		return false;
	bytes = kernel_call(SYS_getxattr, (long)path, (long)kind, (long)many, LONGEST, 0, 0);
	bool parsed = bytes >= 0 && acl_parse(many, (size_t)bytes, acl);
	kernel_memory_free(many, LONGEST);
	return parsed;
}

bool acl_grants(const struct acl *acl, mode_t mode)
{
	return acl->rights & acl->mask & mode >> 3;
}

bool acl_would_grant(const struct acl *acl, mode_t mode)
{
	return acl->rights & mode >> 3;
}

static mode_t mode_of(unsigned user, unsigned group, unsigned other)
{
	return (mode_t)(user << 6 | group << 3 | other);
}

mode_t acl_mode(const struct acl *acl)
{
	return mode_of(acl->user, acl->masked ? acl->mask : acl->group, acl->other);
}

mode_t acl_mode_of_owners(const struct acl *acl)
{
	return mode_of(acl->user, acl->group & acl->mask, acl->other);
}

void acl_narrow(void *value, size_t bytes, mode_t mode)
{
	struct acl acl;

	if (!acl_parse(value, bytes, &acl))
		return;
	for (size_t i = 0; HEAD + i * sizeof(struct entry) < bytes; i++) {
		struct entry entry = entry_at(value, i);
		if (entry.tag == USER_OBJ)
			entry.rights &= mode >> 6 & 7;
		else if (entry.tag == OTHER)
			entry.rights &= mode & 7;
		else if (entry.tag == (acl.masked ? MASK : GROUP_OBJ))
			entry.rights &= mode >> 3 & 7;
		memcpy((char *)value + HEAD + i * sizeof entry, &entry, sizeof entry);
	}
}

void acl_of_mode(mode_t mode, char value[static ACL_OF_MODE])
{
	const uint32_t version = VERSION, nobody = UINT32_MAX;
	const struct entry entries[] = {
		{USER_OBJ, mode >> 6 & 7, nobody},
		{GROUP_OBJ, mode >> 3 & 7, nobody},
		{OTHER, mode & 7, nobody},
	};

	memcpy(value, &version, HEAD);
	memcpy(value + HEAD, entries, sizeof entries);
}

bool acl_replace(const char *path, mode_t mode)
{
	char value[ACL_OF_MODE];

	acl_of_mode(mode, value);
	return kernel_call(SYS_setxattr, (long)path, (long)ACL_ACCESS, (long)value, sizeof value, 0, 0) == 0;
}
