/* The reports, from an analysis made by hand: what they say, and that nothing in a trace reaches a terminal or breaks JSON. */
#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/report.h"
#include "analyzer/escape.h"
#include "analyzer/json_out.h"
#include "analyzer/json_stream.h"

static int number, failures;

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static void check_safe(const char *bytes, const char *expected, const char *what)
{
	char *safe = escape_terminal(bytes);

	check(!strcmp(safe, expected), what);
	if (strcmp(safe, expected) != 0)
		printf("# \"%s\" is not \"%s\"\n", safe, expected);
	free(safe);
}

static void check_undone(const char *bytes, const char *expected, const char *what)
{
	char *text = escape_utf8(bytes), *back = escape_undo(text);

	check(!strcmp(text, expected) && !strcmp(back, bytes), what);
	if (strcmp(text, expected) != 0 || strcmp(back, bytes) != 0)
		printf("# \"%s\" is not \"%s\", or not back\n", text, expected);
	free(back);
	free(text);
}

/* A world of two processes: python3 made an object with a hostile name and was killed, sh unlinked a memfd's neighbour. */
static struct module program = {.path = "/opt/tools/a\033[31mb", .build_id = "00ff"};
static struct module libc = {.path = "/lib/libc.so.6", .build_id = "11ee"};
static struct frame frames[] = {{&libc, 0x10}, {&program, 0x1234}, {&libc, 0x20}, {&libc, 0x30}, {NULL, 0x7fff}};
static struct stack stack = {.count = 5, .frames = frames};
static struct process python = {
	.id = "p1",
	.host = "box",
	.pid = 4242,
	.ppid = 1,
	.exe = "/usr/bin/python3",
	.argv = "python3 two\\ words new\\nline \\\\ \xff",
	.uid = 7,
	.traced = true,
	.ended = ENDED_signal,
	.signal = SIGKILL,
};
static struct process shell = {
	.id = "p2",
	.host = "box",
	.pid = 4243,
	.ppid = 4242,
	.parent = &python,
	.exe = "/bin/sh",
	.argv = "",
	.began = BEGAN_fork,
	.ended = ENDED_exit,
	.status = 3,
};
static struct name names[] = {{.text = "/first", .from = 1, .until = 2},
			      {.text = "/\033]0;owned\a\xc3\x28", .from = 2},
			      {.text = "/first", .from = 3, .until = 4}};
static struct object leaked = {
	.number = 1,
	.kind = KIND_shm,
	.dev = 25,
	.ino = 99,
	.size = 3145728,
	.mode = 0600,
	.names = names,
	.name_count = 2,
	.created = {&python, 1, 5},
	.leaked = true,
};
static struct object semaphore = {
	.number = 2, .kind = KIND_semaphore, .names = names, .name_count = 1, .unlinked = {&shell, 1, 6}};
static struct process *processes[] = {&python, &shell};
static struct object *objects[] = {&leaked, &semaphore};
static const char *hosts[] = {"box"};
static struct world world = {.processes = processes,
			     .process_count = 2,
			     .objects = objects,
			     .object_count = 2,
			     .hosts = hosts,
			     .host_count = 1};
static struct recording recording = {.cwd = (char *)"/home/me"};
static struct finding findings[] = {
	{
		.rule = RULE_segment_leak,
		.severity = SEVERITY_ERROR,
		.count = 3,
		.bytes = 3145728,
		.message = (char *)"3 objects, the last named /\033[2J\n, were left",
		.uncertain = true,
		.fingerprint = "0123456789abcdef",
		.object = &leaked,
		.process = &python,
		.time = 1234567890123456789,
		.stacks = {{"created", &python, &stack}, {"attached", &shell, NULL}},
		.stack_count = 2,
	},
	{
		.rule = RULE_fd_leak,
		.severity = SEVERITY_NOTE,
		.count = 1,
		.message = (char *)"one descriptor",
		.fingerprint = "fedcba9876543210",
		.time = 1,
	},
};
static struct unseen unseen[] = {{77, "/usr/bin/su\xff", "set-user-ID"}};
static char *problems[] = {(char *)"the \033 disk was full"};
static struct analysis analysis = {
	.recording = &recording,
	.world = &world,
	.findings = {findings, 2, 0},
	.events = 1234567,
	.lost = 2,
	.seconds = 1.5,
	.unseen = unseen,
	.unseen_count = 1,
	.problems = problems,
	.problem_count = 1,
};

static char *print(const char *format)
{
	struct report report = {.analysis = &analysis};
	char *text = NULL, *problem;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(1);
	report.symbols = symbols_open(NULL, &problem);
	report_format_find(format)->print(&report, out);
	symbols_close(report.symbols);
	if (fclose(out))
		exit(1);
	return text;
}

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void test_json_findings(const json_t *all)
{
	const json_t *finding = json_array_get(json_object_get(all, "findings"), 0);
	const json_t *stacks = json_object_get(finding, "stacks"), *all_frames, *frame;

	check(!strcmp(member(finding, "rule"), "segment-leak"), "a finding names its rule");
	check(!strcmp(member(finding, "severity"), "error"), "its severity in words");
	check(!strcmp(member(finding, "object"), "o1") && !strcmp(member(finding, "process"), "p1"),
	      "its object and process by their ids");
	check(json_integer_value(json_object_get(finding, "time")) == 1234567890123456789,
	      "its time to the nanosecond");
	check(json_is_true(json_object_get(finding, "uncertain")), "and that it is uncertain");
	all_frames = json_object_get(json_array_get(stacks, 0), "frames");
	frame = json_array_get(all_frames, 1);
	check(json_array_size(stacks) == 2 && json_array_size(all_frames) == 5, "every frame of every stack is there");
	check(json_integer_value(json_object_get(frame, "offset")) == 0x1234 &&
		      !strcmp(member(frame, "build_id"), "00ff") && json_is_null(json_object_get(frame, "function")),
	      "a frame without a name has module, build-id and offset");
	check(*member(frame, "unresolved"), "and says why it has no name");
	check(json_is_null(json_object_get(json_array_get(all_frames, 4), "module")), "a frame may be of no module");
	finding = json_array_get(json_object_get(all, "findings"), 1);
	check(json_is_null(json_object_get(finding, "object")) && json_is_null(json_object_get(finding, "process")),
	      "a finding without object and process has null there");
}

static void test_json(void)
{
	char *text = print("json");
	json_t *all = json_loads(text, 0, NULL);
	const json_t *process = json_array_get(json_object_get(all, "processes"), 0);
	const json_t *child = json_array_get(json_object_get(all, "processes"), 1);
	const json_t *object = json_array_get(json_object_get(all, "objects"), 0);
	const json_t *argv = json_object_get(process, "argv");

	check(all != NULL, "hostile names make valid JSON");
	check(!strcmp(member(all, "schema"), "shmguard-report/1"), "the schema is named");
	check(json_array_size(argv) == 5 && !strcmp(json_string_value(json_array_get(argv, 1)), "two words") &&
		      !strcmp(json_string_value(json_array_get(argv, 2)), "new\nline") &&
		      !strcmp(json_string_value(json_array_get(argv, 3)), "\\") &&
		      !strcmp(json_string_value(json_array_get(argv, 4)), "\\xff"),
	      "argv is words again");
	check(!strcmp(member(process, "ended"), "signal") &&
		      json_integer_value(json_object_get(process, "signal")) == SIGKILL &&
		      json_is_null(json_object_get(process, "status")),
	      "a killed process has a signal and no status");
	check(!strcmp(member(child, "parent"), "p1") && !strcmp(member(child, "started_by"), "fork") &&
		      json_integer_value(json_object_get(child, "status")) == 3,
	      "a child has its parent and its status");
	check(json_array_size(json_object_get(object, "names")) == 2 &&
		      json_is_true(json_object_get(object, "leaked")) && !strcmp(member(object, "created_by"), "p1") &&
		      json_is_null(json_object_get(object, "unlinked_by")),
	      "an object has its names, its maker, and that it leaked");
	check(!strcmp(member(json_array_get(json_object_get(all, "unseen"), 0), "reason"), "set-user-ID"),
	      "what was not seen is there");
	test_json_findings(all);
	json_decref(all);
	free(text);
}

static bool is_harmless(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f)
			return false;
	return true;
}

static size_t widest(const char *text)
{
	size_t most = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");

		if (length > most)
			most = length;
		text += length + (text[length] == '\n');
	}
	return most;
}

static void test_text(void)
{
	char *text = print("text"), *narrow;
	const char *error, *note;

	check(is_harmless(text), "no control character of the trace reaches the terminal");
	check(!strncmp(text, "shmguard: 1 error (uncertain), 1 note; the worst, uncertain: ", 61),
	      "the verdict comes first");
	error = strstr(text, "error: segment-leak (3 times, 3 MiB, uncertain)");
	note = strstr(text, "note: fd-leak");
	check(error && note && error < note, "errors come before notes, with count and bytes");
	check(strstr(text, "process 4242: python3 two\\\\") != NULL ||
		      strstr(text, "process 4242: python3 two") != NULL,
	      "whose it is");
	check(strstr(text, "killed by SIGKILL") != NULL, "and how that ended");
	check(strstr(text, "at a\\x1b[31mb+0x1234") != NULL, "the program's frame comes first");
	check(strstr(text, "... 2 frames of libc.so.6") != NULL, "frames of libc are folded");
	check(strstr(text, "attached by process 4243 sh, no stack was recorded") != NULL, "a missing stack is told");
	check(strstr(text, "what to do: shm_unlink()") != NULL, "with what to do about it");
	check(strstr(text, "LEAKED") != NULL && strstr(text, "4242 python3") != NULL, "the object is in the table");
	check(strstr(text, "set-user-ID") != NULL && strstr(text, "2 events lost") != NULL &&
		      strstr(text, "disk was full") != NULL,
	      "what was not seen is told");
	check(strstr(text, "1,234,567 events") != NULL, "and what was looked at");
	check(widest(text) <= 100, "lines fit 100 columns");
	free(text);
	setenv("COLUMNS", "64", 1);
	narrow = print("text");
	check(strncmp(narrow, "shmguard:", 9) == 0 && strstr(narrow, "LEAKED") != NULL,
	      "a narrow terminal loses nothing");
	free(narrow);
	unsetenv("COLUMNS");
}

static void test_json_stream(void)
{
	static const char odd[] = "{\"a\":1,\"none\":[],\"no\":{},\"many\":[{\"x\":[1,{\"y\":\"\\n\\u007f\\u00e9\"}]},"
				  "null,[]],\"z\":{\"q\":[]}}";
	json_t *whole = json_loads(odd, 0, NULL), *value;
	char *expected = NULL, *got = NULL;
	size_t length, i;
	FILE *out = open_memstream(&expected, &length);
	struct json_stream stream = {.out = open_memstream(&got, &length)};

	json_out(whole, out, JSON_INDENT(1));
	fputc('\n', out);
	fclose(out);
	json_stream_open(&stream, NULL, '{');
	json_stream_put(&stream, "a", json_integer(1));
	json_stream_open(&stream, "none", '[');
	json_stream_close(&stream);
	json_stream_open(&stream, "no", '{');
	json_stream_close(&stream);
	json_stream_open(&stream, "many", '[');
	json_array_foreach (json_object_get(whole, "many"), i, value)
		json_stream_put(&stream, NULL, json_incref(value));
	json_stream_close(&stream);
	json_stream_put(&stream, "z", json_incref(json_object_get(whole, "z")));
	json_stream_close(&stream);
	fclose(stream.out);
	check(!strcmp(expected, got), "JSON in parts has the bytes of the whole");
	free(expected);
	free(got);
	json_decref(whole);
}

static void test_nothing_found(void)
{
	char *text;

	analysis.findings.count = 0;
	analysis.complete = true;
	text = print("text");
	check(!strncmp(text, "shmguard: nothing found [1 process not seen]\n", 45),
	      "who was not seen is in the verdict");
	free(text);
	analysis.unseen_count = 0;
	text = print("text");
	check(!strncmp(text, "shmguard: nothing found\n", 24), "when there is nothing, that is the verdict");
	free(text);
	world.object_count = 0;
	text = print("text");
	check(!strncmp(text, "shmguard: nothing found: no POSIX shared memory was seen\n", 57),
	      "and it is told when there was nothing to see");
	free(text);
}

static void test_safe(void)
{
	check_safe("/plain \xc3\xa9\xe2\x82\xac", "/plain \xc3\xa9\xe2\x82\xac", "UTF-8 stays");
	check_safe("\033[31m\r\n\t\x7f", "\\x1b[31m\\x0d\\n\\t\\x7f", "control characters are escaped");
	check_safe("\xc2\x9b"
		   "31m",
		   "\\u{9b}31m", "and those above 127");
	check_safe("\xff\xc0\xaf\xed\xa0\x80", "\\xff\\xc0\\xaf\\xed\\xa0\\x80", "what is not UTF-8 is escaped");
	check_safe("a\xe2\x80\xae"
		   "b",
		   "a\\u{202e}b", "text cannot be turned around");
	check_safe("\xe2\x82", "\\xe2\\x82", "a character cut short is escaped");
	check_safe("\xef\xbf\xbe\xef\xbf\xbf\xef\xb7\x90\xf4\x8f\xbf\xbf", "\\u{fffe}\\u{ffff}\\u{fdd0}\\u{10ffff}",
		   "what is no character is escaped");
	check_undone("/a\xff", "/a\\xff", "a byte of no character is escaped");
	check_undone("/a\\xff", "/a\\\\xff", "and what looks like one escaped is another text");
	check_undone("/a\\\xff\\\\xff", "/a\\\\\\xff\\\\\\\\xff", "so are backslashes before it");
	check_undone("\\ \\n \\x1b \\xf \\xfg \\\\", "\\ \\n \\x1b \\xf \\xfg \\\\",
		     "other backslashes stay as they are");
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	unsetenv("COLUMNS");
	test_safe();
	test_json();
	test_text();
	test_json_stream();
	test_nothing_found();
	printf("1..%d\n", number);
	return failures != 0;
}
