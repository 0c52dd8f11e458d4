#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "analyzer/cmd_run_inner.h"
#include "analyzer/doctor.h"
#include "analyzer/escape.h"
#include "analyzer/oom.h"
#include "analyzer/trace_files.h"
#include "tracepoints/version.h"

static json_t *run_texts(char *const *texts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		char *text = escape_utf8(texts[i]);

		json_array_append_new(list, json_string(text));
		free(text);
	}
	return list;
}

static json_t *run_text(char *text)
{
	json_t *list = run_texts(&text, 1), *json = json_incref(json_array_get(list, 0));

	json_decref(list);
	return json;
}

/* 0 where it cannot be told: nothing is missed then. */
static json_int_t run_lines_size(const struct run *run)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/processes.jsonl", run->directory.path);
	return stat(path, &st) == 0 ? (json_int_t)st.st_size : 0;
}

/*
 * Numbers of devices and inodes mean the same as long as the kernel runs; absent where it does not tell. Recordings of one are
 * brought to one clock, as the time of day is corrected between them.
 */
static void run_describe_boot(const struct run *run, json_t *json)
{
	char text[64];

	if (!doctor_line("/proc/sys/kernel/random/boot_id", text, sizeof(text)))
		json_object_set_new(json, "boot", run_text(text));
	json_object_set_new(json, "clock", json_integer(run->clock));
}

int run_describe(const struct run *run, char **error)
{
	char cwd[PATH_MAX] = "", id[16];
	size_t words = 0;
	struct utsname host;
	json_t *json;

	while (run->options.command[words])
		words++;
	if (!getcwd(cwd, sizeof(cwd)))
		cwd[0] = '\0';
	uname(&host);
	snprintf(id, sizeof(id), "%08x", run->id);
	json = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I}", "schema", "shmguard-recording/1", "id", id, "version",
			 SHMGUARD_VERSION, "host", run_text(host.nodename), "command",
			 run_texts(run->options.command, words), "cwd", run_text(cwd), "started",
			 (json_int_t)run->started);
	run_describe_boot(run, json);
	if (run->child.pid)
		json_object_set_new(json, "command_pid", json_integer(run->child.pid));
	if (run->child.ended)
		json_object_set_new(json, "command_status", json_integer(run->child.status));
	if (run->ended)
		json_object_set_new(json, "ended", json_integer(run->ended));
	if (run->ended)
		json_object_set_new(json, "stream_bytes",
				    json_integer((json_int_t)trace_files_size(run->directory.trace)));
	if (run->ended)
		json_object_set_new(json, "processes_bytes", json_integer(run_lines_size(run)));
	if (run->options.max_size)
		json_object_set_new(json, "max_size", json_integer((json_int_t)run->options.max_size));
	if (run->options.snapshot)
		json_object_set_new(json, "snapshot_on", json_string("error"));
	if (run->emptied)
		json_object_set_new(json, "trace_kept", json_false());
	if (run->unlooked)
		json_object_set_new(json, "looked_first", json_false());
	if (run->ended && run->oom_kills >= 0)
		json_object_set_new(json, "oom_kills", json_integer(oom_kills() - run->oom_kills));
	if (run->secrets)
		json_object_set(json, "secrets", run->secrets);
	json_object_set_new(json, "turns", json_true());
	json_object_set_new(json, "holds", json_true());
	if (run->problems.gone)
		json_object_set_new(json, "gone", json_integer(run->problems.gone));
	json_object_set_new(json, "problems", run_texts(run->problems.text, run->problems.count));
	return directory_write(&run->directory, "recording.json", json, error);
}
