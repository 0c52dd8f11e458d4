#include "analyzer/refused.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

/* So many places are named. */
enum { PLACES_MAX = 10 };

struct place {
	const struct machine_fs *fs;
	const char *directory; /* of the first object's name, `length` bytes; other file systems are one place each */
	size_t length;
	size_t count;
	uint64_t bytes;
};

static size_t directory_of(const char *name)
{
	return (size_t)(strrchr(name, '/') - name);
}

bool refused_lies(const struct machine_object *object, const char *below)
{
	size_t length = below ? strlen(below) : 0;

	return object->fs && object->fs->is_shm && !object->fs->through && object->path && *object->name == '/' &&
	       directory_of(object->name) == length && !strncmp(object->name, below ? below : "", length);
}

static bool is_at(const struct place *place, const struct machine_object *object, size_t length)
{
	return place->fs == object->fs &&
	       (!object->fs->is_shm || object->fs->through ||
		(place->length == length && !strncmp(place->directory, object->name, length)));
}

static struct place *place_of(struct place **places, size_t *count, const struct machine_object *object)
{
	size_t length = directory_of(object->name);

	/* They come by file system, then name. */
	for (size_t i = *count; i > 0; i--)
		if (is_at(&(*places)[i - 1], object, length))
			return &(*places)[i - 1];
	*places = memory_grow(*places, *count, sizeof(**places));
	(*places)[*count] = (struct place){.fs = object->fs, .directory = object->name, .length = length};
	return &(*places)[(*count)++];
}

static char *words_of(const struct place *place)
{
	char *size = machine_text_size(place->bytes),
	     *path = memory_format("%.*s", (int)place->length, place->directory);
	char *safe = escape_terminal(place->fs->is_shm ? path : place->fs->mount), *line;
	const char *files = place->count == 1 ? "file" : "files";

	if (place->fs->through)
		line = memory_format("does not remove %zu %s, %s, of %s in the mount namespace of process %d: "
				     "`nsenter -m -t %d shmguard clean` does",
				     place->count, files, size, place->fs->mount, (int)place->fs->through,
				     (int)place->fs->through);
	else if (place->fs->is_shm && place->length == 0)
		line = memory_format("does not remove %zu %s, %s, on the top of /dev/shm: --below leaves those out",
				     place->count, files, size);
	else if (place->fs->is_shm)
		line = memory_format(
			"does not remove %zu %s, %s, in the directory /dev/shm%s: a program's files may be "
			"wanted without being held; --below='%s' takes them",
			place->count, files, size, safe, safe);
	else
		line = memory_format("does not remove %zu %s, %s, on %s: nothing there tells shared memory from other "
				     "files; see `shmguard ls '%s/*'`, and rm",
				     place->count, files, size, safe, safe);
	free(safe);
	free(path);
	free(size);
	return line;
}

void refused_tell(const struct machine *machine, const char *below,
		  bool (*takes)(const void *context, const struct machine_object *object), const void *context,
		  const struct terminal *terminal)
{
	struct place *places = NULL;
	size_t count = 0;

	for (size_t i = 0; i < machine->count; i++) {
		const struct machine_object *object = machine->objects[i];
		struct place *place;

		if (!object->fs || !object->fs->mount || !object->path || *object->name != '/' ||
		    object->holder_count || refused_lies(object, below) || !takes(context, object))
			continue;
		place = place_of(&places, &count, object);
		place->count++;
		place->bytes += object->allocated;
	}
	for (size_t i = 0; i < count && i < PLACES_MAX; i++) {
		char *line = words_of(&places[i]);

		terminal_paragraph(terminal, INK_faint, line, 0, 2);
		free(line);
	}
	if (count > PLACES_MAX)
		printf("... and in %zu more places\n", count - PLACES_MAX);
	free(places);
}
