/* The rules of permission, names, zeroing and lifetime on made-up calls and a made-up kernel, each at its boundary. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preload/check_lifetime.c"
#include "preload/check_name.c"
#include "preload/check_permission.c"
#include "preload/check_zeroing.c"

enum { PAGE = 4096, ME = 1000, OTHER = 1001, MAX_FOUND = 8 };

static unsigned tests, failures, found_count;
static struct check_finding told[MAX_FOUND];

/* The made-up kernel. */
static struct {
	bool reachable, survives_exec, protected, may_open, granted, made;
	struct facts_file file, directory;
	struct facts_grant grant;
	int seals, data;
	uint64_t data_at, descriptor_limit, mapped_end, known, mappings, mapping_limit;
} kernel;

void check_found(const struct check_finding *finding)
{
	if (found_count < MAX_FOUND)
		told[found_count] = *finding;
	found_count++;
}

uint64_t check_mapped_end(const struct identity *identity)
{
	(void)identity;
	return kernel.mapped_end;
}

bool check_made(const char *path)
{
	(void)path;
	return kernel.made;
}

bool facts_path(enum event_id by, int dirfd, const char *name, char path[static 512])
{
	(void)by;
	(void)dirfd;
	strcpy(path, name);
	return true;
}

bool facts_file(const char *path, struct facts_file *file)
{
	(void)path;
	*file = kernel.file;
	return file->mode != 0;
}

bool facts_directory(const char *path, struct facts_file *directory)
{
	(void)path;
	*directory = kernel.directory;
	return true;
}

bool facts_reachable(const struct identity *identity)
{
	(void)identity;
	return kernel.reachable;
}

uint32_t facts_user(void)
{
	return ME;
}

bool facts_stranger(uint32_t uid)
{
	return uid != 0 && uid != ME;
}

bool check_foreign(const struct identity *identity)
{
	return facts_stranger(identity->uid);
}

bool facts_may_open(const char *path, uint32_t flags)
{
	(void)path;
	(void)flags;
	return kernel.may_open;
}

bool facts_protected_regular(void)
{
	return kernel.protected;
}

bool facts_grant(const struct identity *identity, struct facts_grant *grant)
{
	(void)identity;
	*grant = kernel.grant;
	return kernel.granted;
}

int facts_seals(int fd)
{
	(void)fd;
	return kernel.seals;
}

bool facts_survives_exec(int fd)
{
	(void)fd;
	return kernel.survives_exec;
}

int facts_data(const struct identity *identity, uint64_t from, uint64_t to, uint64_t *at)
{
	(void)identity;
	if (kernel.data != 1)
		return kernel.data;
	*at = kernel.data_at;
	return kernel.data_at >= from && kernel.data_at < to;
}

uint64_t facts_descriptor_limit(void)
{
	return kernel.descriptor_limit;
}

bool facts_mappings(uint64_t *used, uint64_t *limit)
{
	*used = kernel.mappings;
	*limit = kernel.mapping_limit;
	return true;
}

bool facts_known_number(uint64_t number)
{
	return number == kernel.known;
}

/* Everyone may search the directory, nobody is near a limit. */
static void quiet(void)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.reachable = true;
	kernel.descriptor_limit = kernel.mapping_limit = 1000;
	kernel.seals = -1;
	kernel.directory = (struct facts_file){S_IFDIR | S_ISVTX | 0777, 0};
	found_count = 0;
}

static bool was(enum rule_id rule, enum severity severity)
{
	bool good = false;

	for (unsigned i = 0; i < found_count && i < MAX_FOUND; i++)
		good |= told[i].rule == rule && told[i].severity == severity;
	return good;
}

static bool is_silent(void)
{
	return found_count == 0;
}

/* Exactly this one since the last look. */
static bool only(enum rule_id rule, enum severity severity)
{
	bool good = found_count == 1 && was(rule, severity);
	found_count = 0;
	return good;
}

static void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
	found_count = 0;
}

static struct identity object(uint32_t mode, uint32_t uid)
{
	return (struct identity){
		.size = PAGE, .page = PAGE, .mode = mode, .uid = uid, .links = 1, .kind = KIND_shm, .fd = 3, .ino = 5};
}

static struct check_opening opening(uint32_t flags, uint32_t mode, bool created)
{
	return (struct check_opening){.by = EVENT_shm_open,
				      .symbol = SYMBOL_shm_open,
				      .pid = 812,
				      .dirfd = AT_FDCWD,
				      .name = "/x.0123456789abcdef",
				      .flags = flags,
				      .mode = mode,
				      .result = 3,
				      .created = created,
				      .size_before = created ? 0 : PAGE};
}

enum { NEW = O_CREAT | O_EXCL | O_RDWR, EITHER = O_CREAT | O_RDWR };

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

static void named(const char *name, bool created)
{
	struct check_opening o = opening(NEW, 0600, created);
	struct identity identity = object(0600, ME);

	o.name = name;
	check_name_opened(&o, &identity);
}

static void names(void)
{
	char long_name[300];

	quiet();
	kernel.known = 812;
	check(check_name_bits("/myapp") == 0, "a word has no random bits");
	check(check_name_bits("/MyRingBuffer2") < 32, "CamelCase has few");
	check(check_name_bits("/app.812") == 0 && check_name_bits("/app812") == 0, "the pid has none");
	check(check_name_bits("/app.8121") == 12, "another number has some");
	check(check_name_bits("/psm_3f2a1b9c") == 32, "CPython's eight hexadecimal digits are enough");
	check(check_name_bits("/psm_12345678") == 32, "even if all are decimal");
	check(check_name_bits("/x-aB3xYz") >= 32, "so are mkstemp's six characters");
	check(check_name_bits("/x.3f2a1b9") == 28, "seven are not");
	named("/x.3f2a1b9", true);
	check(only(RULE_predictable_name, SEVERITY_NOTE) && told[0].length == 28, "which is told");
	named("/x.3f2a1b9", false);
	check(is_silent(), "by whoever creates it");
	named("/x.3f2a1b9c", true);
	check(is_silent(), "eight are not told");
	named("x.3f2a1b9c", true);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "no slash");
	named("/x/3f2a1b9c", true);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "two slashes");
	named("/..", false);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "only dots");
	memset(long_name, 'x', sizeof long_name);
	long_name[0] = '/';
	long_name[256] = 0;
	named(long_name, false);
	check(is_silent(), "255 bytes");
	strcpy(long_name + 256, "x");
	named(long_name, false);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "256 bytes");
	check(check_name_holds("/x.812.y", 812) && !check_name_holds("/x.8120", 812) && !check_name_holds("/x", 812),
	      "a name holds a whole number");
}

static void grown_to(uint64_t before, int64_t after, int data, uint64_t at)
{
	struct ftruncate_event e = {.length = after, .size_before = before};
	struct identity identity = object(0600, ME);

	kernel.data = data;
	kernel.data_at = at;
	check_zeroing_ftruncate(&e, &identity);
}

static void zeroing(void)
{
	struct madvise_event advice = {.length = PAGE, .advice = MADV_DONTNEED, .object = 1};
	struct check_opening o = opening(EITHER, 0600, false);
	struct identity identity = object(0600, ME);

	quiet();
	grown_to(100, 2 * PAGE, 1, PAGE - 1);
	check(only(RULE_grow_exposes_tail, SEVERITY_WARNING) && told[0].offset == 100 && told[0].length == PAGE - 100,
	      "the last byte of the old page comes to light");
	grown_to(100, 2 * PAGE, 1, PAGE);
	check(is_silent(), "the first of the next page does not count");
	grown_to(100, 200, 1, 200);
	check(is_silent(), "nor what is still past the end");
	grown_to(PAGE, 2 * PAGE, 1, PAGE);
	check(is_silent(), "whole pages have no tail");
	grown_to(100, 50, 1, 100);
	check(is_silent(), "shrinking uncovers nothing");
	grown_to(100, 2 * PAGE, -1, 0);
	check(only(RULE_grow_exposes_tail, SEVERITY_NOTE), "what cannot be read: a note");
	check_zeroing_madvise(&advice, MARK_PRIVATE);
	check(is_silent(), "MADV_DONTNEED of a private mapping");
	check_zeroing_madvise(&advice, 0);
	check(only(RULE_discard_no_op, SEVERITY_WARNING), "of a shared one");
	advice.advice = MADV_WILLNEED;
	check_zeroing_madvise(&advice, 0);
	check(is_silent(), "other advice");
	kernel.data = 1;
	kernel.data_at = 7;
	check_zeroing_opened(&o, &identity, 0);
	check(only(RULE_stale_bytes, SEVERITY_WARNING) && told[0].offset == 7, "bytes of another");
	check_zeroing_opened(&o, &identity, MARK_CREATED);
	check(is_silent(), "bytes of one's own");
	kernel.data = 0;
	check_zeroing_opened(&o, &identity, 0);
	check(is_silent(), "zeros");
	kernel.data = 1;
	kernel.mapped_end = PAGE;
	check_zeroing_opened(&o, &identity, 0);
	check(is_silent(), "an object that this process maps");
}

static void lifetime(void)
{
	struct check_opening o = opening(EITHER, 0600, false);
	struct identity identity = object(0600, ME);
	struct unlink_event removal = {.symbol = SYMBOL_shm_unlink};
	struct mmap_event e = {.error = ENOMEM};

	quiet();
	check_lifetime_opened(&o, &identity, 0);
	check(only(RULE_stale_reattach, SEVERITY_WARNING) && told[0].size == PAGE, "what another left, perhaps");
	check_lifetime_opened(&o, &identity, MARK_CREATED);
	check(is_silent(), "one's own");
	o = opening(NEW, 0600, true);
	o.result = 898;
	check_lifetime_opened(&o, &identity, 0);
	check(is_silent(), "899 of 1000 descriptors");
	o.result = 899;
	check_lifetime_opened(&o, &identity, 0);
	check(only(RULE_descriptor_exhaustion, SEVERITY_WARNING) && told[0].length == 900, "900 of 1000");
	o = opening(O_RDWR, 0, false);
	o.result = -1;
	o.error = EMFILE;
	check_lifetime_opened(&o, NULL, 0);
	check(only(RULE_descriptor_exhaustion, SEVERITY_WARNING) && told[0].error == EMFILE, "EMFILE");
	o = opening(NEW, 0600, false);
	o.error = EEXIST;
	o.result = -1;
	o.name = "/app.812";
	check_lifetime_opened(&o, NULL, 0);
	check(only(RULE_name_collision, SEVERITY_WARNING), "a name of the own pid that another made");
	kernel.made = true;
	check_lifetime_opened(&o, NULL, 0);
	check(is_silent(), "one that it made itself");
	kernel.made = false;
	o.name = "/app.8121";
	check_lifetime_opened(&o, NULL, 0);
	check(is_silent(), "another's name");
	check_lifetime_unlink(&removal, &identity, 0);
	check(only(RULE_unlink_by_stranger, SEVERITY_NOTE), "an unlink within one user");
	identity.uid = OTHER;
	check_lifetime_unlink(&removal, &identity, 0);
	check(only(RULE_unlink_by_stranger, SEVERITY_WARNING), "across users");
	check_lifetime_unlink(&removal, &identity, MARK_CREATED);
	check(is_silent(), "by its creator");
	kernel.mappings = 899;
	check_lifetime_mmap(&e);
	check(is_silent(), "ENOMEM with room for mappings");
	kernel.mappings = 900;
	check_lifetime_mmap(&e);
	check(only(RULE_descriptor_exhaustion, SEVERITY_WARNING), "ENOMEM without");
}

int main(void)
{
	modes();
	moves();
	parties();
	specials();
	mappings();
	memfds();
	names();
	zeroing();
	lifetime();
	printf("1..%u\n", tests);
	return failures != 0;
}
