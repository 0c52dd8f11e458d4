/* "Lifetime" of the rule catalogue, as far as one call shows it: ghosts, strangers, and what runs out. */
#include <fcntl.h>
#include <unistd.h>

#include "preload/check.h"
#include "preload/facts_files.h"

enum { FEW_DESCRIPTORS = 16 };

/* Whether anybody still uses it, only the whole trace or a walk over /proc can tell. size: of the object. */
static void reattached(const struct check_opening *o, const struct identity *identity, unsigned marks)
{
	if (o->by == EVENT_shm_open && (o->flags & O_CREAT) && !o->created && o->size_before &&
	    !(marks & MARK_CREATED) && !check_mapped_end(identity))
		check_found(&(struct check_finding){
			.rule = RULE_stale_reattach, .severity = SEVERITY_WARNING, .size = o->size_before});
}

/*
 * The lowest free number is always taken, so all below it are in use. length: in use; limit: RLIMIT_NOFILE. While the
 * number is low, so would have to be a limit that is nearly reached, and then the recorder finds no room for its own.
 */
static void descriptors(const struct check_opening *o)
{
	if (o->by == EVENT_sem_open || (o->error && o->error != EMFILE) || (!o->error && o->result < FEW_DESCRIPTORS))
		return;
	uint64_t limit = facts_descriptor_limit(), used = o->error ? limit : (uint64_t)o->result + 1;
	if (used >= limit - limit / 10)
		check_found(&(struct check_finding){.rule = RULE_descriptor_exhaustion,
						    .severity = SEVERITY_WARNING,
						    .length = used,
						    .limit = limit,
						    .error = o->error});
}

static void collided(const struct check_opening *o)
{
	char path[512];
	uint64_t pid = (uint64_t)o->pid;

	if (check_name_holds(o->name, pid) && facts_path(o->by, o->dirfd, o->name, path) && !check_made(path))
		check_found(&(struct check_finding){
			.rule = RULE_name_collision, .severity = SEVERITY_WARNING, .length = pid, .error = o->error});
}

void check_lifetime_opened(const struct check_opening *o, const struct identity *identity, unsigned marks)
{
	if (o->error == EEXIST)
		collided(o);
	else if (identity && !o->error)
		reattached(o, identity, marks);
	descriptors(o);
}

/* Who is related to whom, the trace tells. offset: the owner's uid. */
void check_lifetime_unlink(const struct unlink_event *e, const struct identity *identity, unsigned marks)
{
	if (e->error || (marks & MARK_CREATED))
		return;
	check_found(
		&(struct check_finding){.rule = RULE_unlink_by_stranger,
					.severity = identity->uid == facts_user() ? SEVERITY_NOTE : SEVERITY_WARNING,
					.offset = identity->uid,
					.size = identity->size});
}

/* length: mappings in use; limit: vm.max_map_count. */
void check_lifetime_mmap(const struct mmap_event *e)
{
	uint64_t used, limit;

	if (e->error == ENOMEM && facts_mappings(&used, &limit) && used >= limit - limit / 10)
		check_found(&(struct check_finding){.rule = RULE_descriptor_exhaustion,
						    .severity = SEVERITY_WARNING,
						    .length = used,
						    .limit = limit,
						    .error = e->error});
}

void check_lifetime_mutex(const struct mutex_event *e)
{
	if (!e->robust)
		check_found(&(struct check_finding){.rule = RULE_lock_not_robust, .severity = SEVERITY_NOTE});
}
