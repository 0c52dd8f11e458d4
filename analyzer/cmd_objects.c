/* shmguard objects: every object at a moment of the recording, and who has it open or mapped where. */
#include "analyzer/cmd_objects.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "analyzer/escape.h"
#include "analyzer/hindsight.h"
#include "analyzer/holders.h"
#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/replay.h"
#include "analyzer/report_text.h"
#include "analyzer/trace_settings.h"

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
	bool cut;                    /* the trace was not read to its end */
	bool blind;                  /* nor was it ahead: which calls were let go is not known */
	int64_t at;                  /* nanoseconds from the start */
	bool newest;                 /* the recording keeps the newest calls alone */
	bool several;                /* there are several recordings */
	int64_t start, let_go_until; /* nanoseconds since 1970; 0: none was let go */
	struct map sizes;            /* (number of an object) -> struct later */
	struct lapse forgotten;      /* that holds the moment, of objects that are not in `sizes` */
};

/* What the end of the recording tells of an object's size at the moment. */
struct later {
	int64_t let_go_until; /* of its recording */
	bool knows;
	uint64_t size;
	struct lapse lapse; /* that holds the moment */
};

/* What was found after the trace's end says nothing of a moment before. */
static bool scene_is_vanished(const struct scene *scene, const struct object *object)
{
	return !scene->has_at && !scene->cut && object_is_vanished(object);
}

/* Of the object's recording. */
static int64_t scene_let_go_until(const struct scene *scene, const struct object *object)
{
	const struct later *later = map_get(&scene->sizes, object->number, 0);

	if (scene->blind)
		return INT64_MAX;
	return later ? later->let_go_until : scene->let_go_until;
}

static const char *scene_name_state(const struct scene *scene, const struct object *object, const struct name *name)
{
	if (name->until)
		return " (removed)";
	if (scene_is_vanished(scene, object))
		return " (gone, removed by nobody in the recording)";
	return name->seen < scene_let_go_until(scene, object) ? " (not known whether still)" : "";
}

static void scene_names(const struct scene *scene, const struct object *object)
{
	size_t i;

	for (i = 0; i < object->name_count; i++) {
		char *name = escape_terminal(object->names[i].text);

		printf("%s%s%s", i ? ", " : "", name, scene_name_state(scene, object, &object->names[i]));
		free(name);
	}
	if (!object->name_count)
		fputs("(no name)", stdout);
}

/* What is said of what was made before some calls were let go, of which one may have ended it. */
static const char *scene_doubt(const struct scene *scene, const struct object *object, int64_t made)
{
	return made < scene_let_go_until(scene, object) ? ", not known whether still" : "";
}

/* To be freed. A semaphore has no range, but an address, and all of it is mapped: how much, only its definition tells. */
static char *scene_range(const struct object *object, const struct piece *piece)
{
	bool whole = piece->from->semaphore;

	if (whole && !object->sized)
		return memory_text("it, how much is not known,");
	return memory_format("[%" PRIu64 ", %" PRIu64 ")", whole ? 0 : piece->start - piece->from->base,
			     whole ? object->size : piece->end - piece->from->base);
}

static void scene_holder(const struct scene *scene, const struct holder *holder, const char *who)
{
	const struct object *object = holder->object;
	const struct piece *piece = holder->piece;
	char *range;

	if (piece == NULL) {
		printf("    process %s: descriptor %d%s\n", who, holder->descriptor->fd,
		       scene_doubt(scene, object, holder->descriptor->site.time));
		return;
	}
	range = scene_range(object, piece);
	printf("    process %s: maps %s at 0x%" PRIx64 "%s\n", who, range, piece->start,
	       scene_doubt(scene, object, piece->from->site.time));
	free(range);
}

static bool scene_is_there(const struct scene *scene, const struct object *object)
{
	bool named = object->kind != KIND_memfd && object_has_name(object) && !scene_is_vanished(scene, object);

	return named || object->mappers || object->openers;
}

/* Has a name and no user, by its definition alone. */
static bool scene_is_hearsay(const struct object *object)
{
	return object_is_hearsay(object) && !object->mappers && !object->openers;
}

/* Whole microseconds, as in the log. */
static double scene_seconds(const struct scene *scene, int64_t time)
{
	int64_t microseconds = (time - scene->start) / 1000;

	return microseconds > 0 ? (double)microseconds / 1e6 : 0;
}

/* As far as it is known, to be freed. */
static char *scene_size(const struct scene *scene, const struct object *object)
{
	const struct later *later = map_get(&scene->sizes, object->number, 0);
	bool knows = later && later->knows;
	const struct lapse *lapse = later ? &later->lapse : &scene->forgotten;
	bool doubted = lapse->until && hindsight_counts(lapse, object);
	uint64_t size = knows && !doubted ? later->size : object->size;
	char *short_size = text_bytes(size), *text, *all;

	text = memory_format("%s (%" PRIu64 " byte%s)", short_size, size, size == 1 ? "" : "s");
	free(short_size);
	if (scene->has_at ? !doubted && (knows || (object->sized && object->sized >= scene_let_go_until(scene, object)))
			  : !object->unsized)
		return text;
	all = object->sized ? memory_format("%s at %.6f s, its size since then not known", text,
					    scene_seconds(scene, object->sized))
			    : memory_text("size not known");
	free(text);
	return all;
}

/* What its definition tells; to be freed. */
static char *scene_attributes(const struct object *object)
{
	if (!object->defined)
		return memory_text("mode, owner, device and inode not known");
	return memory_format("mode %04o, uid %u, device %u:%u inode %" PRIu64, object->mode & 07777,
			     (unsigned)object->uid, major((dev_t)object->dev), minor((dev_t)object->dev), object->ino);
}

static void scene_object(const struct scene *scene, const struct holders *holders, const struct object *object)
{
	const char *kind = object_kind(object);
	char *attributes = scene_attributes(object), *size = scene_size(scene, object);
	size_t count;
	const struct holder *held = holders_of(holders, object, &count);

	scene_names(scene, object);
	printf("\n  %s, %s, %s\n", kind ? kind : "kind not known", size, attributes);
	if (scene->several && object->recording) {
		char *where = text_where(object);

		printf("  recorded in %s\n", where);
		free(where);
	}
	for (size_t i = 0; i < count; i++) {
		char *who = text_process(held[i].process);

		scene_holder(scene, &held[i], who);
		free(who);
	}
	free(attributes);
	free(size);
}

static void scene_learn_let_go(struct scene *scene, const struct world *world)
{
	for (size_t i = 0; i < world->process_count; i++) {
		const struct process *process = world->processes[i];

		if (process->let_go && process->whole_from > scene->let_go_until)
			scene->let_go_until = process->whole_from;
	}
}

static struct later scene_later(const struct object *object, int64_t at, int64_t let_go_until)
{
	const struct lapse *lapse = hindsight_lapse(object, at, INT64_MIN, let_go_until);
	struct later later = {.let_go_until = let_go_until};

	later.knows = let_go_until && at >= let_go_until && hindsight_before(object, at, let_go_until, &later.size);
	if (lapse)
		later.lapse = *lapse;
	return later;
}

/* The world at its end: from when on the calls are whole, and of what size objects must have been at the moment. */
static void scene_look_ahead(void *context, struct world *world)
{
	struct scene *scene = context;
	int64_t at = scene->start + scene->at, let_go_until = 0;
	const struct recording *recording = NULL;

	if (scene->blind)
		return;
	scene_learn_let_go(scene, world);
	if (at > world->forgotten.from && at <= world->forgotten.until)
		scene->forgotten = world->forgotten;
	for (size_t i = 0; i < world->object_count; i++) {
		const struct object *object = world->objects[i];
		struct later later, *kept;

		if (object->recording != recording)
			let_go_until = object_let_go_until(world, object->recording);
		recording = object->recording;
		later = scene_later(object, at, let_go_until);
		if (!scene->let_go_until && !scene->forgotten.until && !later.lapse.until)
			continue;
		kept = memory_new(1, sizeof(*kept));
		*kept = later;
		map_put(&scene->sizes, object->number, 0, kept);
	}
}

static void scene_tell_let_go(const struct scene *scene)
{
	double until = scene_seconds(scene, scene->let_go_until);

	if (scene->blind)
		puts("not known: what else there was then, and who had it open or mapped, as it is not known which "
		     "calls were let go");
	if (scene->let_go_until == 0)
		return;
	if (scene->has_at && scene->start + scene->at < scene->let_go_until)
		printf("not known: what else there was then, and who had it open or mapped, as calls up to %.6f s were "
		       "let "
		       "go\n",
		       until);
	else
		printf("not known: what older calls had opened, mapped or changed, as some up to %.6f s were let go\n",
		       until);
}

static void scene_finish(void *context, struct world *world)
{
	struct scene *scene = context;
	struct holders holders = holders_collect(world);
	size_t shown = 0, unknown = 0, i;

	if (!scene->has_at)
		scene_learn_let_go(scene, world);
	for (i = 0; i < world->object_count; i++) {
		const struct object *object = world->objects[i];

		if (object->same || !selection_has_object(&scene->selection, object) ||
		    (!scene->all && !scene_is_there(scene, object)))
			continue;
		if (scene_is_hearsay(object)) {
			unknown++;
			continue;
		}
		scene_object(scene, &holders, object);
		shown++;
	}
	holders_free(&holders);
	if (!shown)
		puts("no object");
	if (unknown)
		printf("not known: whether %zu more exist%s, as the calls on %s were let go\n", unknown,
		       unknown == 1 ? "s" : "", unknown == 1 ? "it" : "them");
	scene_tell_let_go(scene);
}

static void scene_cut(void *context, const struct trace_totals *totals)
{
	struct scene *scene = context;

	(void)totals;
	scene->cut = true;
}

static int scene_complain(char *error)
{
	char *safe = escape_terminal(error);

	fprintf(stderr, "shmguard: %s\n", safe);
	free(safe);
	free(error);
	return REPORT_UNREADABLE;
}

static void scene_cut_ahead(void *context, const struct trace_totals *totals)
{
	struct scene *scene = context;

	/* Else what later calls tell is only more. */
	scene->blind = scene->newest;
	scene_complain(memory_format("the reading of the trace for what came later ended early: %s", totals->cut));
}

static void scene_forget(struct scene *scene)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&scene->sizes, &cursor));)
		free(slot->value);
	map_clear(&scene->sizes);
}

static int scene_print(struct scene *scene, const char *dir)
{
	const struct replay again = {.context = scene,
				     .cut = scene_cut,
				     .finish = scene_finish,
				     .stands = true,
				     .tell = true,
				     .has_until = scene->has_at,
				     .until = scene->at};
	const struct replay ahead = {.context = scene, .cut = scene_cut_ahead, .finish = scene_look_ahead};
	struct recording *recording;
	char *error = NULL;
	int r = 0;

	recording = recording_read(dir, &error);
	if (!recording)
		return scene_complain(error);
	scene->several = recording_is_several(recording);
	scene->start = recording->started;
	scene->newest = recording->newest;
	if (scene->has_at)
		r = replay_of(recording, &ahead, &error);
	if (r == 0)
		r = replay_of(recording, &again, &error);
	scene_forget(scene);
	recording_free(recording);
	return r ? scene_complain(error) : REPORT_DONE;
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
		if (option == OPTION_at && selection_take_until(&scene.has_at, &scene.at, optarg) < 0)
			return options_usage(&objects_option_table, REPORT_USAGE);
	}
	if (argc - optind != 1) {
		fputs("shmguard: objects takes one directory\n", stderr);
		return options_usage(&objects_option_table, REPORT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	return scene_print(&scene, argv[optind]);
}
