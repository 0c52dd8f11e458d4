/* What the policy decides of the call under way, and tells in the audit trail. */
#include <errno.h>

#include "preload/apart.h"
#include "preload/audit.h"
#include "preload/enforce_inner.h"
#include "preload/enforce_level.h"
#include "preload/kernel.h"
#include "preload/recorder.h"

enum { LEVELS = 3 };

/* A signal handler's calls have their own, so that the interrupted decision goes on as it was. */
static __thread struct enforce_level levels[LEVELS];
static __thread unsigned depth; /* decisions under way */
static __thread struct enforce_level *current;

static struct enforce_level *kept(void)
{
	return current ? current : levels;
}

struct enforce_level *enforce_level(void)
{
	return &levels[depth < LEVELS ? depth : LEVELS - 1];
}

static int own_tid(void)
{
	int tid = recorder_thread.tid ? recorder_thread.tid : apart_for();

	return tid ? tid : (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static struct enforce_room *room(void)
{
	struct enforce_level *k = kept();

	if (!k->roomy) {
		k->at = enforce_room_take(k->at, own_tid());
		k->roomy = true;
	}
	return k->at;
}

void enforce_give_room(struct enforce_level *level)
{
	if (!level->roomy || level->count || depth)
		return;
	level->roomy = false;
	enforce_room_give(level->at);
}

void enforce_rooms_forked(void)
{
	enforce_room_give_all();
	for (int i = 0; i < LEVELS; i++)
		if (levels[i].roomy)
			atomic_store(&levels[i].at->holder, own_tid());
}

void enforce_about(const char *name, const struct identity *identity)
{
	kept()->name = name;
	kept()->about = identity;
}

char *enforce_text(void)
{
	return room()->text;
}

void enforce_begin(void)
{
	enforce_resume();
	current->count = current->audited = 0;
	current->caller = NULL;
	current->collecting = false;
	current->name = NULL;
	current->about = NULL;
}

void enforce_resume(void)
{
	current = enforce_level();
	current->stack = (uintptr_t)__builtin_frame_address(0);
	depth++;
}

bool enforce_busy(void)
{
	return depth > 0;
}

void enforce_left(uintptr_t stack)
{
	while (depth && levels[depth < LEVELS ? depth - 1 : LEVELS - 1].stack < stack)
		depth--;
}

void enforce_end(const void *caller)
{
	for (unsigned i = kept()->audited; i < kept()->count; i++) {
		const struct enforce_decided *d = &room()->decided[i];
		audit_line(
			&(struct audit_decision){.rule = d->finding.rule,
						 .response = d->response,
						 .error = d->response == RESPONSE_audit ? d->denies : d->finding.error,
						 .doubtful = d->doubtful,
						 .why = d->why,
						 .caller = caller},
			d->name);
	}
	kept()->audited = kept()->count;
	kept()->caller = caller;
	depth--;
	enforce_give_room(kept());
	if (depth)
		current = &levels[depth < LEVELS ? depth - 1 : LEVELS - 1];
}

void enforce_recorded(struct enforce_level *level)
{
	level->count = level->audited = 0;
	enforce_give_room(level);
}

void enforce_forget(void)
{
	enforce_recorded(kept());
}

void enforce_forget_from(unsigned decided)
{
	if (kept()->count > decided)
		kept()->count = decided;
	if (kept()->audited > decided)
		kept()->audited = decided;
}

unsigned enforce_decided(void)
{
	return kept()->count;
}

bool enforce_denies(enum rule_id rule)
{
	for (unsigned i = 0; i < kept()->count; i++) {
		const struct enforce_decided *d = &room()->decided[i];
		if (d->finding.rule == rule && (d->response == RESPONSE_denied || d->denies))
			return true;
	}
	return false;
}

void enforce_denied_for(const struct identity *identity)
{
	for (unsigned i = 0; i < kept()->count; i++) {
		struct enforce_decided *d = &room()->decided[i];
		if (d->response != RESPONSE_denied)
			continue;
		d->finding.dev = identity->dev;
		d->finding.ino = identity->ino;
	}
}

/* What two steps of one call find of the same name is one decision. */
static struct enforce_decided *find_kept(enum rule_id rule, enum response response)
{
	for (unsigned i = 0; i < kept()->count; i++) {
		struct enforce_decided *d = &room()->decided[i];
		if (d->finding.rule == rule && d->response == response && d->name && d->name == kept()->name)
			return d;
	}
	return NULL;
}

static struct enforce_decided *keep(const struct check_finding *finding, enum response response)
{
	static __thread struct enforce_decided lost;

	if (kept()->about)
		kept()->name = enforce_object_name(kept()->about, room()->text);
	kept()->about = NULL;
	struct enforce_decided *known = find_kept(finding->rule, response);
	if (known || kept()->count == ENFORCE_KEPT)
		return known ? known : &lost;
	room()->decided[kept()->count] =
		(struct enforce_decided){.finding = *finding, .response = (uint8_t)response, .name = kept()->name};
	return &room()->decided[kept()->count++];
}

/* What a denial keeps from happening is not fixed. */
static void nothing_fixed(void)
{
	unsigned left = kept()->audited;

	for (unsigned i = left; i < kept()->count; i++)
		if (room()->decided[i].response != RESPONSE_fixed)
			room()->decided[left++] = room()->decided[i];
	kept()->count = left;
}

enum enforce_verdict enforce_broken(const struct policy_decision *decision, const struct check_finding *finding,
				    int error)
{
	struct check_finding told = *finding;
	enum policy_action action = decision->action[finding->rule];

	if (action < ACTION_deny) {
		if (action != ACTION_off)
			keep(finding, RESPONSE_recorded);
		return VERDICT_go;
	}
	if (action == ACTION_deny)
		told.error = (int16_t)(error ? error : rules[finding->rule].deny);
	if (enforce_audits()) {
		struct enforce_decided *d = keep(finding, RESPONSE_audit);
		/* A denial would have been the end of it. */
		d->denies = d->denies ? d->denies : action == ACTION_deny ? told.error : 0;
		return VERDICT_go;
	}
	if (action == ACTION_fix) {
		keep(finding, RESPONSE_fixed);
		return VERDICT_fix;
	}
	nothing_fixed();
	keep(&told, RESPONSE_denied);
	errno = told.error;
	return VERDICT_deny;
}

enum enforce_verdict enforce_broken_for(const struct policy_decision *decision, const struct check_finding *finding,
					enum facts_use losers)
{
	enum enforce_verdict verdict = VERDICT_go;

	if (losers == FACTS_unseen)
		keep(finding, RESPONSE_recorded);
	else
		verdict = enforce_broken(decision, finding, 0);
	for (unsigned i = 0; i < kept()->count; i++)
		room()->decided[i].doubtful |=
			losers != FACTS_mapped && room()->decided[i].finding.rule == finding->rule;
	return verdict;
}

enum enforce_verdict enforce_refuse(const struct policy_decision *decision, enum rule_id rule)
{
	struct policy_decision d = *decision;

	d.action[rule] = ACTION_deny;
	return enforce_broken(&d, &(struct check_finding){.rule = rule, .severity = rules[rule].severity}, 0);
}

static void not_fixed(enum rule_id rule, enum response instead, int error, const char *why)
{
	for (unsigned i = 0; i < kept()->count; i++) {
		struct enforce_decided *d = &room()->decided[i];
		if (d->finding.rule != rule || d->response != RESPONSE_fixed)
			continue;
		d->response = (uint8_t)instead;
		d->finding.error = error ? (int16_t)error : d->finding.error;
		d->why = why;
	}
}

void enforce_undone(enum rule_id rule)
{
	unsigned left = 0, audited = 0;

	for (unsigned i = 0; i < kept()->count; i++) {
		const struct enforce_decided *d = &room()->decided[i];
		if (d->finding.rule == rule && d->response != RESPONSE_denied)
			continue;
		audited += i < kept()->audited;
		room()->decided[left++] = room()->decided[i];
	}
	kept()->count = left;
	kept()->audited = audited;
}

void enforce_not_fixed(enum rule_id rule)
{
	not_fixed(rule, RESPONSE_recorded, 0, NULL);
}

void enforce_not_done(enum rule_id rule, const char *why)
{
	not_fixed(rule, RESPONSE_recorded, 0, why);
}

void enforce_fix_failed(enum rule_id rule, int error)
{
	not_fixed(rule, RESPONSE_denied, error, NULL);
}

void enforce_tell_not_wiped(const struct check_finding *finding, const char *why)
{
	struct enforce_decided *d = keep(finding, RESPONSE_recorded);

	d->trail_only = true;
	d->why = why;
}

void enforce_collect(void)
{
	kept()->collecting = true;
	kept()->collected = kept()->count;
}

bool enforce_collects(const struct check_finding *finding)
{
	if (!kept()->collecting)
		return false;
	if (kept()->collected < ENFORCE_KEPT)
		room()->decided[kept()->collected++].finding = *finding;
	return true;
}

/* An ordinary user may look at no other user's mappings: that somebody might map the object is no reason to refuse. */
static bool is_suspicion(const struct check_finding *finding)
{
	return finding->rule == RULE_shrink_under_map && finding->limit == 0 && finding->unseen == EACCES;
}

/* What there is no room for cannot be reserved, nor probed: the fix is a refusal as well. */
static bool is_fixed_by_refusal(enum rule_id rule)
{
	return rule == RULE_shm_fs_full || rule == RULE_huge_page_unbacked;
}

/* The first of what was collected for which the policy has that action; false: none. */
static bool first_collected(const struct policy_decision *decision, enum policy_action action,
			    struct check_finding *finding)
{
	for (unsigned i = kept()->count; i < kept()->collected; i++) {
		*finding = room()->decided[i].finding;
		if (decision->action[finding->rule] == action && !is_suspicion(finding))
			return true;
	}
	return false;
}

/* What is only recorded is found by the same check after the call. */
enum enforce_verdict enforce_collected(const struct policy_decision *decision, enum rule_id *fixes, int full)
{
	struct policy_decision d = *decision;
	struct check_finding finding;

	kept()->collecting = false;
	if (!first_collected(&d, ACTION_deny, &finding) && !first_collected(&d, ACTION_fix, &finding))
		return VERDICT_go;
	if (enforce_audits() && is_fixed_by_refusal(finding.rule))
		d.action[finding.rule] = ACTION_deny;
	enum enforce_verdict verdict = enforce_broken(&d, &finding, finding.rule == RULE_shm_fs_full ? full : 0);
	if (verdict == VERDICT_fix)
		*fixes = finding.rule;
	return verdict;
}
