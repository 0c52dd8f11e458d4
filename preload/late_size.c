#include "preload/late_size.h"

#include <stdatomic.h>

#include "preload/check.h"
#include "preload/fault_site.h"
#include "preload/ledger.h"
#include "preload/recorder.h"

enum { OBJECTS = 16 };

static atomic_bool expected;

/* One address in a mapping of each. */
struct marked {
	uint64_t at[OBJECTS];
	uint32_t id[OBJECTS];
	unsigned count;
};

void late_size_expect(void)
{
	atomic_store_explicit(&expected, true, memory_order_relaxed);
}

static void collect(const struct interval *piece, void *context)
{
	struct marked *marked = context;

	for (unsigned i = 0; i < marked->count; i++)
		if (marked->id[i] == piece->object->id)
			return;
	if (!(piece->object->marks & MARK_PAST_END) || marked->count == OBJECTS)
		return;
	marked->at[marked->count] = piece->start;
	marked->id[marked->count++] = piece->object->id;
}

/*
 * As when it was defined: readers of the trace take this event for another definition. The path was looked for only where
 * neither a descriptor nor the name leads to the object.
 */
static const char *name_of(const struct fault_site *site, char text[static 512])
{
	bool called = site->name[0] && site->identity.links && site->identity.kind != KIND_memfd;

	if (site->path[0])
		return site->path;
	return called || site->identity.fd < 0 ? site->name : identity_fd_name(site->identity.fd, text);
}

static void tell(uint64_t address)
{
	struct fault_site site;
	struct object_event e;
	char text[512];

	fault_site_at(&site, address);
	if (!site.found || !site.object)
		return;
	fault_site_refresh(&site, address);
	if (!site.fresh)
		return;
	recorder_head((struct event_head *)&e);
	e.id = site.object;
	e.kind = site.identity.kind;
	e.dev = site.identity.dev;
	e.ino = site.identity.ino;
	e.size = site.identity.size;
	e.mode = site.identity.mode;
	e.uid = site.identity.uid;
	e.gid = site.identity.gid;
	e.name = name_of(&site, text);
	recorder_emit->object(&e);
}

void late_size_tell(uint64_t start, uint64_t length)
{
	struct marked marked = {0};

	if (__builtin_expect(!atomic_load_explicit(&expected, memory_order_relaxed), true) || recorder_silent() ||
	    !recorder_thread.prepared || atomic_load(&recorder_state) != RECORDER_READY)
		return;
	ledger_look(start, length, collect, &marked);
	for (unsigned i = 0; i < marked.count; i++)
		tell(marked.at[i]);
}
