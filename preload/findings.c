#include "preload/findings.h"

#include <string.h>
#include <sys/mman.h>

#include "preload/audit.h"
#include "preload/check.h"
#include "preload/enforce.h"
#include "preload/facts_files.h"
#include "preload/fault_site.h"
#include "preload/findings_named.h"
#include "preload/late_size.h"
#include "preload/ledger.h"
#include "preload/note.h"
#include "preload/page.h"
#include "preload/process.h"
#include "preload/recorder.h"

/* What the check that is running was called for. */
static __thread struct {
	struct event_head head;
	uint32_t object;
	const struct identity *identity;
	const void *caller;
	const char *name; /* as the call gave it, or NULL */
	uint64_t address; /* likewise, or 0 */
	enum event_id id;
} looking;

static int16_t error_of(const struct check_finding *finding)
{
	return finding->error ? finding->error : finding->unseen;
}

static void tell_live(const struct check_finding *finding, enum response response)
{
	const struct identity *identity = looking.identity;
	char known[OBJECT_NAME_SIZE] = "";

	if (identity && !looking.name && !identity->name)
		ledger_name(identity, known);
	note_write(NOTE_finding, &(struct note_content){.error = error_of(finding),
							.found = {.rule = finding->rule,
								  .severity = finding->severity,
								  .offset = finding->offset,
								  .length = finding->length,
								  .size = finding->size,
								  .limit = finding->limit,
								  .dev = identity ? identity->dev : finding->dev,
								  .ino = identity ? identity->ino : finding->ino,
								  .kind = identity ? ledger_kind(identity) : KIND_shm,
								  .other = finding->other,
								  .response = response},
							.text = {looking.name                 ? looking.name
								 : identity && identity->name ? identity->name
											      : known,
								 process_exe()}});
}

static void record(const struct check_finding *finding, enum response response, uint32_t object)
{
	struct finding_event e = {.rule = (uint16_t)finding->rule,
				  .severity = (uint8_t)finding->severity,
				  .response = (uint8_t)response,
				  .of = looking.head.seq,
				  .object = object ? object : looking.object,
				  .offset = finding->offset,
				  .length = finding->length,
				  .size = finding->size,
				  .limit = finding->limit,
				  .other = finding->other,
				  .error = error_of(finding),
				  .name = looking.name ? looking.name : ""};

	recorder_head((struct event_head *)&e);
	e.stack = looking.head.stack;
	recorder_emit->finding(&e);
	/* Whether others map what O_TRUNC has emptied, which makes that an error, `run` looks after. */
	if ((finding->severity >= SEVERITY_ERROR || finding->rule == RULE_truncate_on_open) &&
	    enforce_action(looking.identity, finding->rule) != ACTION_note)
		tell_live(finding, response);
}

/* Whether anybody used the object, which makes it none, the analyzer decides: see check_lifetime.c. */
static bool is_for_the_trace(enum rule_id rule)
{
	return rule == RULE_stale_bytes || rule == RULE_stale_reattach;
}

static void audit(const struct check_finding *finding)
{
	char name[OBJECT_NAME_SIZE];

	audit_line(
		&(struct audit_decision){.rule = finding->rule,
					 .response = RESPONSE_recorded,
					 .error = finding->error,
					 .doubtful = is_for_the_trace(finding->rule),
					 .caller = looking.caller},
		findings_audited_name(
			&(struct findings_place){looking.id, looking.identity, looking.name, looking.address}, name));
}

bool check_found(const struct check_finding *finding)
{
	if (enforce_collects(finding))
		return false;
	if (enforce_has(finding->rule))
		return true;
	enum policy_action action = enforce_action(looking.identity, finding->rule);
	if (action == ACTION_off)
		return false;
	record(finding, RESPONSE_recorded, looking.object);
	/* What the policy asked about was looked at, and is used or too young. */
	if (action == ACTION_warn || (action > ACTION_warn && !is_for_the_trace(finding->rule)))
		audit(finding);
	return true;
}

uint64_t check_mapped_end(const struct identity *identity)
{
	return ledger_mapped_end(identity);
}

bool check_foreign(const struct identity *identity)
{
	return enforce_foreign(identity, facts_stranger(identity->uid));
}

bool check_made(const char *path)
{
	struct identity identity;

	return identity_of_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &identity) &&
	       (ledger_marks(&identity) & MARK_CREATED);
}

static void mark(const struct identity *identity, uint32_t marks, uint32_t set)
{
	if (set & MARK_PAST_END)
		late_size_expect();
	if (set & ~marks)
		ledger_mark(identity, set, 0);
}

static void look_at_resize(uint32_t set, uint32_t marks, const struct identity *identity)
{
	uint32_t clear = set & MARK_RESIZE_FAILED ? 0 : MARK_RESIZE_FAILED;

	if ((marks & clear) || (set & ~marks))
		ledger_mark(identity, set, clear);
}

static void look_at_created(bool created, const struct identity *identity)
{
	if (!created || !identity)
		return;
	ledger_mark(identity, MARK_CREATED, MARK_INHERITED);
	if (identity->links)
		ledger_made(identity, true);
}

static void look_at_opening(const struct check_opening *o, const struct identity *identity, uint32_t marks)
{
	check_opened(o->flags, o->size_before, o->created, o->error);
	check_permission_opened(o, identity);
	check_name_opened(o, identity);
	check_zeroing_opened(o, identity, marks);
	check_lifetime_opened(o, identity, marks);
}

#define OPENING(e, ...)                                                                                                \
	&(struct check_opening)                                                                                        \
	{                                                                                                              \
		.pid = (e)->pid, .name = (e)->name, .flags = (e)->flags, .mode = (e)->mode, .created = (e)->created,   \
		.error = (e)->error, .clamped = enforce_clamped(), __VA_ARGS__                                         \
	}

/* Of the events by which an object is opened or made. */
static void look_at_made(enum event_id id, const union any_event *event, const struct identity *identity,
			 uint32_t marks)
{
	const struct shm_open_event *shm = &event->shm_open;
	const struct open_event *file = &event->open;
	const struct sem_open_event *semaphore = &event->sem_open;

	switch (id) {
	case EVENT_shm_open:
		look_at_opening(OPENING(shm, .by = id, .symbol = SYMBOL_shm_open, .dirfd = AT_FDCWD,
					.result = shm->result, .size_before = shm->size_before),
				identity, marks);
		break;
	case EVENT_open:
		look_at_opening(OPENING(file, .by = id, .symbol = file->symbol, .dirfd = file->dirfd,
					.result = file->result, .size_before = file->size_before),
				identity, marks);
		break;
	case EVENT_sem_open:
		look_at_opening(OPENING(semaphore, .by = id, .symbol = SYMBOL_sem_open, .dirfd = AT_FDCWD), identity,
				marks);
		break;
	default:
		check_permission_memfd(&event->memfd_create, identity);
		break;
	}
}

/* Where there is no descriptor, the object is asked for at an address of a mapping of it. */
static bool look_at_site(uint64_t address, struct fault_site *site)
{
	fault_site_at(site, address);
	if (!site->found)
		return false;
	fault_site_refresh(site, address);
	looking.object = site->object;
	site->identity.name = site->name;
	looking.identity = &site->identity;
	return true;
}

static void look_at_remapped(const struct mremapped_event *e)
{
	struct fault_site site;

	if (e->error || !look_at_site(e->result, &site))
		return;
	if (site.fresh)
		mark(&site.identity, 0,
		     check_remapped(&site.identity, site.offset, site.end - site.start,
				    fault_site_protection(&site, e->result)));
	looking.identity = NULL;
}

static void look_at_protected(const struct mprotect_event *e)
{
	struct fault_site site;
	uint64_t end = e->addr + page_round(e->length), at = e->addr;
	uint32_t marks;

	while (!e->error && e->prot != PROT_NONE && at < end &&
	       (((marks = ledger_mapped_marks(at)) & MARK_CLOSED) || !(e->prot & PROT_WRITE)) &&
	       look_at_site(at, &site)) {
		uint64_t length = (site.end < end ? site.end : end) - at;
		if (site.fresh)
			mark(&site.identity, marks,
			     check_mprotect(&site.identity, site.offset, length, e->prot, marks));
		at += length;
	}
	looking.identity = NULL;
}

/* What is unmapped has left the ledger already; a rest that begins in the middle of a huge page is what munmap(2) refuses. */
static void look_at_unmapped(const struct munmap_event *e)
{
	struct interval rest;
	uint64_t page, length = page_round(e->length), end = e->addr + length;

	if (!ledger_cuts_huge(end, &rest, &page))
		return;
	check_munmap(rest.offset + (end - rest.start) - length, length, page);
}

static uint64_t offset_at(uint64_t address)
{
	struct interval piece;

	return ledger_copy(address, &piece) ? piece.offset + (address - piece.start) : 0;
}

static void check_event(enum event_id id, const union any_event *event, const struct identity *identity, uint32_t marks)
{
	switch (id) {
	case EVENT_mmap:
		check_lifetime_mmap(&event->mmap);
		if (!identity)
			break;
		mark(identity, marks, check_mmap(&event->mmap, identity, marks));
		check_permission_mmap(&event->mmap, identity);
		break;
	case EVENT_munmap:
		look_at_unmapped(&event->munmap);
		break;
	case EVENT_ftruncate:
		if (!identity)
			break;
		check_ftruncate(&event->ftruncate, identity, marks);
		check_zeroing_ftruncate(&event->ftruncate, identity);
		break;
	case EVENT_fallocate:
		if (!identity)
			break;
		check_fallocate(&event->fallocate, identity, marks);
		check_zeroing_fallocate(&event->fallocate, identity);
		break;
	case EVENT_shm_open:
	case EVENT_open:
	case EVENT_sem_open:
	case EVENT_memfd_create:
		look_at_made(id, event, identity, marks);
		break;
	case EVENT_chmod:
		if (identity)
			check_permission_chmod(&event->chmod, identity);
		break;
	case EVENT_rename:
		if (identity)
			check_permission_moved(event->rename.from, event->rename.to, event->rename.error, identity);
		break;
	case EVENT_link:
		if (identity && identity->links == 1)
			check_permission_moved(NULL, event->link.to, event->link.error, identity);
		break;
	case EVENT_dup:
		if (identity)
			check_permission_dup(&event->dup, identity);
		break;
	case EVENT_sendmsg:
		if (identity)
			check_permission_sendmsg(&event->sendmsg, identity);
		break;
	case EVENT_unlink:
		/* The event comes before the call: where the policy is to decide about it, that is told alone. */
		if (identity && !enforce_judges_removal(identity))
			check_lifetime_unlink(&event->unlink, identity, marks);
		break;
	case EVENT_mprotect:
		check_permission_mprotect(&event->mprotect);
		look_at_protected(&event->mprotect);
		break;
	case EVENT_mremapped:
		look_at_remapped(&event->mremapped);
		break;
	case EVENT_madvise:
		marks = ledger_mapped_marks(event->madvise.addr);
		check_madvise(&event->madvise, offset_at(event->madvise.addr), marks);
		check_zeroing_madvise(&event->madvise, marks);
		break;
	case EVENT_mutex:
		check_lifetime_mutex(&event->mutex);
		break;
	case EVENT_mlock:
		check_mlock(&event->mlock);
		break;
	default:
		break;
	}
}

/* By an address: what is mapped there, if anything is. */
static void mark_mapped(enum event_id id, const union any_event *event)
{
	const struct mprotect_event *protected = &event->mprotect;
	const struct madvise_event *advised = &event->madvise;
	const struct mlock_event *locked = &event->mlock;

	/* What cannot be written now may be once more. */
	if (id == EVENT_mprotect && !protected->error && !(protected->prot & PROT_WRITE))
		ledger_mark_mapped(protected->addr, MARK_CLOSED);
	else if (id == EVENT_madvise && advised->advice == MADV_DONTDUMP && !advised->error)
		ledger_mark_mapped(advised->addr, MARK_UNDUMPABLE);
	else if (id == EVENT_mlock && !locked->error && locked->symbol != SYMBOL_munlock)
		ledger_mark_mapped(locked->addr, MARK_UNDUMPABLE);
}

/* The marks, by which the policy's own checks know the object, whether anybody hears of a finding or not. */
static void mark_event(enum event_id id, const union any_event *event, const struct identity *identity, uint32_t marks)
{
	if (!identity)
		mark_mapped(id, event);
	else if (id == EVENT_ftruncate)
		look_at_resize(check_truncated(&event->ftruncate, identity), marks, identity);
	else if (id == EVENT_fallocate)
		look_at_resize(check_allocated(&event->fallocate, identity), marks, identity);
	else if (id == EVENT_mmap)
		mark(identity, marks, check_mapped(&event->mmap, identity));
	else if (id == EVENT_unlink && identity->links <= 1)
		ledger_made(identity, false);
	else if (id == EVENT_shm_open)
		look_at_created(event->shm_open.created, identity);
	else if (id == EVENT_open)
		look_at_created(event->open.created, identity);
	else if (id == EVENT_sem_open)
		look_at_created(event->sem_open.created, identity);
	else if (id == EVENT_memfd_create)
		look_at_created(true, identity);
}

void findings_look(enum event_id id, const union any_event *event, uint32_t object, const struct identity *identity,
		   uint32_t marks, const void *caller)
{
	looking.head = event->head;
	looking.id = id;
	const uint32_t there = findings_object_at(id, event, &looking.address);
	looking.object = object ? object : there;
	looking.identity = identity;
	looking.name = findings_given_name(id, event, identity);
	looking.caller = caller;
	if (!enforce_denied()) {
		if (!enforce_unheard || !recorder_silent())
			check_event(id, event, identity, marks);
		mark_event(id, event, identity, marks);
	}
	enforce_kept(record);
}

void findings_kept(uint32_t object, uint32_t of, uint32_t stack)
{
	memset(&looking, 0, sizeof looking);
	looking.head.seq = of;
	looking.head.stack = stack;
	looking.object = object;
	enforce_kept(record);
}
