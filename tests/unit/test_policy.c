/* The policy: what its lines mean, which section wins, what is refused and in which words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tracepoints/policy.h"
#include "tracepoints/words.h"

static int tests, failures;
static struct policy policy;
static struct policy_decision decision;

struct told {
	unsigned count, line[64];
	char what[64][256], hint[64][32], file[64][128];
};

static struct told told;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static void take_error(void *context, const char *file, unsigned line, const char *what, const char *hint)
{
	struct told *all = context;

	if (all->count == 64)
		return;
	all->line[all->count] = line;
	snprintf(all->what[all->count], sizeof(all->what[0]), "%s", what);
	snprintf(all->file[all->count], sizeof(all->file[0]), "%s", file);
	snprintf(all->hint[all->count++], sizeof(all->hint[0]), "%s", hint ? hint : "");
}

static bool parse(const char *text)
{
	memset(&policy, 0, sizeof(policy));
	memset(&told, 0, sizeof(told));
	return policy_add_text(&policy, text, strlen(text), "test.ini", take_error, &told);
}

static void decide(const char *name, const char *exe, uint32_t uid)
{
	policy_decide(&policy, name, exe, uid, &decision);
}

static enum policy_action action(enum rule_id rule)
{
	return decision.action[rule];
}

/* Is the text refused, with one error, on that line, that says so? */
static void refused(const char *text, unsigned line, const char *what, const char *hint)
{
	bool good = !parse(text) && told.count == 1 && told.line[0] == line && strstr(told.what[0], what) &&
		    strcmp(told.hint[0], hint) == 0;
	char name[512];

	snprintf(name, sizeof(name), "refused: %s", what);
	check(good, name);
	if (good)
		return;
	for (unsigned i = 0; i < told.count; i++)
		printf("# line %u: %s (%s)\n", told.line[i], told.what[i], told.hint[i]);
}

static void check_empty(void)
{
	bool warns = true;

	check(parse(""), "an empty policy is one");
	decide("/x", "/usr/bin/y", 1000);
	for (size_t i = 0; i < RULE_COUNT; i++)
		warns = warns && decision.action[i] == ACTION_warn;
	check(warns && decision.max_mode == 07777 && decision.max_size == UINT64_MAX && !decision.has_names &&
		      !decision.allow_uid && !policy.audit && policy.log == LOG_none,
	      "and warns of all, limits nothing");
}

static void check_values(void)
{
	check(parse("[default]\n"
		    "max-mode = 0640\nmax-size = 16M\nmax-objects = 7\nwait-for-size = 2s\nzero = on-unlink, "
		    "on-attach\n"
		    "secret = yes\nreserve = yes\nowner = 5\nowner = 9\nallow-uid = 26, 33\nallow-uid = 7\nnames = /a, "
		    "b*\nnames = /c\n"
		    "mode = audit\nlog = file:/var/log/shmguard.log\nworld-writable = deny\n"),
	      "every kind of value is read");
	decide("/x", "/usr/bin/y", 1000);
	check(decision.max_mode == 0640, "a mode is octal");
	check(decision.max_size == 16 << 20, "a size has units");
	check(decision.max_objects == 7 && decision.wait_ms == 2000, "a count and a time");
	check(decision.zero == (ZERO_on_unlink | ZERO_on_attach), "moments are added up");
	check(decision.secret && decision.reserve, "yes");
	check(decision.owner && decision.owner->count == 2 && decision.owner->item[1] == 9, "the owners");
	check(decision.allow_uid && decision.allow_uid->count == 3 && decision.allow_uid->item[2] == 7,
	      "a list goes on where its key is repeated");
	check(policy_allows_name(&decision, "/a") && policy_allows_name(&decision, "/bcd") &&
		      policy_allows_name(&decision, "/c") && !policy_allows_name(&decision, "/d"),
	      "names that are allowed and one that is not");
	check(policy.audit && policy.log == LOG_file && strcmp(policy.log_path, "/var/log/shmguard.log") == 0,
	      "audit and a log");
	check(action(RULE_world_writable) == ACTION_deny && action(RULE_world_readable) == ACTION_warn, "an action");
}

static void check_sections(void)
{
	check(parse("world-writable = note\nmax-size = 1K ; a comment\n\n"
		    "[ours]\n\tname = /app.*\n\texe = /opt/app/*\n  world-writable = deny\n  max-size = any\n"
		    "[any heading at all, longer than libinih's forty-nine characters [a[0-9]*]] ; comment\n"
		    "exe = postgres, mysqld\nuid = 26, 1??\nworld-writable = off\n"
		    "[default]\nsecret-left = note\n"),
	      "sections");
	check(policy.section_count == 4 &&
		      strcmp(policy.section[2].label,
			     "any heading at all, longer than libinih's forty-nine characters [a[0-9]*]") == 0,
	      "a heading is a label as it stands");
	decide("/x", "/usr/bin/y", 1000);
	check(action(RULE_world_writable) == ACTION_note && decision.max_size == 1024,
	      "what stands first is the default");
	decide("/app.1", "/opt/app/bin/server", 1000);
	check(action(RULE_world_writable) == ACTION_deny && decision.max_size == UINT64_MAX &&
		      action(RULE_secret_left) == ACTION_note,
	      "a section wins over the default, key by key");
	decide("/app.1", "/opt/other", 1000);
	check(action(RULE_world_writable) == ACTION_note, "name and exe must both match");
	decide(NULL, "/opt/app/bin/server", 1000);
	check(action(RULE_world_writable) == ACTION_note, "an object without a name is in no section of names");
	decide("/app.1", "/usr/lib/postgresql/15/bin/postgres", 26);
	check(action(RULE_world_writable) == ACTION_off, "the last part of a path, and a uid");
	decide("/app.1", "/usr/lib/postgresql/15/bin/postgres", 150);
	check(action(RULE_world_writable) == ACTION_off, "a glob of uids");
	decide("/app.1", "/usr/lib/postgresql/15/bin/postgres", 1500);
	check(action(RULE_world_writable) == ACTION_note, "and not another");
}

static void check_origin(void)
{
	const struct policy_section *section;

	parse("[default]\nworld-writable = note\n[a]\nname = /a*\nworld-writable = deny\nsecret = yes\n"
	      "[b]\nname = /ab\nworld-writable = fix\n");
	section = policy_origin(&policy, "/abc", "/bin/x", 0, RULE_world_writable, NULL);
	check(section && strcmp(section->label, "a") == 0 && section->line == 3,
	      "the section that decided, and its line");
	section = policy_origin(&policy, "/ab", "/bin/x", 0, RULE_world_writable, NULL);
	check(section && strcmp(section->label, "b") == 0, "the last one wins");
	section = policy_origin(&policy, "/ab", "/bin/x", 0, RULE_world_writable, "secret");
	check(section && strcmp(section->label, "a") == 0, "of a parameter");
	check(!policy_origin(&policy, "/ab", "/bin/x", 0, RULE_segment_leak, NULL) &&
		      !policy_origin(&policy, "/ab", "/bin/x", 0, RULE_segment_leak, "max-size") &&
		      !policy_origin(&policy, "/ab", "/bin/x", 0, RULE_segment_leak, "no-such-key"),
	      "what no section sets has none");
}

static void check_refusals(void)
{
	refused("[default]\nworld-writeable = deny\n", 2, "there is no key 'world-writeable'", "world-writable");
	refused("[default]\nmax-sice = 1\n", 2, "there is no key", "max-size");
	refused("[default]\nworld-writable = denny\n", 2, "off, note, warn, deny or fix, not 'denny'", "deny");
	refused("[default]\nsegment-leak = deny\n", 2, "'segment-leak' cannot be denied: it is off, note or warn", "");
	refused("[default]\nforeign-owner = fix\n", 2, "'foreign-owner' cannot be fixed, but denied", "");
	refused("[default]\ndumpable-secret = deny\n", 2, "cannot be denied, but fixed", "");
	refused("[default]\nworld-writable = deny # why\n", 2, "begins with ';'", "");
	refused("[default]\nmax-mode = 0888\n", 2, "an octal mode, 0 to 07777, not '0888'", "");
	refused("[default]\nmax-mode = 10000\n", 2, "an octal mode", "");
	refused("[default]\nmax-size = 1T\n", 2, "with K, M or G", "");
	refused("[default]\nmax-size = 18446744073709551615G\n", 2, "with K, M or G", "");
	refused("[default]\nmax-size = -1\n", 2, "with K, M or G", "");
	refused("[default]\nmax-objects = 1K\n", 2, "a number, or any", "");
	refused("[default]\nwait-for-size = 200\n", 2, "such as 200ms", "");
	refused("[default]\nwait-for-size = 61s\n", 2, "at most 60s", "");
	refused("[default]\nsecret = true\n", 2, "yes or no, not 'true'", "");
	refused("[default]\nzero = never, on-unlink\n", 2, "never, or of", "");
	refused("[default]\nzero = on-atach\n", 2, "never, or of", "on-attach");
	refused("[default]\nmode = adit\n", 2, "enforce or audit, not 'adit'", "audit");
	refused("[default]\nowner = root\n", 2, "numbers of users", "");
	refused("[default]\nallow-uid = postgres\n", 2, "numbers of users", "");
	refused("[default]\nallow-uid = 4294967295\n", 2, "numbers of users", "");
	refused("[a]\nuid = alice\n", 2, "numbers of users", "");
	refused("[a]\nuid = 5-7\n", 2, "numbers of users", "");
	refused("[a]\nuid = 1?, !5\n", 2, "numbers of users", "");
	refused("[a]\nuid = 26, 99999999999\n", 2, "numbers of users", "");
	refused("[a]\nname = /a[b\n", 2, "the [ of '/a[b' is not closed", "");
	refused("[a]\nname = /a,,/b\n", 2, "an item of the list is empty", "");
	refused("[a]\nname = /dev/shm/x\n", 2, "'name' takes what follows /dev/shm, not '/dev/shm/x'", "/x");
	refused("[a]\nname = /y, dev/shm/x*\n", 2, "'name' takes what follows /dev/shm", "/x*");
	refused("names = /dev/shm/\n", 1, "'names' takes what follows /dev/shm", "/*");
	refused("names = /dev/shm\n", 1, "'names' takes what follows /dev/shm", "/*");
	refused("[a]\nname = \"/x\"\n", 2, "'name' takes no quotes around '/x'", "/x");
	refused("[a]\nname = '/x y', /z\n", 2, "'name' takes no quotes", "/x y");
	refused("names = \"/a, /b\"\n", 1, "'names' takes no quotes", "/a");
	refused("[a]\nexe = \"y\"\n", 2, "'exe' takes no quotes", "y");
	refused("[a]\nname = '\n", 2, "'name' takes no quotes", "");
	refused("[a]\nexe = bin/y\n", 2,
		"'exe' takes a whole path or, without a slash, the last part of one, not 'bin/y'", "*/bin/y");
	refused("[a]\nexe = /bin/x, ./../y\n", 2, "'exe' takes a whole path", "*/y");
	refused("[a]\nexe = ~/.local/bin/y\n", 2, "'exe' takes a whole path", "*/.local/bin/y");
	check(parse("names = /dev/shmx, /dev/x, /x/dev/shm/x, /x\"y\", /'x', [\"]x\"\n"
		    "[a]\nname = x, //x, *\nexe = y, /y, */bin/y, ?usr/y, [a-z]*/y, (unreachable)/y, y's\n"),
	      "names and programs however odd, if there may be one");
	refused("[a]\nname =\n", 2, "'name' has no value", "");
	refused("[a]\n= 1\n", 2, "no key in front", "");
	refused("[a]\n\nsecret\n", 3, "neither [a heading] nor key = value", "");
	refused("[a\nsecret = yes\n", 1, "a heading is a label between [ and ]", "");
	refused("[]\n", 1, "a heading is a label between [ and ]", "");
	refused("[a] b\n", 1, "a heading is a label between [ and ]", "");
	refused("[a]\nsecret = yes\nsecret = no\n", 3, "'secret' is set twice", "");
	refused("[a]\nexec-map = off\nexec-map = off\n", 3, "'exec-map' is set twice", "");
	refused("[a]\nmode = audit\n", 2, "'mode' is of the whole policy", "");
	refused("[a]\ninclude = other.ini\n", 2, "'include' belongs in [default]", "");
	refused("[default]\nname = /a\n", 2, "[default] applies to all", "");
	refused("[default]\nlog = file:relative\n", 2, "none, stderr, syslog, or file:", "");
	refused("[default]\nmode = permissive\n", 2, "enforce or audit, not 'permissive'", "");
	refused("[default]\nmax-mode = \x1b[31m\n", 2, "not '?[31m'", "");
}

static void check_every_error(void)
{
	check(!parse("[default]\nworld-writable = maybe\nnonsense\nmax-mode = 9\n\nsegment-leak = fix\n") &&
		      told.count == 4 && told.line[0] == 2 && told.line[1] == 3 && told.line[2] == 4 &&
		      told.line[3] == 6,
	      "every error of a text is told, with its line");
	check(strcmp(told.file[3], "test.ini") == 0, "and its file");
	check(!parse("[default]\nmax-size = 1\nmax-size = -1\nexec-map = off\nexec-map = of\nexec-map = deny\n") &&
		      told.count == 5 && told.line[0] == 3 && told.line[1] == 3 && told.line[2] == 5 &&
		      told.line[3] == 5 && told.line[4] == 6,
	      "and of what is set twice");
}

static void check_lengths(void)
{
	static char text[POLICY_TEXT * 2], long_name[151];
	char *at = text;

	memset(long_name, 'a', sizeof(long_name) - 1);

	at = stpcpy(at, "[default]\nnames = /");
	memset(at, 'a', 170);
	strcpy(at + 170, "\n");
	check(parse(text), "a line of 180 bytes");
	memset(at, 'a', 400);
	strcpy(at + 400, "\nworld-writable = off\nsecret = maybe\n");
	check(!parse(text) && told.count == 2 && told.line[0] == 2 && strstr(told.what[0], "longer than 190") &&
		      told.line[1] == 4,
	      "a longer one is refused, not split, and the lines after it keep their numbers");
	at = stpcpy(text, "# ");
	memset(at, 'c', 500);
	strcpy(at + 500, "\nsecret = yes\n");
	check(parse(text), "a comment may be of any length");
	at = text;
	for (int i = 0; i < 300; i++)
		at = stpcpy(at, "[s]\nsecret = yes\n");
	strcpy(at, "nonsense = off\n[t]\nsecret = maybe\n");
	check(!parse(text) && told.count == 3 && told.line[0] == 513 &&
		      strstr(told.what[0], "too many sections: more than 256") && told.line[1] == 601 &&
		      told.line[2] == 603,
	      "too many sections are told once, and what else is wrong as ever");
	at = text;
	for (int i = 0; i < 60 * 32; i++)
		at = stpcpy(stpcpy(stpcpy(at, i % 32 ? "names = /" : "[s]\nnames = /"), long_name), "\n");
	check(!parse(text) && told.count == 1 && strstr(told.what[0], "too long"), "too long a policy is told once");
	at = text;
	for (int i = 0; i < 35; i++)
		at = stpcpy(at, "names = /a, /b\n");
	check(!parse(text) && told.count == 1 && told.line[0] == 17, "a list of more than 32 items is told once");
	strcpy(at, "names = /a[\n[t]\nallow-uid = 1,2\n");
	check(!parse(text) && told.count == 2 && told.line[1] == 36, "and what else is wrong in it as ever");
	at = text;
	for (int i = 0; i < 35; i++)
		at = stpcpy(at, "owner = 1\n");
	check(!parse(text) && told.count == 1 && told.line[0] == 33, "one of users likewise");
	check(!policy_add_text(&policy, "[a]\nsec\0ret = yes\n", 18, "nul", take_error, &told), "a NUL byte");
}

static void check_lines(void)
{
	check(parse("\xef\xbb\xbf[default]\r\nsecret = yes\r\nzero = on-unlink") && policy.section_count == 1,
	      "a byte order mark, CR LF, no newline at the end");
	decide("/x", "/x", 0);
	check(decision.secret && decision.zero == ZERO_on_unlink, "are read as they are meant");
	check(parse("[default]\nsecret: yes\n; comment\n# comment\n"), "a colon does as well");
}

static void check_globs(void)
{
	check(policy_glob("*", "") && policy_glob("*", "/x") && policy_glob("/a*c", "/abc") &&
		      policy_glob("/a*c", "/ac") && !policy_glob("/a*c", "/acb"),
	      "a star");
	check(policy_glob("/a?", "/ab") && !policy_glob("/a?", "/a") && !policy_glob("/a?", "/abc"), "a question mark");
	check(policy_glob("/[a-c]x", "/bx") && !policy_glob("/[a-c]x", "/dx") && policy_glob("/[!a-c]x", "/dx") &&
		      !policy_glob("/[!a-c]x", "/ax") && policy_glob("/[]]", "/]") && policy_glob("/[a-]", "/-"),
	      "sets");
	check(policy_glob("app*", "/app1") && policy_glob("/app*", "app1") && policy_glob("/a", "//a") &&
		      !policy_glob("/a", "/b/a") && !policy_glob("/", "/a"),
	      "leading slashes do not count");
	check(policy_glob("*ab*ab", "/aabab") &&
		      !policy_glob("*a*a*a*a*a*a*a*a*b", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	      "several stars, in bounded time");
	check(policy_glob_below("/d/*", "/d") && policy_glob_below("/d/x/y", "d/x//") &&
		      policy_glob_below("/[a-d]?/x", "/d1") && policy_glob_below("/d*", "/data") &&
		      policy_glob_below("*x", "/d") && policy_glob_below("/d?x", "/d"),
	      "a name below a directory");
	check(!policy_glob_below("/d", "/d") && !policy_glob_below("/d/", "/d") && !policy_glob_below("/dx/y", "/d") &&
		      !policy_glob_below("/d/y", "/dx") && !policy_glob_below("/e*", "/d") &&
		      !policy_glob_below("", "/d"),
	      "none below it");
	check(policy_glob_valid("/[a-z]") && !policy_glob_valid("/[a-z") && !policy_glob_valid("/[]"),
	      "sets are closed");
}

static void check_profiles(void)
{
	bool same = true, observed = true;
	const char *name;

	for (size_t p = 0; (name = policy_profile_name(p)); p++) {
		memset(&policy, 0, sizeof(policy));
		memset(&told, 0, sizeof(told));
		same = same && policy_add_profile(&policy, name, take_error, &told) && told.count == 0;
		decide("/x", "/x", 0);
		for (size_t i = 0; i < RULE_COUNT; i++) {
			bool strict = strcmp(name, "strict") == 0, safe = strcmp(name, "safe") == 0;
			enum policy_action is = decision.action[i];

			observed = observed && (safe || strict || is == ACTION_warn) &&
				   (!strict || !rules[i].deny || is == ACTION_deny) &&
				   (!safe || (is == ACTION_deny) == (rules[i].safe == SAFE_deny)) &&
				   (!safe || (is == ACTION_fix) == (rules[i].safe == SAFE_fix));
		}
	}
	check(same, "profiles are policies without an error");
	check(observed, "and do what the table of rules says");
	check(!policy_profile_text("tight") && !policy_add_profile(&policy, "tight", take_error, &told),
	      "no such profile");
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file) || chmod(path, mode))
		exit(99);
}

static bool load(const char *path)
{
	memset(&policy, 0, sizeof(policy));
	memset(&told, 0, sizeof(told));
	errno = 77;
	return policy_add_file(&policy, path, take_error, &told);
}

static bool said(const char *what)
{
	return told.count == 1 && strstr(told.what[0], what);
}

static void check_files(void)
{
	char directory[] = "/tmp/shmguard-policy-XXXXXX";

	if (!mkdtemp(directory) || chdir(directory))
		exit(99);
	write_file("a.ini", "world-writable = note\ninclude = b.ini\nworld-readable = off\n", 0644);
	write_file("b.ini", "world-writable = deny\nworld-readable = deny\n", 0600);
	check(load("a.ini") && errno == 77, "a file that includes another; errno is kept");
	decide("/x", "/x", 0);
	check(action(RULE_world_writable) == ACTION_deny && action(RULE_world_readable) == ACTION_off,
	      "which is read where it stands");
	check(chdir("/") == 0 && !load("a.ini") && said("cannot be opened: No such file"), "a missing file");
	check(chdir(directory) == 0 && chmod("b.ini", 0664) == 0 && !load("a.ini") && told.count == 1 &&
		      said("b.ini: can be written by others") && strcmp(told.file[0], "a.ini") == 0 &&
		      told.line[0] == 2,
	      "a file that others can write, told where it is asked for");
	write_file("b.ini", "include = a.ini\ninclude = a.ini\n", 0600);
	check(chmod("b.ini", 0600) == 0 && !load("a.ini") && told.count == 2 && told.line[1] == 2 &&
		      strcmp(told.file[0], "b.ini") == 0 && strstr(told.what[0], "'a.ini' would include itself"),
	      "files that include each other");
	write_file("c.ini", "secret = no\nnonsense = 1\ninclude = ././c.ini\nsecret = maybe\n", 0600);
	check(!load("c.ini") && told.count == 3 && told.line[2] == 4 && strstr(told.what[1], "would include itself"),
	      "a file that includes itself tells its errors once");
	write_file("d.ini", "include = e.ini\ninclude = e.ini\n", 0600);
	write_file("e.ini", "world-writable = deny\n", 0600);
	check(load("d.ini"), "one that includes another twice does not");
	check(mkfifo("fifo", 0600) == 0 && !load("fifo") && said("not a regular file"), "a FIFO does not hang");
	check(!load("."), "nor a directory");
	check(!load("/proc/self/mem"), "nor a file without end");
	if (geteuid() == 0)
		check(chown("a.ini", 12345, 0) == 0 && !load("a.ini") && said("belongs to another user"),
		      "a file of a third user");
	for (char name[] = "a.ini"; *name <= 'e'; ++*name)
		unlink(name);
	unlink("fifo");
	if (chdir("/") || rmdir(directory))
		exit(99);
}

int main(void)
{
	check_empty();
	check_values();
	check_sections();
	check_origin();
	check_refusals();
	check_every_error();
	check_lengths();
	check_lines();
	check_globs();
	check_profiles();
	check_files();
	printf("1..%d\n", tests);
	return failures != 0;
}
