/* A directory is renamed: what lies below it has other names by that. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world_names_inner.h"

/* What of the text lies below the directory, from its slash on; NULL: that is elsewhere. */
static const char *part_below(const char *text, const char *path)
{
	size_t length = strlen(path);

	return strncmp(text, path, length) == 0 && text[length] == '/' ? text + length : NULL;
}

static char *directory_text(const char *name)
{
	char *text = name_canonical(name, false);

	for (size_t length = strlen(text); length > 1 && text[length - 1] == '/'; length--)
		text[length - 1] = 0;
	return text;
}

/* Names that objects are to have once every old one is over: by RENAME_EXCHANGE one may have been another's. */
struct namings {
	struct naming {
		struct object *object;
		char *text;
	} * all;
	size_t count;
};

/* Also of what no name_state is of, as the object came open over an exec or by a socket. */
static void take_below(struct world *world, struct process *process, struct object *object, const char *from,
		       const char *to, const struct site *site, struct namings *namings)
{
	const struct site unlinked = object->unlinked;

	for (size_t i = 0; i < object->name_count; i++) {
		const struct name *name = &object->names[i];
		const char *part = name->until ? NULL : part_below(name->text, from);

		if (part == NULL)
			continue;
		namings->all = memory_grow(namings->all, namings->count, sizeof(*namings->all));
		namings->all[namings->count++] = (struct naming){object, memory_format("%s%s", to, part)};
		free(names_unlink(world, process, name->text, false, object, site).text);
	}
	object->unlinked = unlinked;
}

void names_directory_renamed(struct world *world, struct process *process, const char *from, const char *to,
			     bool exchanged, const struct site *site)
{
	char *old = directory_text(from), *new = directory_text(to);
	struct namings namings = {0};

	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];

		if (!recording_shares(object->recording, process->recording))
			continue;
		take_below(world, process, object, old, new, site, &namings);
		if (exchanged)
			take_below(world, process, object, new, old, site, &namings);
	}
	for (size_t i = 0; i < namings.count; i++) {
		names_link(world, namings.all[i].text, namings.all[i].object, site);
		free(namings.all[i].text);
	}
	free(namings.all);
	free(old);
	free(new);
}
