#include "preload/enforce.h"

#include <limits.h>
#include <string.h>
#include <sys/uio.h>

#include "preload/audit.h"
#include "preload/audit_log.h"
#include "preload/carried.h"
#include "preload/claim.h"
#include "preload/enforce_inner.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/names.h"
#include "preload/process.h"
#include "preload/standstill.h"
#include "preload/text.h"
#include "tracepoints/environment.h"

enum { EXIT_REFUSED = 125 };

bool enforce_on, enforce_wipes, enforce_clears, enforce_counts, enforce_unheard, enforce_maps, enforce_by_name,
	enforce_plainly;
struct timespec enforce_started;

static struct policy *policy;
static bool by_user; /* some section applies to certain users only */
static struct policy_decision everywhere;
static uint32_t first_user; /* whom that is for */

static void refuse(void *context, const char *file, unsigned line, const char *what, const char *hint)
{
	unsigned *errors = context;
	char number[24] = "";

	/* One clear line; `shmguard policy check` tells all the others. */
	if ((*errors)++)
		return;
	text_append_decimal(number, sizeof number, line);
	const char *const parts[] = {
		"shmguard: ",
		file,
		line ? ":" : "",
		line ? number : "",
		": ",
		what,
		hint ? "; the nearest is " : "",
		hint ?: "",
		"; the program is not started\n",
	};
	enum { PARTS = sizeof parts / sizeof *parts };
	struct iovec text[PARTS];
	for (size_t i = 0; i < PARTS; i++)
		text[i] = (struct iovec){(void *)(uintptr_t)parts[i], strnlen(parts[i], PATH_MAX)};
	kernel_call(SYS_writev, 2, (long)text, PARTS, 0, 0, 0);
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

static bool wants_clearing(const struct policy_decision *d)
{
	return wants_wiping(d) || d->action[RULE_stale_bytes] == ACTION_fix;
}

/* Whose is it, and has it a second name? */
static bool asks_little_of_what_exists(const struct policy_decision *d)
{
	return !d->has_names && !d->owner && !enforce_asks(d, RULE_name_nonportable) &&
	       !enforce_asks(d, RULE_stale_bytes) && d->action[RULE_acl_grants] < ACTION_deny &&
	       enforce_asks_at_opening(d);
}

/* The clock of the kernel's own time stamps. */
static void look_at_clock(void)
{
	kernel_call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, (long)&enforce_started, 0, 0, 0, 0);
}

void enforce_fork_reset(void)
{
	enforce_rooms_forked();
	claim_stay();
	standstill_forked();
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
	first_user = facts_user();
	policy_decide(policy, NULL, process_exe(), first_user, &everywhere);
	for (size_t i = 0; i < policy->section_count; i++) {
		enforce_by_name = enforce_by_name || policy->section[i].name.count;
		by_user = by_user || policy->section[i].uid.count;
		enforce_on = enforce_on || section_changes_anything(&policy->section[i]);
		enforce_wipes = enforce_wipes || wants_wiping(&policy->section[i].value);
		enforce_clears = enforce_clears || wants_clearing(&policy->section[i].value);
		enforce_counts = enforce_counts || ((policy->section[i].name.count || policy->section[i].uid.count) &&
						    (policy->section[i].set & 1u << POLICY_KEY_max_objects));
	}
	enforce_on = enforce_on || changes_anything(&everywhere);
	enforce_wipes = enforce_wipes || wants_wiping(&everywhere);
	enforce_clears = enforce_clears || wants_clearing(&everywhere);
	enforce_counts = enforce_counts || everywhere.max_objects != UINT64_MAX;
	if (enforce_wipes)
		ledger_watch(MARK_SECRET);
	if (enforce_on)
		identity_keep_home(audit_unheld);
	if (enforce_clears)
		claim_initialise();
	enforce_unheard = policy->log == LOG_none && !enforce_by_name && !by_user &&
			  !carried_value(ENVIRONMENT_NOTES) && !carried_value(ENVIRONMENT_NOTES_SOCKET) &&
			  !carried_value(ENVIRONMENT_ON_SIGBUS);
	enforce_maps = !enforce_unheard || enforce_clears || asks_of_maps(&everywhere);
	enforce_plainly =
		enforce_unheard && !enforce_wipes && !enforce_audits() && asks_little_of_what_exists(&everywhere);
}

/* Of no name. The user is asked for, by a system call more, only where it matters. */
static void decide_for_user(struct policy_decision *decision)
{
	uint32_t user = by_user ? facts_user() : first_user;

	if (user == first_user)
		*decision = everywhere;
	else
		policy_decide(policy, NULL, process_exe(), user, decision);
}

void enforce_decide(const char *name, struct policy_decision *decision)
{
	enforce_about(name, NULL);
	if (enforce_by_name && name)
		policy_decide(policy, enforce_posix_name(name), process_exe(), facts_user(), decision);
	else
		decide_for_user(decision);
}

bool enforce_asks_everywhere(enum rule_id rule)
{
	struct policy_decision decision;

	decide_for_user(&decision);
	return enforce_asks(&decision, rule);
}

bool enforce_names(const char *name)
{
	for (size_t i = 0; enforce_by_name && i < policy->section_count; i++)
		for (unsigned j = 0; j < policy->section[i].name.count; j++)
			if (policy_glob(policy->section[i].name.item[j], enforce_posix_name(name)))
				return true;
	return false;
}

struct applying {
	const char *exe;
	uint32_t user;
	struct policy_sections sections;
};

static void add_name(const char *name, void *context)
{
	struct applying *applying = context;
	policy_add_sections(policy, enforce_posix_name(name), applying->exe, applying->user, &applying->sections);
}

void enforce_decide_linked(const char *name, const struct identity *identity, struct policy_decision *decision)
{
	enforce_decide(name, decision);
	if (!enforce_by_name || identity->links <= 1)
		return;
	struct applying applying = {.exe = process_exe(), .user = facts_user()};
	if (name)
		add_name(name, &applying);
	names_each(identity, add_name, &applying);
	policy_decide_sections(policy, &applying.sections, decision);
}

const char *enforce_decide_object(const struct identity *identity, struct policy_decision *decision)
{
	char *text = enforce_text();
	const char *name = enforce_by_name ? enforce_object_name(identity, text) : NULL;

	if (!name)
		name = ledger_name(identity, text) ? text : NULL;
	enforce_decide_linked(name, identity, decision);
	if (!name)
		enforce_about(NULL, identity);
	return name;
}

bool enforce_lasts(const struct policy_decision *d)
{
	return !d->secret && !(d->zero & ZERO_on_last_unmap);
}

/* Of what that program of that user knows by this name, among others that it has. */
static void decide_in(struct applying *applying, const char *name, const struct identity *identity,
		      struct policy_decision *decision)
{
	policy_add_sections(policy, name ? enforce_posix_name(name) : NULL, applying->exe, applying->user,
			    &applying->sections);
	if (enforce_by_name && identity->links > 1)
		names_each(identity, add_name, applying);
	policy_decide_sections(policy, &applying->sections, decision);
}

bool enforce_lasts_in(const struct identity *identity, const char *exe, uint32_t user)
{
	struct policy_decision decision;
	char text[512];

	decide_in(&(struct applying){.exe = exe, .user = user},
		  enforce_by_name ? enforce_object_name(identity, text) : NULL, identity, &decision);
	return enforce_lasts(&decision);
}

bool enforce_audits(void)
{
	return policy->audit;
}

enum policy_action enforce_action(const struct identity *identity, enum rule_id rule)
{
	struct policy_decision decision;

	if (!policy)
		return ACTION_warn;
	if (identity)
		enforce_decide_object(identity, &decision);
	else
		decide_for_user(&decision);
	return decision.action[rule];
}

/* The room of a decision may be what the fault has interrupted, and the ledger locked. */
enum policy_action enforce_faulted(const struct identity *identity, const char **name, char text[static 512])
{
	struct policy_decision decision;

	if (!policy)
		return ACTION_warn;
	const char *now = enforce_by_name ? enforce_object_name(identity, text) : NULL;
	*name = now ? now : *name;
	decide_in(&(struct applying){.exe = process_exe(), .user = facts_user()}, *name, identity, &decision);
	return decision.action[RULE_sigbus_cause];
}
