/* The policy on how many objects a process may have. */
#include "preload/enforce_inner.h"
#include "preload/ledger.h"
#include "preload/names.h"

bool enforce_is_own(const struct identity *identity)
{
	return (ledger_marks(identity) & (MARK_CREATED | MARK_INHERITED)) == MARK_CREATED;
}

struct naming {
	const struct policy_list *names;
	bool found;
};

static void look_at_name(const char *name, void *context)
{
	struct naming *naming = context;
	naming->found = naming->found || policy_match(naming->names, enforce_posix_name(name));
}

/* Is that name, or another that the object has, one of the list? */
static bool is_called(const struct identity *identity, const char *name, const struct policy_list *names)
{
	struct naming naming = {.names = names};

	if (name)
		look_at_name(name, &naming);
	if (!naming.found && identity->links > 1)
		names_each(identity, look_at_name, &naming);
	return naming.found;
}

/*
 * How many of the objects that this process made, and that have a name of the list (NULL: any), still have it: another
 * process may have removed it, of which nobody tells.
 */
static uint64_t alive(const struct policy_list *names)
{
	struct object object;
	char path[512];
	uint64_t counted = ledger_created(), found = 0;
	bool sees = identity_sees_home();

	if (!sees && !names)
		return counted;
	for (unsigned i = 0; ledger_object_at(i, &object); i++) {
		struct identity now = {.dev = object.dev, .ino = object.ino};
		found += (object.marks & MARK_CREATED) && enforce_is_own(&now) && enforce_known_path(&object, path) &&
			 (!sees || (identity_of_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &now) &&
				    now.ino == object.ino && now.dev == object.dev)) &&
			 (!names || is_called(&now, path, names));
	}
	return found < counted ? found : counted;
}

enum enforce_verdict enforce_one_more(const struct policy_decision *d)
{
	if (ledger_created() < d->max_objects)
		return VERDICT_go;
	uint64_t count = alive(NULL);
	ledger_count_created((int)count - (int)ledger_created());
	if (d->counted && count >= d->max_objects)
		count = alive(d->counted);
	return count < d->max_objects ? VERDICT_go
				      : ENFORCE(d, too_many_objects, .size = count, .limit = d->max_objects);
}

enum enforce_verdict enforce_one_named(const struct policy_decision *d, const struct identity *identity,
				       const char *name)
{
	if (d->max_objects == UINT64_MAX || !d->counted || !enforce_is_own(identity) ||
	    is_called(identity, name, d->counted))
		return VERDICT_go;
	return enforce_one_more(d);
}
