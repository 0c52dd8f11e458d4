/* Names that change from run to run become globs that take the next run's, and few others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"
#include "tracepoints/policy.h"

static int tests, failures;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static void becomes_of(int32_t pid, const char *name, const char *expected)
{
	char *glob = habits_glob(name, &(struct habits_pids){{pid, 121}}),
	     *what = memory_format("%s becomes %s", name, expected);

	check(strcmp(glob, expected) == 0, what);
	if (strcmp(glob, expected) != 0)
		printf("# %s\n", glob);
	free(what);
	free(glob);
}

static void becomes(const char *name, const char *expected)
{
	becomes_of(37, name, expected);
}

static void check_globs(void)
{
	becomes("/plain-name", "/plain-name");
	becomes("/queue-12", "/queue-12");
	becomes("/queue-37.0121", "/queue-[0-9]*.[0-9]*");
	becomes("/queue-3.1210", "/queue-3.[0-9]*");
	becomes("/PostgreSQL.1234567890", "/PostgreSQL.[0-9]*");
	becomes("/worker31337.lock", "/worker[0-9]*.lock");
	becomes("/psm_1a2b3c4d", "/psm_????????");
	becomes("/psm_abcdef12", "/psm_????????");
	becomes("/sem.mp-nvszx3hb", "/sem.mp-????????");
	becomes("/sem.mp-z9a_e62f", "/sem.mp-????????");
	becomes("/psm_abcdefgh", "/psm_????????");
	becomes("/tmp.aB3xYz", "/tmp.??????");
	becomes("/pym-4321-zdcc1234", "/pym-[0-9]*-????????");
	becomes("/tmpabcdefgh.lock", "/tmp????????.lock");
	becomes("/queue-12-reader", "/queue-12-reader");
	becomes("/CamelCase.JSON", "/CamelCase.JSON");
	becomes("/a*b[c]?", "/a[*]b[[]c][?]");
	becomes("/a,b;c d", "/a?b?c?d");
	becomes("/\xc3\xa4", "/??");
}

/* Short ones of letters and digits, and what could be one. */
static void check_short(void)
{
	static const char *const plain[] = {"/queue-12",     "/eth0-x86",    "/cam12.h264",  "/video-720p",
					    "/clip-1080p",   "/depth-8bit",  "/buffer-64MB", "/app-v2-k8s",
					    "/my_2nd_3d",    "/sha256-md5",  "/ab12-c840",   "/face-beef",
					    "/mp4-utf8",     "/X11-unix",    "/Foo-Bar-V2",  "/my-App_v2-x",
					    "/Foo-Bar2-V3x", "/wl_shm-data", "/10ms_16k",    "/ring-0-1-2"};

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		becomes(plain[i], plain[i]);
	becomes("/seg-1e82", "/seg-????");
	becomes("/seg_9bc0.lock", "/seg_????.lock");
	becomes("/seg-5bc0e-2", "/seg-????\?-2");
	becomes("/seg.R71w", "/seg.????");
	becomes("/seg-7gkz", "/seg-????");
}

static void check_hexadecimal(void)
{
	const int32_t pid = 0x840;

	becomes_of(pid, "/job-840-5bc0", "/job-[0-9A-Fa-f]*-[0-9A-Fa-f]*");
	becomes_of(pid, "/job-0840_7f21c0de3000", "/job-[0-9A-Fa-f]*_[0-9A-Fa-f]*");
	becomes_of(pid, "/job_840.1234-12", "/job_[0-9A-Fa-f]*.[0-9A-Fa-f]*-12");
	becomes_of(pid, "/job-840-add-reader", "/job-[0-9A-Fa-f]*-add-reader");
	becomes_of(pid, "/job-2112-add", "/job-[0-9]*-add");
	becomes_of(pid, "/job_840_qzkxwv-reader", "/job_[0-9A-Fa-f]*_?????\?-reader");
	becomes_of(0xabc, "/job-ABC-9BC0", "/job-[0-9A-Fa-f]*-[0-9A-Fa-f]*");
	/* Of two digits one counts something. */
	becomes_of(0x12, "/job-12-5", "/job-12-5");
	becomes_of(pid, "/job-841-x", "/job-841-x");
}

static void check_base64(void)
{
	becomes("/k.q8YdWf-R71w", "/k.???????????");
	becomes("/k-q8YdWf-R71w", "/k-???????????");
	becomes("/k_q8_WfX-R71w", "/k_???????????");
	becomes("/session-Drmhze6EPcv0fN_81Bj-nA", "/session-??????????????????????");
	becomes("/session-Drmhze6EPcv0fN_81Bj-nA.lock", "/session-??????????????????????.lock");
	becomes("/aB3dE9-lock", "/?????\?-lock");
	becomes("/x.aB3dE9-tx", "/x.?????\?-tx");
	becomes("/x-aB3dE9-1", "/x-?????\?-1");
	becomes("/job-aB3dE9f", "/job-???????");
	becomes("/lock-aB3dE9", "/lock-??????");
	becomes("/cam1_aB3dE9", "/cam1_??????");
	becomes("/k.fQnIltdRVVH", "/k.???????????");
	becomes("/k.myAppIoBuf", "/k.myAppIoBuf");
	becomes("/a_kdqcmikpy0_ring", "/a_??????????_ring");
	becomes("/a_keyboard0_ring", "/a_keyboard0_ring");
}

/* The globs that names of as many recordings come down to. */
static size_t learned(char **names, const int32_t *pids, size_t count, char ***globs)
{
	struct habits habits = {0};
	struct habit *habit = memory_new(1, sizeof(*habit));

	habit->exe = memory_text("/bin/x");
	for (unsigned i = 0; i < count; i++) {
		struct habits_pids run = {{pids ? pids[i] : 37, 121}};

		habits_see(habit, (struct habits_name){.glob = habits_glob(names[i], &run),
						       .sample = memory_text(names[i]),
						       .pids = run,
						       .recording = i});
	}
	habits.all = memory_grow(NULL, 0, sizeof(struct habit *));
	habits.all[habits.count++] = habit;
	habits_finish(&habits);
	size_t left = habit->name_count;
	*globs = memory_new(left, sizeof(char *));
	for (size_t i = 0; i < left; i++)
		(*globs)[i] = memory_text(habit->names[i]);
	habits_free(&habits);
	return left;
}

static uint64_t state = 4;

static unsigned below(unsigned most)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % most;
}

/* A name whose run of X is random, of those characters, and whose P is the pid in hexadecimal digits, a new one each time. */
static char *named(const char *form, const char *of, int32_t *pid)
{
	const char *place = strchr(form, 'P');

	*pid = place ? 256 + (int32_t)below(32000) : 37;
	char *name = place ? memory_format("%.*s%x%s", (int)(place - form), form, (unsigned)*pid, place + 1)
			   : memory_text(form);

	for (char *at = name; *at; at++)
		if (*at == 'X')
			*at = of[below((unsigned)strlen(of))];
	return name;
}

enum { TRIALS = 20000 };

/* After how many of the trials would the next run be refused, or another name be allowed, or one glob more than samples? */
static unsigned refused(const char *form, const char *of, size_t samples)
{
	unsigned misses = 0;

	for (int trial = 0; trial < TRIALS; trial++) {
		int32_t pids[3], own;
		char *names[3], **globs, *next = named(form, of, &own);
		bool taken = false;

		for (size_t i = 0; i < samples; i++)
			names[i] = named(form, of, &pids[i]);
		size_t count = learned(names, pids, samples, &globs);
		for (size_t i = 0; i < count; i++)
			taken = taken || policy_glob(globs[i], next);
		misses += !taken;
		misses += count > samples || policy_glob(globs[0], "/elsewhere");
		for (size_t i = 0; i < count; i++)
			free(globs[i]);
		free(globs);
		for (size_t i = 0; i < samples; i++)
			free(names[i]);
		free(next);
	}
	return misses;
}

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define TEMPFILE SMALL "0123456789_"
#define LETTERS SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEXADECIMAL "0123456789abcdef"
#define BASE64URL LETTERS "0123456789-_"

static void check_random(void)
{
	static const struct {
		const char *form, *of;
		size_t samples;
		unsigned most; /* misses: two words of letters may look like a language's, or end alike by chance */
	} schemes[] = {{"/pym-37-XXXXXXXX", TEMPFILE, 1, 0},
		       {"/mp-XXXXXXXX", TEMPFILE, 1, 0},
		       {"/sem.mp-XXXXXXXX", TEMPFILE, 1, 0},
		       {"/psm_XXXXXXXX", "0123456789abcdef", 1, 0},
		       {"/tmpXXXXXXXX", TEMPFILE, 1, 0},
		       {"/dir/tmpXXXXXXXX/data.bin", TEMPFILE, 1, 0},
		       {"/arena-37-XXXXXX", SMALL, 1, 0},
		       {"/arena_37_XXXXXXXX", TEMPFILE, 1, 0},
		       {"/arena-37.XXXXXXXXXXXX", LETTERS, 1, 0},
		       {"/job-XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX", "0123456789abcdef", 1, 0},
		       {"/arena-XXXXXXXX", TEMPFILE, 2, TRIALS / 1000},
		       {"/arena_XXXXXXXX", TEMPFILE, 2, TRIALS / 1000},
		       {"/arenaXXXXXXXX", TEMPFILE, 3, TRIALS / 1000},
		       {"/arena-XXXXXXXX.lock", TEMPFILE, 2, TRIALS / 1000},
		       {"/arena-XXXXXXXXXXXX.lock", SMALL, 3, TRIALS / 1000},
		       {"/arena.XXXXXXXX_shm", SMALL "0123456789", 2, TRIALS / 1000},
		       {"/wl_shm-XXXXXX", LETTERS, 3, TRIALS / 1000},
		       {"/arena-XXXXXXXXXXXXXXXX", "0123456789abcdef", 2, TRIALS / 1000},
		       {"/job-P-XXXX", HEXADECIMAL, 1, TRIALS / 1000},
		       {"/job_P_XXXXXXXXXXXX.lock", HEXADECIMAL, 1, 0},
		       {"/job-P", SMALL, 1, 0},
		       /* What looks like a word and a number, or a number, is known by others only. */
		       {"/arena-XXXX", HEXADECIMAL, 1, TRIALS * 2 / 5},
		       {"/arena-XXXX", HEXADECIMAL, 2, TRIALS / 6},
		       {"/arena-XXXX", HEXADECIMAL, 3, TRIALS / 15},
		       {"/arena_XXXXX.lock", HEXADECIMAL, 3, TRIALS / 15},
		       {"/k.XXXXXXXXXXX", BASE64URL, 1, TRIALS / 20},
		       {"/k-XXXXXXXXXXX", BASE64URL, 1, TRIALS / 20},
		       {"/k_XXXXXXXXXXX.lock", BASE64URL, 1, TRIALS / 20},
		       {"/k.XXXXXXXXXXX", BASE64URL, 2, TRIALS / 50},
		       {"/k.XXXXXXXXXXXXXXXXXXXXXX", BASE64URL, 1, TRIALS / 20},
		       {"/k.XXXXXXXXXXXXXXXXXXXXXX", BASE64URL, 2, TRIALS / 50}};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		unsigned misses = refused(schemes[i].form, schemes[i].of, schemes[i].samples);
		char *what = memory_format("of %zu of %s the next is taken, but for %u of %d", schemes[i].samples,
					   schemes[i].form, misses, TRIALS);

		check(misses <= schemes[i].most, what);
		free(what);
	}
}

/* What several names come down to, with blanks between. */
static void come_to(char **names, size_t count, const char *expected)
{
	char **globs, *all = memory_text("");
	size_t left = learned(names, NULL, count, &globs);

	for (size_t i = 0; i < left; i++) {
		char *more = memory_format("%s%s%s", all, i ? " " : "", globs[i]);

		free(globs[i]);
		free(all);
		all = more;
	}
	check(strcmp(all, expected) == 0, expected);
	if (strcmp(all, expected) != 0)
		printf("# %s\n", all);
	free(globs);
	free(all);
}

#define COME_TO(expected, ...)                                                                                         \
	come_to((char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), expected)

static void check_fixed(void)
{
	COME_TO("/app-reader /app-writer", "/app-reader", "/app-writer");
	COME_TO("/app-client /app-global /app-server", "/app-global", "/app-client", "/app-server");
	COME_TO("/app-state-1 /app-state-2", "/app-state-1", "/app-state-2");
	COME_TO("/app_state_01 /app_state_02 /app_state_17", "/app_state_01", "/app_state_02", "/app_state_17");
	COME_TO("/queue_1 /state_2", "/queue_1", "/state_2");
	COME_TO("/RequestRing /RequestTail", "/RequestRing", "/RequestTail");
	COME_TO("/shm-requests /shm-response", "/shm-requests", "/shm-response");
	COME_TO("/app-config /app-events /app-frames /app-status", "/app-config", "/app-status", "/app-events",
		"/app-frames");
	COME_TO("/tmp-store /tmp_data", "/tmp-store", "/tmp_data");
	/* They last, whatever they look like; what does not stays apart. */
	COME_TO("/a-qzkxwv /a-vjwqzx", "/a-qzkxwv", "/a-vjwqzx", "/a-qzkxwv", "/a-vjwqzx");
	COME_TO("/a-??????", "/a-qzkxwv", "/a-vjwqzx");
	COME_TO("/s-1-???????? /s-2-????????", "/s-1-plkstrom", "/s-2-gjzxaqwd");
	COME_TO("/buf-????", "/buf-1234", "/buf-1e82");
	COME_TO("/buf-????", "/buf-ab12", "/buf-c840");
	COME_TO("/buf-???? /buf-cam12 /buf-image", "/buf-1e82", "/buf-cam12", "/buf-image");
	COME_TO("/buf-????? /buf-cam1 /buf-data", "/buf-1e82f", "/buf-cam1", "/buf-data");
	COME_TO("/buf-1080p /buf-240p /buf-720p", "/buf-720p", "/buf-240p", "/buf-1080p");
	COME_TO("/gpu-a100 /gpu-b200", "/gpu-a100", "/gpu-b200");
	COME_TO("/k.???????????", "/k.qab8YdWfR71", "/k.q8_YdWfR71w", "/k.qR71w8YdWf0");
	COME_TO("/PostgreSQL.[0-9]*", "/PostgreSQL.1804289383", "/PostgreSQL.846930886");
}

static void check_temporary(void)
{
	static const char *const names[][2] = {{"/tmp-abcdef", "/tmp-??????"},
					       {"/dir/t.plyGb7", "/dir/t.??????"},
					       {"/build37Abcdef", "/build[0-9]*??????"}};
	bool all = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *glob = habits_temporary(names[i][0], &(struct habits_pids){{37, 121}});

		all = all && strcmp(glob, names[i][1]) == 0;
		free(glob);
	}
	check(all, "what mkstemp made is any name of its template");
}

static void check_takes(void)
{
	static const char *const names[] = {"/a*b[c]?", "/a,b;c d", "/x[1234]", "/PostgreSQL.77777", "/-[!a]-]"};
	bool all = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *glob = habits_glob(names[i], &(struct habits_pids){{37, 121}});

		all = all && policy_glob_valid(glob) && policy_glob(glob, names[i]) && !policy_glob(glob, "/another");
		free(glob);
	}
	check(all, "a name's glob is valid and takes it");
}

static void check_long(void)
{
	char name[300] = "/", *glob;

	memset(name + 1, 'x', 255);
	glob = habits_glob(name, &(struct habits_pids){{37, 121}});
	check(strlen(glob) < 170 && policy_glob(glob, name), "a name of 255 characters");
	free(glob);
	for (size_t i = 1; i < 255; i += 2)
		name[i] = '.';
	glob = habits_glob(name, &(struct habits_pids){{37, 121}});
	check(strlen(glob) < 170 && policy_glob(glob, name), "one that is cut ends in a star");
	free(glob);
}

/* Are all names taken by what their globs come down to? */
static bool all_taken(const char *const *names, size_t count, size_t most, size_t *left)
{
	char **globs = memory_new(count, sizeof(*globs));
	bool all = true;

	for (size_t i = 0; i < count; i++)
		globs[i] = habits_glob(names[i], NULL);
	*left = habits_reduce(globs, count, most);
	for (size_t i = 0; i < count; i++) {
		bool one = false;

		for (size_t j = 0; j < *left; j++)
			one = one || policy_glob(globs[j], names[i]);
		all = all && one;
	}
	for (size_t i = 0; i < *left; i++)
		free(globs[i]);
	free(globs);
	return all;
}

static void check_special(void)
{
	static const char *const names[] = {"/n zed", "/n,", "/aone", "/atwo"}, *const sets[] = {"/q-12", "/q-123456",
												 "/q-[", "/q?",
												 "/q-]x"};
	size_t left;

	check(all_taken(names, 4, 3, &left) && left <= 3, "a ? at a glob's end takes no * of another");
	for (size_t most = 4; most; most--) {
		char *what = memory_format("sets, as %zu globs", most);

		check(all_taken(sets, 5, most, &left) && left <= most, what);
		free(what);
	}
	char *globs[] = {memory_text("/a*"), memory_text("/a[0-9]*"), memory_text("/a[*]b"), memory_text("/b[0-9]*"),
			 memory_text("/b1"), memory_text("/b?"),      memory_text("/c????"), memory_text("/c[0-9]")};
	left = habits_reduce(globs, 8, 32);
	check(left == 5 && strcmp(globs[0], "/a*") == 0 && strcmp(globs[1], "/b?") == 0 &&
		      strcmp(globs[2], "/b[0-9]*") == 0 && strcmp(globs[4], "/c[0-9]") == 0,
	      "what a set is covered by");
	for (size_t i = 0; i < left; i++)
		free(globs[i]);
}

static void check_reduced(void)
{
	char *few[] = {memory_text("/b"), memory_text("/a?"), memory_text("/b"), memory_text("/ab"),
		       memory_text("/c*")};
	char *many[100];
	size_t count = habits_reduce(few, 5, 32);
	bool taken = true;

	check(count == 3 && strcmp(few[0], "/a?") == 0 && strcmp(few[1], "/b") == 0 && strcmp(few[2], "/c*") == 0,
	      "equal and covered ones are left out, the rest is sorted");
	for (size_t i = 0; i < count; i++)
		free(few[i]);
	for (size_t i = 0; i < 100; i++)
		many[i] = memory_format("/%s-%c%zu", i % 2 ? "odd" : "even", (char)('a' + i % 26), i);
	count = habits_reduce(many, 100, 32);
	for (size_t i = 0; i < 100; i++) {
		char *name = memory_format("/%s-%c%zu", i % 2 ? "odd" : "even", (char)('a' + i % 26), i);
		bool by_one = false;

		for (size_t j = 0; j < count; j++)
			by_one = by_one || policy_glob(many[j], name);
		taken = taken && by_one;
		free(name);
	}
	check(count > 1 && count <= 32 && taken, "too many become fewer that still take all, and not just one");
	for (size_t i = 0; i < count; i++)
		free(many[i]);
	check(habits_reduce(NULL, 0, 32) == 0, "none");
}

int main(void)
{
	check_globs();
	check_short();
	check_hexadecimal();
	check_base64();
	check_random();
	check_fixed();
	check_temporary();
	check_takes();
	check_long();
	check_reduced();
	check_special();
	printf("1..%d\n", tests);
	return failures != 0;
}
