#include "analyzer/machine_text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"

char *machine_text_size(uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1000)
		return memory_format("%" PRIu64, bytes);
	for (; value >= 999.5 && unit < sizeof(units) - 2; unit++)
		value /= 1024;
	return memory_format(value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

char *machine_text_age(int64_t since, int64_t now)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};
	int64_t seconds = (now - since) / 1000000000;

	if (!since)
		return memory_text("-");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		/* 90 seconds say more than one minute. */
		if (seconds >= 2 * units[i].seconds)
			return memory_format("%" PRId64 "%c", seconds / units[i].seconds, units[i].unit);
	return memory_format("%" PRId64 "s", seconds > 0 ? seconds : 0);
}

char *machine_text_user(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? escape_terminal(user->pw_name) : memory_format("%u", (unsigned)uid);
}

char *machine_text_name(const struct machine_object *object)
{
	bool elsewhere = object->fs && object->fs->through && object->path;

	return escape_terminal(elsewhere ? object->path : object->name);
}

static const char *text_program(const struct machine_process *process)
{
	const char *slash = process->exe ? strrchr(process->exe, '/') : NULL;

	return slash ? slash + 1 : process->comm;
}

char *machine_text_program(const struct machine_process *process)
{
	return escape_terminal(text_program(process));
}

char *machine_text_holders(const struct machine_object *object, size_t most)
{
	char *all = memory_text("");

	for (size_t i = 0; i < object->holder_count && i < most; i++) {
		char *program = machine_text_program(object->holders[i].process);
		char *longer =
			memory_format("%s%s%d %s", all, i ? ", " : "", (int)object->holders[i].process->pid, program);

		free(program);
		free(all);
		all = longer;
	}
	if (object->holder_count > most) {
		char *longer = memory_format("%s, %zu more", all, object->holder_count - most);

		free(all);
		all = longer;
	}
	return all;
}

bool machine_matches(const struct machine_object *object, const char *glob)
{
	return !fnmatch(glob, object->name, 0) || (*object->name == '/' && !fnmatch(glob, object->name + 1, 0)) ||
	       (object->path && !fnmatch(glob, object->path, 0));
}

bool machine_age(const char *text, int64_t *age)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text + digits, units[i].unit))
			return !__builtin_mul_overflow(strtoll(text, NULL, 10), units[i].seconds * 1000000000, age);
	return false;
}

static json_t *json_text(const char *text)
{
	char *safe = text ? escape_utf8(text) : NULL;
	json_t *json = safe ? json_string(safe) : json_null();

	free(safe);
	return json;
}

static json_t *json_number(bool known, uint64_t number)
{
	return known ? json_integer((json_int_t)number) : json_null();
}

static json_t *json_mapping(const struct machine_mapping *mapping)
{
	json_t *json =
		json_pack("{s:I, s:I, s:I, s:s}", "start", (json_int_t)mapping->start, "end", (json_int_t)mapping->end,
			  "offset", (json_int_t)mapping->offset, "protection", mapping->protection);

	if (mapping->measured) {
		json_object_set_new(json, "rss", json_integer((json_int_t)mapping->rss));
		json_object_set_new(json, "pss", json_integer((json_int_t)mapping->pss));
		json_object_set_new(json, "swap", json_integer((json_int_t)mapping->swap));
	}
	return json;
}

static json_t *json_holder(const struct machine_holder *holder)
{
	json_t *mappings = json_array();

	for (size_t i = 0; i < holder->mapping_count; i++)
		json_array_append_new(mappings, json_mapping(&holder->mappings[i]));
	return json_pack("{s:i, s:I, s:o, s:o, s:i, s:o}", "pid", (int)holder->process->pid, "uid",
			 (json_int_t)holder->process->uid, "exe", json_text(holder->process->exe), "comm",
			 json_text(holder->process->comm), "descriptors", (int)holder->descriptors, "mappings",
			 mappings);
}

static json_t *json_findings(const struct machine_object *object)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < object->finding_count; i++)
		json_array_append_new(findings, json_pack("{s:s, s:s, s:s}", "rule", rules[object->findings[i].rule].id,
							  "severity", severity_name(object->findings[i].severity),
							  "message", object->findings[i].message));
	return findings;
}

json_t *machine_json_object(const struct machine_object *object)
{
	json_t *holders = json_array();
	bool known = object->has_status;

	for (size_t i = 0; i < object->holder_count; i++)
		json_array_append_new(holders, json_holder(&object->holders[i]));
	return json_pack(
		"{s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o, "
		"s:i, s:i, s:b, s:o, s:o}",
		"name", json_text(object->name), "kind", machine_kind_names[object->kind], "state",
		machine_state_names[object->state], "path", json_text(object->path), "file_system",
		json_text(object->fs ? object->fs->mount : NULL), "kept", json_text(object->kept), "device",
		(json_int_t)object->device, "inode", (json_int_t)object->inode, "uid", json_number(known, object->uid),
		"gid", json_number(known, object->gid), "mode", json_number(known, object->mode), "links",
		json_number(known, object->links), "size", (json_int_t)object->size, "size_known", (int)known,
		"allocated", json_number(known, object->allocated), "resident",
		json_number(known && object->knows_swapped, object->allocated - object->swapped), "swapped",
		json_number(known && object->knows_swapped, object->swapped), "born",
		json_number(object->born != 0, (uint64_t)object->born), "touched",
		json_number(object->touched != 0, (uint64_t)object->touched), "open", (int)object->open_count, "mapped",
		(int)object->mapped_count, "holders_complete", (int)!object->incomplete, "holders", holders, "findings",
		json_findings(object));
}

json_t *machine_json_seen(const struct machine *machine)
{
	json_t *unseen = json_array();

	for (size_t i = 0; i < machine->unseen_count; i++)
		json_array_append_new(unseen, json_pack("{s:i, s:I, s:o}", "pid", (int)machine->unseen[i].pid, "uid",
							(json_int_t)machine->unseen[i].uid, "comm",
							json_text(machine->unseen[i].comm)));
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:b, s:b, s:I}", "when", (json_int_t)machine->when, "duration",
			 (json_int_t)machine->duration, "processes", (json_int_t)machine->looked, "vanished",
			 (json_int_t)machine->vanished, "unseen", unseen, "hidepid", (int)machine->hidepid,
			 "inner_pid_namespace", (int)machine->inner_pid_namespace, "unseen_directories",
			 (json_int_t)machine->unseen_directories);
}

json_t *machine_json_file_systems(const struct machine *machine)
{
	json_t *all = json_array();

	for (size_t i = 0; i < machine->fs_count; i++) {
		const struct machine_fs *fs = machine->fs[i];

		if (fs->mount && fs->shared)
			json_array_append_new(all, json_pack("{s:o, s:o, s:I, s:o, s:b, s:b, s:o, s:o}", "mount",
							     json_text(fs->mount), "path", json_text(fs->path),
							     "device", (json_int_t)fs->device, "through",
							     json_number(fs->through != 0, (uint64_t)fs->through),
							     "huge", (int)fs->huge, "listed", (int)fs->listed, "size",
							     json_number(fs->size != 0, fs->size), "used",
							     json_number(fs->size != 0, fs->used)));
	}
	return all;
}
