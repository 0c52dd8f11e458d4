#include "preload/enforce.h"

#include <errno.h>
#include <string.h>

#include "preload/audit.h"
#include "preload/audit_log.h"
#include "preload/carried.h"
#include "preload/claim.h"
#include "preload/enforce_inner.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/process.h"
#include "preload/text.h"
#include "tracepoints/environment.h"

enum { EXIT_REFUSED = 125, KEPT = 8, LEVELS = 3 };

bool enforce_on, enforce_wipes, enforce_counts, enforce_unheard, enforce_maps;
struct timespec enforce_started;

static struct policy *policy;
static bool by_name; /* some section applies to certain names only */
static struct policy_decision everywhere;

/*
 * What was decided for the call that this thread is about to make, until its event is recorded. A signal handler's calls
 * have their own, so that the interrupted decision goes on as it was.
 */
static __thread struct kept {
	unsigned count, audited;
	struct decided {
		struct check_finding finding;
		uint8_t response;
		bool trail_only; /* it is no finding */
		int16_t denies; /* RESPONSE_audit: the errno that would have been answered, 0: it would have been fixed */
		const char *why;  /* no wipe: see enforce_not_wiped() */
		const char *name; /* until the audit trail has it */
	} decided[KEPT];
	bool collecting;
	unsigned collected;
	const char *name;
	const struct identity *about; /* whose name is asked for only if it is told */
	char text[512];               /* where the name is, if it is not the caller's */
} levels[LEVELS];
static __thread unsigned depth; /* decisions under way */
static __thread struct kept *current;

static struct kept *kept(void)
{
	return current ? current : levels;
}

static struct kept *level(void)
{
	return &levels[depth < LEVELS ? depth : LEVELS - 1];
}

static void refuse(void *context, const char *file, unsigned line, const char *what, const char *hint)
{
	char text[1024] = "shmguard: ";
	unsigned *errors = context;

	/* One clear line; `shmguard policy check` tells all the others. */
	if ((*errors)++)
		return;
	text_append(text, sizeof text, file);
	if (line) {
		text_append(text, sizeof text, ":");
		text_append_decimal(text, sizeof text, line);
	}
	text_append(text, sizeof text, ": ");
	text_append(text, sizeof text, what);
	if (hint) {
		text_append(text, sizeof text, "; the nearest is ");
		text_append(text, sizeof text, hint);
	}
	text_append(text, sizeof text, "; the program is not started\n");
	kernel_write(2, text, strlen(text));
}

static bool changes_anything(const struct policy_decision *d)
{
	for (int rule = 0; rule < RULE_COUNT; rule++)
		if (d->action[rule] >= ACTION_deny)
			return true;
	return d->zero || d->secret || d->reserve || d->has_names || d->max_mode != 07777 ||
	       d->max_size != UINT64_MAX || d->max_objects != UINT64_MAX || d->wait_ms;
}

static bool section_changes_anything(const struct policy_section *section)
{
	const uint32_t about_itself = 1u << POLICY_KEY_name | 1u << POLICY_KEY_exe | 1u << POLICY_KEY_uid |
				      1u << POLICY_KEY_include | 1u << POLICY_KEY_mode | 1u << POLICY_KEY_log;

	for (int rule = 0; rule < RULE_COUNT; rule++)
		if (section->action_set[rule] && section->value.action[rule] >= ACTION_deny)
			return true;
	return section->set & ~about_itself;
}

/* Rules that are decided at a mapping, or by who maps the object. */
static bool asks_of_maps(const struct policy_decision *d)
{
	static const enum rule_id rule[] = {
		RULE_map_beyond_end,
		RULE_map_before_size,
		RULE_resize_failed_ignored,
		RULE_shrink_under_map,
		RULE_shm_fs_full,
		RULE_sparse_unreserved,
		RULE_huge_page_unbacked,
		RULE_huge_page_misaligned,
		RULE_punch_unreserves,
		RULE_lock_limit,
		RULE_exec_map,
		RULE_stale_bytes,
		RULE_stale_reattach,
		RULE_sigbus_cause,
	};

	for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
		if (d->action[rule[i]] >= ACTION_deny)
			return true;
	return d->secret || d->zero;
}

static bool wants_wiping(const struct policy_decision *d)
{
	return d->zero || d->secret;
}

/* The clock of the kernel's own time stamps. */
static void look_at_clock(void)
{
	kernel_call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, (long)&enforce_started, 0, 0, 0, 0);
}

void enforce_fork_reset(void)
{
	if (policy)
		look_at_clock();
}

void enforce_initialise(void)
{
	const char *profile = carried_value(ENVIRONMENT_PROFILE), *file = carried_value(ENVIRONMENT_POLICY);
	char why[256] = "the log ";
	unsigned errors = 0;

	if (!profile && !file)
		return;
	if (file && file[0] != '/')
		refuse(&errors, file, 0, "is no absolute path, which its children will need", NULL);
	policy = kernel_memory(sizeof *policy);
	if (!policy)
		refuse(&errors, "policy", 0, "no memory", NULL);
	if (policy && profile)
		policy_add_profile(policy, profile, refuse, &errors);
	if (policy && file && !errors)
		policy_add_file(policy, file, refuse, &errors);
	if (policy && !errors && !audit_log_open(policy->log, policy->log_path, why))
		refuse(&errors, policy->log_path ? policy->log_path : "/dev/log", 0, why, NULL);
	if (errors)
		kernel_call(SYS_exit_group, EXIT_REFUSED, 0, 0, 0, 0, 0);
	look_at_clock();
	policy_decide(policy, NULL, process_exe(), (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0), &everywhere);
	for (size_t i = 0; i < policy->section_count; i++) {
		by_name = by_name || policy->section[i].name.count;
		enforce_on = enforce_on || section_changes_anything(&policy->section[i]);
		enforce_wipes = enforce_wipes || wants_wiping(&policy->section[i].value);
		enforce_counts = enforce_counts || (policy->section[i].name.count &&
						    (policy->section[i].set & 1u << POLICY_KEY_max_objects));
	}
	enforce_on = enforce_on || changes_anything(&everywhere);
	enforce_wipes = enforce_wipes || wants_wiping(&everywhere);
	enforce_counts = enforce_counts || everywhere.max_objects != UINT64_MAX;
	if (enforce_on)
		identity_keep_home();
	if (enforce_wipes)
		claim_initialise();
	enforce_unheard = policy->log == LOG_none && !by_name && !carried_value(ENVIRONMENT_NOTES) &&
			  !carried_value(ENVIRONMENT_NOTES_SOCKET) && !carried_value(ENVIRONMENT_ON_SIGBUS);
	enforce_maps = !enforce_unheard || enforce_wipes || asks_of_maps(&everywhere);
}

void enforce_decide(const char *name, struct policy_decision *decision)
{
	kept()->name = name;
	kept()->about = NULL;
	if (by_name && name)
		policy_decide(policy, enforce_posix_name(name), process_exe(),
			      (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0), decision);
	else
		*decision = everywhere;
}

bool enforce_names(const char *name)
{
	for (size_t i = 0; by_name && i < policy->section_count; i++)
		for (unsigned j = 0; j < policy->section[i].name.count; j++)
			if (policy_glob(policy->section[i].name.item[j], enforce_posix_name(name)))
				return true;
	return false;
}

const char *enforce_decide_object(const struct identity *identity, struct policy_decision *decision)
{
	char *text = kept()->text;
	const char *name = by_name ? enforce_object_name(identity, text) : NULL;

	if (!name)
		name = ledger_name(identity, text) ? text : NULL;
	enforce_decide(name, decision);
	kept()->about = name ? NULL : identity;
	return name;
}

void enforce_begin(void)
{
	enforce_resume();
	current->count = current->audited = 0;
	current->collecting = false;
	current->name = NULL;
	current->about = NULL;
}

void enforce_resume(void)
{
	current = level();
	depth++;
}

void enforce_end(const void *caller)
{
	for (unsigned i = kept()->audited; i < kept()->count; i++) {
		const struct decided *d = &kept()->decided[i];
		audit_line(
			&(struct audit_decision){.rule = d->finding.rule,
						 .response = d->response,
						 .error = d->response == RESPONSE_audit ? d->denies : d->finding.error,
						 .why = d->why,
						 .caller = caller},
			d->name);
	}
	kept()->audited = kept()->count;
	depth--;
	if (depth)
		current = &levels[depth < LEVELS ? depth - 1 : LEVELS - 1];
}

void enforce_forget(void)
{
	kept()->count = kept()->audited = 0;
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

bool enforce_denied(void)
{
	for (unsigned i = 0; i < kept()->count; i++)
		if (kept()->decided[i].response == RESPONSE_denied)
			return true;
	return false;
}

uint32_t enforce_clamped(void)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < kept()->count; i++) {
		const struct decided *d = &kept()->decided[i];
		enum rule_id rule = d->finding.rule;
		if (d->response != RESPONSE_fixed)
			continue;
		if (rule == RULE_world_writable || rule == RULE_world_readable || rule == RULE_mode_too_open)
			bits |= (uint32_t)(d->finding.length & ~d->finding.limit);
		else if (rule == RULE_acl_grants)
			bits |= 0777;
	}
	return bits;
}

/* What two steps of one call find of the same name is one decision. */
static struct decided *find_kept(enum rule_id rule, enum response response)
{
	for (unsigned i = 0; i < kept()->count; i++) {
		struct decided *d = &kept()->decided[i];
		if (d->finding.rule == rule && d->response == response && d->name && d->name == kept()->name)
			return d;
	}
	return NULL;
}

static struct decided *keep(const struct check_finding *finding, enum response response)
{
	static __thread struct decided lost;

	if (kept()->about)
		kept()->name = enforce_object_name(kept()->about, kept()->text);
	kept()->about = NULL;
	struct decided *known = find_kept(finding->rule, response);
	if (known || kept()->count == KEPT)
		return known ? known : &lost;
	kept()->decided[kept()->count] =
		(struct decided){.finding = *finding, .response = (uint8_t)response, .name = kept()->name};
	return &kept()->decided[kept()->count++];
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
	if (policy->audit) {
		keep(finding, RESPONSE_audit)->denies = action == ACTION_deny ? told.error : 0;
		return VERDICT_go;
	}
	if (action == ACTION_fix) {
		keep(finding, RESPONSE_fixed);
		return VERDICT_fix;
	}
	keep(&told, RESPONSE_denied);
	errno = told.error;
	return VERDICT_deny;
}

enum enforce_verdict enforce_refuse(const struct policy_decision *decision, enum rule_id rule)
{
	struct policy_decision d = *decision;

	d.action[rule] = ACTION_deny;
	return enforce_broken(&d, &(struct check_finding){.rule = rule, .severity = rules[rule].severity}, 0);
}

bool enforce_audits(void)
{
	return policy->audit;
}

static void not_fixed(enum rule_id rule, enum response instead, int error, const char *why)
{
	for (unsigned i = 0; i < kept()->count; i++) {
		struct decided *d = &kept()->decided[i];
		if (d->finding.rule != rule || d->response != RESPONSE_fixed)
			continue;
		d->response = (uint8_t)instead;
		d->finding.error = error ? (int16_t)error : d->finding.error;
		d->why = why;
	}
}

void enforce_not_fixed(enum rule_id rule)
{
	not_fixed(rule, RESPONSE_recorded, 0, NULL);
}

void enforce_not_wiped(enum rule_id rule, const char *why)
{
	not_fixed(rule, RESPONSE_recorded, 0, why);
}

void enforce_fix_failed(enum rule_id rule, int error)
{
	not_fixed(rule, RESPONSE_denied, error, NULL);
}

void enforce_tell_not_wiped(const struct check_finding *finding, const char *why)
{
	struct decided *d = keep(finding, RESPONSE_recorded);

	d->trail_only = true;
	d->why = why;
}

void enforce_collect(void)
{
	kept()->collecting = true;
	kept()->collected = kept()->count;
}

bool enforce_takes(const struct check_finding *finding)
{
	if (!kept()->collecting) {
		for (unsigned i = 0; i < kept()->count; i++)
			if (kept()->decided[i].finding.rule == finding->rule)
				return true;
		return false;
	}
	if (kept()->collected < KEPT)
		kept()->decided[kept()->collected++].finding = *finding;
	return true;
}

/* An ordinary user may look at no other user's mappings: that somebody might map the object is no reason to refuse. */
static bool is_suspicion(const struct check_finding *finding)
{
	return finding->rule == RULE_shrink_under_map && finding->limit == 0 && finding->error == EACCES;
}

enum enforce_verdict enforce_collected(const struct policy_decision *decision, enum rule_id *fixes, int full)
{
	struct check_finding found[KEPT];
	unsigned first = kept()->count, count = kept()->collected - kept()->count;
	enum enforce_verdict strongest = VERDICT_go;

	kept()->collecting = false;
	for (unsigned i = 0; i < count; i++)
		found[i] = kept()->decided[first + i].finding;
	for (unsigned i = 0; i < count; i++) {
		/* What is only recorded is found by the same check after the call. */
		if (!enforce_asks(decision, found[i].rule) || is_suspicion(&found[i]))
			continue;
		enum enforce_verdict verdict =
			enforce_broken(decision, &found[i], found[i].rule == RULE_shm_fs_full ? full : 0);
		if (verdict == VERDICT_fix)
			*fixes = found[i].rule;
		if (verdict == VERDICT_deny || strongest == VERDICT_go)
			strongest = verdict;
	}
	return strongest;
}

void enforce_kept(void (*each)(const struct check_finding *finding, enum response response))
{
	unsigned count = kept()->count;

	kept()->count = kept()->audited = 0;
	for (unsigned i = 0; i < count; i++)
		if (!kept()->decided[i].trail_only)
			each(&kept()->decided[i].finding, kept()->decided[i].response);
}

enum policy_action enforce_action(const struct identity *identity, enum rule_id rule)
{
	struct policy_decision decision;

	if (!policy)
		return ACTION_warn;
	if (identity)
		enforce_decide_object(identity, &decision);
	else
		decision = everywhere;
	return decision.action[rule];
}

bool enforce_survives(void)
{
	return policy && !policy->audit && everywhere.action[RULE_sigbus_cause] == ACTION_fix;
}
