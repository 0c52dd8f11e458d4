/* The rules of permission on made-up calls and a made-up kernel, each at its boundary. */
#include "tests/unit/check_stand_in.h"

#include "preload/check_permission.c"

static void opened(uint32_t flags, uint32_t requested, uint32_t mode, uint32_t uid, bool created)
{
	struct check_opening o = opening(flags, requested, created);
	struct identity identity = object(mode, uid);
	found_count = 0;
	check_permission_opened(&o, &identity);
}

static void modes(void)
{
	struct identity memory = object(0777, ME);
	struct chmod_event change = {.mode = 0666};

	quiet();
	opened(NEW, 0660, 0660, ME, true);
	check(is_silent(), "a mode for user and group");
	opened(NEW, 0666, 0662, ME, true);
	check(only(RULE_world_writable, SEVERITY_ERROR) && told[0].length == 0662 && told[0].limit == 0666,
	      "one that all may write: an error with both modes");
	opened(NEW, 0644, 0644, ME, true);
	check(only(RULE_world_readable, SEVERITY_WARNING), "one that all may read: a warning");
	opened(O_RDWR, 0, 0666, ME, false);
	check(is_silent(), "who only opens it has not made it so");
	kernel.reachable = false;
	opened(NEW, 0666, 0666, ME, true);
	check(is_silent(), "a directory that others cannot search");
	kernel.reachable = true;
	memory.kind = KIND_memfd;
	check_permission_chmod(&change, &memory);
	check(is_silent(), "a memfd's mode means nothing");
	memory = object(0666, ME);
	check_permission_chmod(&change, &memory);
	check(only(RULE_world_writable, SEVERITY_ERROR), "chmod to it");
	change.error = EPERM;
	check_permission_chmod(&change, &memory);
	check(is_silent(), "chmod that fails");
	opened(NEW, 0660, 0640, ME, true);
	check(only(RULE_umask_mismatch, SEVERITY_NOTE) && told[0].limit == 0660, "the umask took bits away");
	kernel.granted = true;
	kernel.grant = (struct facts_grant){OTHER, 6, false};
	opened(O_RDWR, 0, 0660, ME, false);
	check(only(RULE_acl_grants, SEVERITY_WARNING) && told[0].offset == OTHER, "a list that grants more");
}

static void moves(void)
{
	struct identity identity = object(0666, ME);

	quiet();
	check_permission_moved("/dev/shm/mine/x", "/dev/shm/x", 0, &identity);
	check(only(RULE_world_writable, SEVERITY_ERROR), "moved to where all can reach it");
	check_permission_moved("/dev/shm/y", "/dev/shm/x", 0, &identity);
	check(is_silent(), "another name in the same directory");
	check_permission_moved(NULL, "/dev/shm/x", 0, &identity);
	check(only(RULE_world_writable, SEVERITY_ERROR), "its first name");
	check_permission_moved(NULL, "/dev/shm/x", EEXIST, &identity);
	check(is_silent(), "a name that it did not get");
}

static void parties(void)
{
	struct check_opening o = opening(EITHER, 0600, false);

	quiet();
	opened(EITHER, 0600, 0600, ME, false);
	check(only(RULE_create_without_excl, SEVERITY_WARNING) && told[0].size == PAGE && !told[0].limit,
	      "O_CREAT without O_EXCL adopts");
	opened(EITHER, 0600, 0600, ME, true);
	check(only(RULE_create_without_excl, SEVERITY_WARNING) && told[0].limit == 1, "or creates");
	opened(EITHER, 0600, 0600, OTHER, false);
	check(only(RULE_foreign_owner, SEVERITY_ERROR) && told[0].offset == OTHER, "what another had put there");
	opened(O_RDWR, 0, 0600, OTHER, false);
	check(only(RULE_foreign_owner, SEVERITY_NOTE), "without O_CREAT: a note");
	opened(EITHER, 0, 0600, 0, false);
	check(only(RULE_create_without_excl, SEVERITY_WARNING), "root is no stranger");
	o.error = EACCES;
	o.result = -1;
	kernel.file = (struct facts_file){S_IFREG | 0666, OTHER};
	kernel.protected = kernel.may_open = true;
	check_permission_opened(&o, NULL);
	check(only(RULE_sticky_refused, SEVERITY_NOTE), "fs.protected_regular refuses it");
	kernel.may_open = false;
	check_permission_opened(&o, NULL);
	check(is_silent(), "the mode refuses it");
	kernel.may_open = true;
	kernel.directory.mode &= ~(uint32_t)S_ISVTX;
	check_permission_opened(&o, NULL);
	check(is_silent(), "the directory is not sticky");
}

static void specials(void)
{
	struct check_opening o = opening(O_RDWR, 0, false);
	struct identity linked = object(0600, OTHER);

	quiet();
	o.by = EVENT_open;
	o.symbol = SYMBOL_open;
	o.name = "/dev/shm/x";
	kernel.file = (struct facts_file){S_IFLNK | 0777, OTHER};
	check_permission_opened(&o, NULL);
	check(only(RULE_symlink_or_special, SEVERITY_ERROR), "another's symlink");
	o.error = EACCES;
	check_permission_opened(&o, NULL);
	check(only(RULE_symlink_or_special, SEVERITY_WARNING), "which the kernel refused to follow");
	o.error = 0;
	o.flags |= O_NOFOLLOW;
	check_permission_opened(&o, NULL);
	check(is_silent(), "O_NOFOLLOW");
	o.flags = O_RDWR;
	kernel.file.uid = ME;
	check_permission_opened(&o, NULL);
	check(is_silent(), "one's own symlink");
	kernel.file = (struct facts_file){S_IFIFO | 0600, OTHER};
	check_permission_opened(&o, NULL);
	check(only(RULE_symlink_or_special, SEVERITY_ERROR), "another's FIFO");
	kernel.directory.mode &= ~(uint32_t)S_ISVTX;
	check_permission_opened(&o, NULL);
	check(is_silent(), "a FIFO where not everybody can put one");
	kernel.directory.mode |= S_ISVTX;
	kernel.file = (struct facts_file){S_IFREG | 0600, OTHER};
	linked.links = 2;
	check_permission_opened(&o, &linked);
	check(only(RULE_symlink_or_special, SEVERITY_ERROR), "another's file with two names");
	o.flags = O_RDONLY;
	check_permission_opened(&o, &linked);
	check(was(RULE_symlink_or_special, SEVERITY_WARNING), "which is only read");
	linked = object(0600, ME);
	linked.link = "ring";
	linked.link_mode = S_IFLNK | 0777;
	linked.link_uid = OTHER;
	check_permission_opened(&o, &linked);
	check(only(RULE_symlink_or_special, SEVERITY_ERROR) && told[0].offset == OTHER,
	      "another's symlink to an own object");
	linked.link_uid = ME;
	check_permission_opened(&o, &linked);
	check(is_silent(), "and one's own to it");
}

static void mappings(void)
{
	struct identity shm = object(0600, ME), memory = object(0777, ME);
	struct mmap_event e = {.length = PAGE, .prot = PROT_READ | PROT_EXEC, .flags = MAP_SHARED, .fd = 3};
	struct mprotect_event change = {.length = PAGE, .prot = PROT_READ, .object = 1};

	quiet();
	check_permission_mmap(&e, &shm);
	check(only(RULE_exec_map, SEVERITY_WARNING), "an executable mapping");
	memory.kind = KIND_memfd;
	kernel.seals = F_SEAL_SHRINK;
	check_permission_mmap(&e, &memory);
	check(only(RULE_exec_map, SEVERITY_WARNING), "of a memfd that can be written to");
	kernel.seals = F_SEAL_WRITE;
	check_permission_mmap(&e, &memory);
	check(is_silent(), "of one that is sealed against it");
	check_permission_mprotect(&change);
	check(is_silent(), "mprotect without PROT_EXEC");
	change.prot |= PROT_EXEC;
	check_permission_mprotect(&change);
	check(only(RULE_exec_map, SEVERITY_WARNING), "mprotect with it");
}

static void memfds(void)
{
	struct identity memory = object(0777, ME);
	struct memfd_create_event e = {.flags = MFD_CLOEXEC | MFD_EXEC, .result = 3};
	struct dup_event copy = {.fd = 3, .result = 2};
	struct sendmsg_event message = {.fd = 3};

	quiet();
	memory.kind = KIND_memfd;
	check_permission_memfd(&e, &memory);
	check(is_silent(), "a memfd that says what it wants");
	e.flags = MFD_CLOEXEC;
	check_permission_memfd(&e, &memory);
	check(only(RULE_memfd_executable, SEVERITY_NOTE), "one that does not");
	memory.mode = 0666;
	check_permission_memfd(&e, &memory);
	check(is_silent(), "where vm.memfd_noexec makes up for it");
	e.flags = MFD_NOEXEC_SEAL;
	check_permission_memfd(&e, &memory);
	check(only(RULE_memfd_no_cloexec, SEVERITY_WARNING), "without MFD_CLOEXEC");
	kernel.survives_exec = true;
	check_permission_dup(&copy, &memory);
	check(is_silent(), "as standard error");
	copy.result = 4;
	check_permission_dup(&copy, &memory);
	check(only(RULE_memfd_no_cloexec, SEVERITY_WARNING), "duplicated to survive an exec");
	kernel.survives_exec = false;
	check_permission_dup(&copy, &memory);
	check(is_silent(), "duplicated with FD_CLOEXEC");
	kernel.seals = F_SEAL_GROW;
	check_permission_sendmsg(&message, &memory);
	check(only(RULE_memfd_unsealed_share, SEVERITY_WARNING), "sent without F_SEAL_SHRINK");
	kernel.seals |= F_SEAL_SHRINK;
	check_permission_sendmsg(&message, &memory);
	check(is_silent(), "sent with it");
}

/* Whatever comes before it is off, a rule is found. */
static void orders(void)
{
	struct identity wide = object(0606, OTHER), foreign = object(0600, OTHER);
	struct check_opening attached = opening(EITHER, 0600, false);
	const struct chmod_event e = {.mode = 0606};

	quiet();
	check_permission_chmod(&e, &wide);
	check(only(RULE_world_writable, SEVERITY_ERROR), "what all may write to and read: the first alone");
	kernel.off[RULE_world_writable] = true;
	check_permission_chmod(&e, &wide);
	check(only(RULE_world_readable, SEVERITY_WARNING), "that all may write is off");
	check_permission_opened(&attached, &foreign);
	check(only(RULE_foreign_owner, SEVERITY_ERROR), "a stranger's object without O_EXCL: the first alone");
	kernel.off[RULE_foreign_owner] = true;
	check_permission_opened(&attached, &foreign);
	check(only(RULE_create_without_excl, SEVERITY_WARNING), "that it is a stranger's is off");
}

int main(void)
{
	modes();
	orders();
	moves();
	parties();
	specials();
	mappings();
	memfds();
	return end();
}
