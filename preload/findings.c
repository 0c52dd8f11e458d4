#include "preload/findings.h"

#include "preload/check.h"
#include "preload/fault_site.h"
#include "preload/ledger.h"
#include "preload/note.h"
#include "preload/process.h"
#include "preload/recorder.h"

/* What the check that is running was called for. */
static __thread struct {
	struct event_head head;
	uint32_t object;
	const struct identity *identity;
} looking;

void check_found(const struct check_finding *finding)
{
	struct finding_event e = {.rule = (uint16_t)finding->rule,
				  .severity = (uint8_t)finding->severity,
				  .of = looking.head.seq,
				  .object = looking.object,
				  .offset = finding->offset,
				  .length = finding->length,
				  .size = finding->size,
				  .limit = finding->limit,
				  .other = finding->other,
				  .error = finding->error};

	recorder_head((struct event_head *)&e);
	e.stack = looking.head.stack;
	recorder_emit->finding(&e);
	if (finding->severity < SEVERITY_ERROR)
		return;
	const struct identity *identity = looking.identity;
	note_write(NOTE_finding,
		   &(struct note_content){.error = finding->error,
					  .found = {.rule = finding->rule,
						    .severity = finding->severity,
						    .offset = finding->offset,
						    .length = finding->length,
						    .size = finding->size,
						    .limit = finding->limit,
						    .dev = identity ? identity->dev : 0,
						    .ino = identity ? identity->ino : 0,
						    .other = finding->other},
					  .text = {identity && identity->name ? identity->name : "", process_exe()}});
}

uint64_t check_mapped_end(const struct identity *identity)
{
	return ledger_mapped_end(identity);
}

static void look_at_resize(uint32_t set, uint32_t marks, const struct identity *identity)
{
	uint32_t clear = set & MARK_RESIZE_FAILED ? 0 : MARK_RESIZE_FAILED;

	if ((marks & clear) || (set & ~marks))
		ledger_mark(identity, set, clear);
}

static void look_at_created(bool created, const struct identity *identity)
{
	if (created && identity)
		ledger_mark(identity, MARK_CREATED, 0);
}

/* mremap(2) has no descriptor: the object is asked for at the address where its mapping now is. */
static void look_at_remapped(const struct mremapped_event *e)
{
	struct fault_site site;

	if (e->error)
		return;
	fault_site_find(&site, e->result, 0, false);
	if (!site.found)
		return;
	fault_site_refresh(&site, e->result);
	looking.object = site.object;
	site.identity.name = site.name;
	looking.identity = &site.identity;
	if (site.fresh)
		check_remapped(&site.identity, site.offset, site.end - site.start);
	looking.identity = NULL;
}

void findings_look(enum event_id id, const union any_event *event, uint32_t object, const struct identity *identity,
		   uint32_t marks)
{
	uint32_t set;

	looking.head = event->head;
	looking.object = object;
	looking.identity = identity;
	switch (id) {
	case EVENT_mmap:
		if (identity && (set = check_mmap(&event->mmap, identity, marks)) & ~marks)
			ledger_mark(identity, set, 0);
		break;
	case EVENT_ftruncate:
		if (identity)
			look_at_resize(check_ftruncate(&event->ftruncate, identity, marks), marks, identity);
		break;
	case EVENT_fallocate:
		if (identity)
			look_at_resize(check_fallocate(&event->fallocate, identity, marks), marks, identity);
		break;
	case EVENT_shm_open:
		check_opened(event->shm_open.flags, event->shm_open.size_before, event->shm_open.created,
			     event->shm_open.error);
		look_at_created(event->shm_open.created, identity);
		break;
	case EVENT_open:
		check_opened(event->open.flags, event->open.size_before, event->open.created, event->open.error);
		look_at_created(event->open.created, identity);
		break;
	case EVENT_memfd_create:
		look_at_created(true, identity);
		break;
	case EVENT_mremapped:
		look_at_remapped(&event->mremapped);
		break;
	case EVENT_madvise:
		looking.object = event->madvise.object;
		check_madvise(&event->madvise, ledger_mapped_marks(event->madvise.addr));
		break;
	case EVENT_mlock:
		looking.object = event->mlock.object;
		check_mlock(&event->mlock);
		break;
	default:
		break;
	}
}
