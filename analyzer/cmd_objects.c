/* shmguard objects: every object at a moment of the recording, and who has it open or mapped where. */
#include "analyzer/cmd_objects.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/replay.h"
#include "analyzer/report_text.h"
#include "analyzer/trace_settings.h"
#include "analyzer/world_holdings.h"

enum { OPTION_at = 0x100, OPTION_all };

static const struct option_row rows[] = {
	{"at", OPTION_at, "TIME",
	 "then: seconds after the start; without it at the end\nOf several recordings it is the start of the first."},
	{"all", OPTION_all, NULL, "those as well that have no name and no user any more"},
	{"object", OPTION_object, "GLOB", "only objects of which a name matches"},
	TRACE_ROWS,
	{NULL, 0, NULL, NULL},
};

const struct option_table objects_option_table = {
	"objects", "DIR",
	"Print every object at a moment of the recording in DIR: size, mode, names, who has it open or mapped.", rows,
	"Exit status: 0 done; 2 wrong usage; 3 DIR could not be read or the output not written."};

struct scene {
	struct selection selection;
	bool all, has_at;
	int64_t at;   /* nanoseconds from the start */
	size_t parts; /* recordings */
};

static void scene_names(const struct object *object)
{
	size_t i;

	for (i = 0; i < object->name_count; i++) {
		char *name = escape_terminal(object->names[i].text);

		printf("%s%s%s", i ? ", " : "", name, object->names[i].until ? " (removed)" : "");
		free(name);
	}
	if (!object->name_count)
		fputs("(no name)", stdout);
}

static void scene_descriptors(const struct process *process, const struct object *object, const char *who)
{
	struct map_slot *slot;
	size_t cursor = 0;

	while ((slot = map_next(&process->holdings->descriptors, &cursor))) {
		const struct descriptor *descriptor = slot->value;

		if (descriptor->object == object)
			printf("    process %s: descriptor %d\n", who, descriptor->fd);
	}
}

static void scene_mappings(const struct process *process, const struct object *object, const char *who)
{
	const struct holdings *holdings = process->holdings;
	size_t i;

	for (i = holdings->piece_count; i-- > 0;) {
		const struct piece *piece = &holdings->pieces[i];

		if (piece->from->object != object)
			continue;
		printf("    process %s: maps [%" PRIu64 ", %" PRIu64 ") at 0x%" PRIx64 "\n", who,
		       piece->start - piece->from->base, piece->end - piece->from->base, piece->start);
	}
}

static bool scene_is_there(const struct object *object)
{
	size_t i;

	for (i = 0; i < object->name_count; i++)
		if (!object->names[i].until && object->kind != KIND_memfd)
			return true;
	return object->mappers || object->openers;
}

/* Has a name and no user, by its definition alone. */
static bool scene_is_hearsay(const struct object *object)
{
	return object_is_hearsay(object) && !object->mappers && !object->openers;
}

static void scene_object(const struct scene *scene, const struct world *world, const struct object *object)
{
	static const char *const kinds[] = {
#define KIND_WORD(name) [KIND_##name] = #name,
		KINDS(KIND_WORD)
#undef KIND_WORD
	};
	char *size = text_bytes(object->size);
	size_t i;

	scene_names(object);
	printf("\n  %s, %s (%" PRIu64 " byte%s), mode %04o, uid %u, device %u:%u inode %" PRIu64 "\n",
	       kinds[object->kind], size, object->size, object->size == 1 ? "" : "s", object->mode & 07777,
	       (unsigned)object->uid, major((dev_t)object->dev), minor((dev_t)object->dev), object->ino);
	if (scene->parts > 1 && object->recording) {
		char *where = escape_terminal(object->recording->dir);

		printf("  recorded in %s\n", where);
		free(where);
	}
	for (i = 0; i < world->process_count; i++) {
		char *who = text_process(world->processes[i]);

		scene_descriptors(world->processes[i], object, who);
		scene_mappings(world->processes[i], object, who);
		free(who);
	}
	free(size);
}

static void scene_finish(void *context, struct world *world)
{
	const struct scene *scene = context;
	size_t shown = 0, unknown = 0, i;

	for (i = 0; i < world->object_count; i++) {
		const struct object *object = world->objects[i];

		if (object->same || !selection_has_object(&scene->selection, object) ||
		    (!scene->all && !scene_is_there(object)))
			continue;
		if (scene_is_hearsay(object)) {
			unknown++;
			continue;
		}
		scene_object(scene, world, object);
		shown++;
	}
	if (!shown)
		puts("no object");
	if (unknown)
		printf("not known: whether %zu more exist%s, as the calls on %s were let go\n", unknown,
		       unknown == 1 ? "s" : "", unknown == 1 ? "it" : "them");
}

static int scene_complain(char *error)
{
	char *safe = escape_terminal(error);

	fprintf(stderr, "shmguard: %s\n", safe);
	free(safe);
	free(error);
	return REPORT_UNREADABLE;
}

static int scene_print(struct scene *scene, const char *dir)
{
	const struct replay again = {
		.context = scene, .finish = scene_finish, .tell = true, .has_until = scene->has_at, .until = scene->at};
	struct recording *recording;
	char *error = NULL;

	recording = recording_read(dir, &error);
	if (!recording)
		return scene_complain(error);
	scene->parts = recording->part_count;
	recording_free(recording);
	if (replay(dir, &again, &error))
		return scene_complain(error);
	return REPORT_DONE;
}

int cmd_objects(int argc, char **argv)
{
	struct scene scene = {0};
	int option;

	optind = 0;
	while ((option = options_next(&objects_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return REPORT_DONE;
		if (option == OPTIONS_BAD)
			return REPORT_USAGE;
		scene.all |= option == OPTION_all;
		if (selection_take(&scene.selection, option, optarg) < 0 || trace_settings_take(option, optarg) < 0)
			return options_usage(&objects_option_table, REPORT_USAGE);
		if (option == OPTION_at && selection_take_time(&scene.has_at, &scene.at, optarg) < 0)
			return options_usage(&objects_option_table, REPORT_USAGE);
	}
	if (argc - optind != 1) {
		fputs("shmguard: objects takes one directory\n", stderr);
		return options_usage(&objects_option_table, REPORT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	return scene_print(&scene, argv[optind]);
}
