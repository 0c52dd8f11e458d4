/* weak-mount and stale-at-start: the state of /dev/shm before the program started. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "memory.h"

/* Of the file system: what lies about from before is worth a word from a tenth on. */
#define SHARE 10
#define NAMES 3

/* Where nothing is done in /dev/shm its options are nobody's concern. */
static bool uses_shm(const struct court *court, const struct recording *recording)
{
	for (size_t i = 0; i < court->world->object_count; i++)
		if (court->world->objects[i]->kind != KIND_memfd &&
		    recording_shares(court->world->objects[i]->recording, recording))
			return true;
	return false;
}

/* Of several recordings: which. */
static char *whose(const struct court *court, const struct recording *recording)
{
	return court->recording->part_count < 2
		       ? memory_text("")
		       : memory_format("%s, recorded in %s: ", recording->host ? recording->host : "a machine",
				       recording->dir);
}

static void weak_mount(struct court *court, const struct recording *recording)
{
	const struct shm_mount *mount = &recording->mount;
	struct finding finding = {
		.rule = RULE_weak_mount, .severity = SEVERITY_NOTE, .time = recording->started, .recording = recording};
	bool weak = !mount->nosuid || !mount->nodev || !mount->noexec, odd = mount->mode != 01777 || mount->uid != 0;
	char *root, *where;

	if (!mount->known || (!weak && !odd) || !uses_shm(court, recording))
		return;
	root = odd ? memory_format(" a directory of uid %u with mode %04o, not of root with 1777",
				   (unsigned int)mount->uid, (unsigned int)mount->mode)
		   : memory_text("");
	where = whose(court, recording);
	finding.message = memory_format("%s/dev/shm is%s%s%s%s%s%s", where, weak ? " mounted without" : "",
					mount->nosuid ? "" : " nosuid", mount->nodev ? "" : " nodev",
					mount->noexec ? "" : " noexec", weak && odd ? ";" : "", root);
	court_find(court, &finding, NULL, 0);
	free(where);
	free(root);
}

static char *add_name(char *names, const char *name, size_t nth)
{
	char *longer = memory_format("%s%s%s", names,
				     nth == 0       ? ""
				     : nth == NAMES ? ", ..."
						    : ", ",
				     nth < NAMES ? name : "");

	free(names);
	return longer;
}

static void stale_at_start(struct court *court, const struct recording *recording)
{
	struct finding finding = {.rule = RULE_stale_at_start,
				  .severity = SEVERITY_WARNING,
				  .time = recording->started,
				  .recording = recording};
	char *names = memory_text(""), *bytes, *whole, *where;
	size_t count = 0;

	for (size_t i = 0; i < recording->before_count; i++) {
		const struct leftover *object = &recording->before[i];

		if (object->uid != recording->user || object->holder_count)
			continue;
		finding.bytes += object->blocks;
		finding.uncertain |= !object->holders_complete;
		if (count <= NAMES)
			names = add_name(names, object->name, count);
		count++;
	}
	if (recording->mount.size && finding.bytes >= recording->mount.size / SHARE) {
		bytes = judge_bytes(finding.bytes);
		whole = judge_bytes(recording->mount.size);
		where = whose(court, recording);
		finding.message = memory_format(
			"%s%zu object%s of uid %u that no process had open took up %s of the %s "
			"of /dev/shm before the program started: %s",
			where, count, count == 1 ? "" : "s", (unsigned int)recording->user, bytes, whole, names);
		court_find(court, &finding, NULL, 0);
		free(bytes);
		free(whole);
		free(where);
	}
	free(names);
}

static void start_finish(struct court *court)
{
	const struct recording *recording;

	for (size_t i = 0; (recording = recording_each(court->recording, i)); i++) {
		weak_mount(court, recording);
		stale_at_start(court, recording);
	}
}

const struct judge judge_start = {.finish = start_finish};
