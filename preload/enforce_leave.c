#include "preload/enforce_leave.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/claim.h"
#include "preload/ending.h"
#include "preload/enforce_inner.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/names.h"
#include "preload/own_threads.h"
#include "preload/real.h"
#include "preload/text.h"
#include "preload/unshare.h"
#include "preload/wipe.h"

/* Somebody has a descriptor. */
static const char held[] = "held";

/*
 * Who has a descriptor of the object goes on with it, and if the policy holds there wipes it in turn: another process, as a
 * daemon that was forked, is a user as well. Of the others who have one, a forked child knows its parent for one, and a new
 * image, which came to it by a descriptor of its forebear's, does not know who that is. What has no name is only handed on
 * by who forks, and wiped by who maps it; at a last unmap the policy may ask for no more than that it is one.
 */
static const char *use_at_leaving(const struct policy_decision *d, const struct identity *identity,
				  bool own_mappings_go, int32_t *holder)
{
	const char *use = enforce_use(identity, own_mappings_go);
	uint32_t marks = ledger_marks(identity);
	bool heir = marks & MARK_HEIR;

	*holder = 0;
	if (use || (!own_mappings_go && (d->zero & ZERO_on_last_unmap)) || (!heir && !identity->links))
		return use;
	if (!heir && (marks & MARK_INHERITED) && (*holder = facts_user_parent(identity)))
		return held;
	enum facts_use holders = heir ? facts_use_by_holders(identity) : facts_use_by_guarded(identity, holder);
	if (holders == FACTS_unknown)
		holders = enforce_use_by_unseen(identity, holders);
	return holders == FACTS_mapped ? held : holders == FACTS_unknown ? enforce_perhaps_mapped : NULL;
}

/* Another process ends as well, and looks after it. */
static const char left_to_another[] = "left";

/* The same where other users may end at this moment, as this process may. */
static const char *use_at_last(const struct policy_decision *d, const struct identity *identity, bool own_mappings_go,
			       int32_t *holder)
{
	if (own_mappings_go)
		claim_leave(identity);
	const char *use = use_at_leaving(d, identity, own_mappings_go, holder);
	if (use != enforce_perhaps_mapped)
		return use;
	switch (claim_outlive(identity)) {
	case CLAIM_handed:
		return left_to_another;
	case CLAIM_late:
		return use;
	default:
		/* Who was seen may have ended since; for who goes on it is not the last time to look. */
		return own_mappings_go ? use_at_leaving(d, identity, true, holder) : use;
	case CLAIM_outlived:
		return use_at_leaving(d, identity, own_mappings_go, holder);
	}
}

static bool wants_wipe(const struct policy_decision *d)
{
	return d->action[RULE_secret_left] == ACTION_fix && !enforce_audits();
}

/* why: it may not be wiped, or NULL. */
static void left(const struct policy_decision *d, int fd, const struct identity *identity, bool own_mappings_go,
		 const char *why)
{
	struct check_finding finding = {
		.rule = RULE_secret_left, .severity = rules[RULE_secret_left].severity, .size = identity->size};

	/* Of what somebody may still use nobody can say that it was left, unless it should have been wiped. */
	if (why && !wants_wipe(d))
		return;
	if (enforce_broken(d, &finding, 0) != VERDICT_fix)
		return;
	if (!why)
		why = enforce_wipe(fd, identity, false, own_mappings_go);
	if (why)
		enforce_not_done(RULE_secret_left, why);
}

static void tell(const char *why)
{
	enforce_tell_not_wiped(&(struct check_finding){.rule = RULE_secret_left}, why);
}

int enforce_leaving_name(const struct policy_decision *d, int dirfd, const char *path, const struct identity *identity)
{
	bool wipes = (d->zero & ZERO_on_unlink) || wants_wipe(d);

	if (!identity->size || (identity->links != 1 && !wipes))
		return -ENOENT;
	return wipe_open(dirfd, path);
}

/* Contents that must not outlive the name; while anybody maps the object they are still in use. */
void enforce_leave_name(const struct policy_decision *decision, int fd, const struct identity *identity)
{
	struct policy_decision d = *decision;
	struct identity now = *identity;
	bool zero = d.zero & ZERO_on_unlink;

	if (zero)
		d.action[RULE_secret_left] = ACTION_fix;
	if (fd >= 0 && identity_of_fd(fd, &now) && wipe_has_data(fd, &now)) {
		const char *use = now.links ? enforce_linked : enforce_use(&now, false);
		if (!use || use == enforce_perhaps_mapped)
			left(&d, fd, &now, false, use);
		/* Without a name it is freed after its last use. */
		else if ((zero || use == enforce_linked) && wants_wipe(&d))
			tell(use);
	} else if (fd < 0 && fd != -ENOENT) {
		left(&d, fd, &now, false, LIBC(strerrorname_np)(-fd));
	}
	if (fd >= 0)
		kernel_close(fd);
}

/*
 * By its name, if that still leads to it: an object without a name is freed with its last mapping. -ENOENT: it has none, or
 * is not what the policy wipes, another -errno: it cannot be opened.
 */
static int open_object(const struct object *object, struct identity *identity)
{
	char path[512];
	int directory = claim_directory();

	*identity = (struct identity){.dev = object->dev, .ino = object->ino, .size = object->size, .mode = 066};
	if (!enforce_known_path(object, path))
		return -ENOENT;
	int fd = wipe_open(AT_FDCWD, path);
	/* The root directory may be another by now. */
	if (fd == -ENOENT && directory >= 0)
		fd = wipe_open(directory, path + 9);
	if (fd < 0)
		return fd;
	if (identity_of_fd(fd, identity) && identity->ino == object->ino && identity->dev == object->dev)
		return fd;
	kernel_close(fd);
	return -ENOENT;
}

/* By a descriptor of this process, of which the identity tells. -ENOENT: there is none. */
static int open_held(const struct object *object, struct identity *identity)
{
	for (int fd = ledger_fd_next(0, INT_MAX); fd >= 0; fd = ledger_fd_next((unsigned)fd + 1, INT_MAX)) {
		if (ledger_fd(fd) != object->id)
			continue;
		long own = text_reopen(fd, O_PATH);
		if (own < 0)
			continue;
		if (identity_of_fd((int)own, identity) && identity->ino == object->ino &&
		    identity->dev == object->dev) {
			identity->fd = fd;
			return (int)own;
		}
		kernel_close((int)own);
	}
	return -ENOENT;
}

/* A memfd is often made to be filled, unmapped and handed on: only what the policy names is wiped, or would be. */
static bool wipes_nameless(const struct object *object, const struct policy_decision *d)
{
	return d->action[RULE_secret_left] == ACTION_fix && (object->kind != KIND_memfd || enforce_names(object->name));
}

/*
 * What has no name can be read by whoever has a descriptor, until that is closed; without a mapping it is about to be handed
 * on. What has lost the one by which it was known, as another process may have seen to, has others. -ENOENT: neither.
 */
static int open_unnamed(const struct object *object, const struct policy_decision *d, bool own_mappings_go,
			struct identity *identity)
{
	int fd = open_held(object, identity);
	char *text = enforce_text();

	if (fd >= 0 && identity->links && names_find(identity, NULL, text))
		enforce_about(text, NULL);
	if (fd < 0 || identity->links ||
	    (wipes_nameless(object, d) && (!own_mappings_go || ledger_mapped_end(identity))))
		return fd;
	kernel_close(fd);
	return -ENOENT;
}

/* It was mapped to the end as no core dump should have it: neither MADV_DONTDUMP nor mlock was seen. */
static void dumpable(const struct policy_decision *d, const struct object *object, bool own_mappings_go)
{
	struct identity identity = {.dev = object->dev, .ino = object->ino, .fd = -1};
	bool mapped = ledger_mapped_end(&identity);

	if (!d->secret || enforce_asks(d, RULE_dumpable_secret) || mapped != own_mappings_go ||
	    (ledger_marks(&identity) & (MARK_UNDUMPABLE | MARK_DUMPABLE_TOLD)))
		return;
	ENFORCE(d, dumpable_secret, .length = object->size);
	ledger_mark(&identity, MARK_DUMPABLE_TOLD, 0);
}

void enforce_keep_secret(const struct policy_decision *d, const struct identity *identity)
{
	bool wiped = (d->secret && d->action[RULE_secret_left] == ACTION_fix) || (d->zero & ZERO_on_last_unmap);

	if (d->secret || wiped)
		ledger_mark(identity, (d->secret ? MARK_SECRET : 0u) | (wiped ? MARK_WIPED_LAST : 0u), 0);
}

/* False: its contents may outlive its last user, or this process is none. */
static bool decide(const struct object *object, struct policy_decision *d)
{
	if (!(object->marks & MARK_USED))
		return false;
	enforce_decide(object->name[0] ? object->name : NULL, d);
	d->secret |= (object->marks & MARK_SECRET) != 0;
	if ((object->marks & MARK_WIPED_LAST) || (d->zero & ZERO_on_last_unmap))
		d->action[RULE_secret_left] = ACTION_fix;
	return !enforce_lasts(d) || (object->marks & MARK_WIPED_LAST);
}

/* Of what others still use: who made it does, and whoever leaves it to one that will neither wipe it nor tell. */
static bool answers_for(const struct identity *identity, const char *use, int32_t holder)
{
	if (use != held || enforce_is_own(identity))
		return enforce_is_own(identity);
	if (ledger_marks(identity) & MARK_HEIR)
		holder = facts_user_parent(identity);
	return !holder || !enforce_answers_too(identity, holder);
}

/* It has neither a name nor a descriptor here by which it could be wiped: does anybody have it yet? */
static bool is_out_of_reach(const struct object *object, const struct policy_decision *d)
{
	const struct identity identity = {.dev = object->dev, .ino = object->ino, .mode = 066, .fd = -1};

	return wants_wipe(d) && wipes_nameless(object, d) && enforce_is_own(&identity) &&
	       facts_use_by_holders(&identity) == FACTS_mapped;
}

/* told: it was not wiped at its last unmap, for what may be over by now. */
static void look_after(const struct policy_decision *d, int fd, const struct identity *identity, bool own_mappings_go,
		       bool told)
{
	int32_t holder;
	const char *use = use_at_last(d, identity, own_mappings_go, &holder);

	if (use == left_to_another || (told && (use || fd < 0)))
		return;
	if (use != enforce_is_mapped && use != held)
		left(d, fd, identity, own_mappings_go, fd < 0 ? LIBC(strerrorname_np)(-fd) : use);
	else if (own_mappings_go && wants_wipe(d) && answers_for(identity, use, holder))
		tell(use);
}

/* Is there data? What is empty at this moment a thread may be about to write to, as the process ends. */
static bool is_left(const struct policy_decision *d, int fd, const struct identity *identity, bool own_mappings_go)
{
	int32_t holder;

	if (fd < 0 || wipe_has_data(fd, identity))
		return true;
	if (!own_mappings_go || !wants_wipe(d) || !ledger_mapped_end(identity) || own_threads_only() ||
	    use_at_leaving(d, identity, true, &holder))
		return false;
	unshare_mappings(identity);
	return wipe_has_data(fd, identity);
}

enum leaving { LEAVING_by_unmap, LEAVING_by_close, LEAVING_by_exit };

/* Whose bytes go with the last mapping was mapped for them; a file that is written and closed is there for others to map. */
static bool is_kept_until(enum leaving by, const struct object *object, struct policy_decision *d)
{
	const struct identity identity = {.dev = object->dev, .ino = object->ino};

	if (by == LEAVING_by_unmap)
		return ledger_mapped_end(&identity);
	if (by == LEAVING_by_close)
		d->zero &= (uint8_t)~ZERO_on_last_unmap;
	return ((object->marks & MARK_LEFT_TOLD) && !wants_wipe(d)) || (by == LEAVING_by_close && !d->secret);
}

static void leave(const struct object *object, enum leaving by)
{
	struct policy_decision d;
	struct identity identity = {.dev = object->dev, .ino = object->ino};
	bool own_mappings_go = by == LEAVING_by_exit, told = by != LEAVING_by_unmap && (object->marks & MARK_LEFT_TOLD);

	if (!decide(object, &d))
		return;
	if (by != LEAVING_by_close)
		dumpable(&d, object, own_mappings_go);
	if (is_kept_until(by, object, &d))
		return;
	int fd = open_object(object, &identity);
	/* What has no name goes with the last descriptor of all. */
	if (fd == -ENOENT && by == LEAVING_by_close)
		return;
	if (fd == -ENOENT)
		fd = open_unnamed(object, &d, own_mappings_go, &identity);
	if (fd == -ENOENT) {
		if (!told && (!own_mappings_go || ledger_mapped_end(&identity)) && is_out_of_reach(object, &d))
			tell("no-descriptor");
		return;
	}
	unsigned before = enforce_decided();
	if (is_left(&d, fd, &identity, own_mappings_go))
		look_after(&d, fd, &identity, own_mappings_go, told);
	/* What was wiped may be written again. */
	if (enforce_decided() > before && (fd < 0 || wipe_has_data(fd, &identity)))
		ledger_mark(&identity, MARK_LEFT_TOLD, 0);
	if (fd >= 0)
		kernel_close(fd);
}

/* Was anything decided of it? */
static bool decides_leaving(const struct object *object, enum leaving by, const void *caller)
{
	enforce_begin();
	leave(object, by);
	unsigned decided = enforce_decided();
	enforce_end(caller);
	return decided;
}

bool enforce_last_unmap(const struct object *object, const void *caller)
{
	struct object copy = *object;

	return decides_leaving(&copy, LEAVING_by_unmap, caller);
}

bool enforce_last_close(const struct object *object, const void *caller)
{
	return decides_leaving(object, LEAVING_by_close, caller);
}

static bool is_handed_on(const struct object *object)
{
	for (int fd = ledger_fd_next(0, INT_MAX); fd >= 0; fd = ledger_fd_next((unsigned)fd + 1, INT_MAX))
		if (ledger_fd(fd) == object->id && facts_survives_exec(fd))
			return true;
	return false;
}

/* What is not to be executed leaves nothing, and a shell tries every directory of PATH. */
static void tell_lost(const struct enforce_executed *program)
{
	if (!enforce_is_no_program(program))
		tell("exec");
}

/*
 * An exec that fails has lost nothing, and what the new program has open is its own to use: nothing is wiped. What is not
 * mapped was opened here, or is a forebear's, unless it is handed on to a program that is to know nothing of it.
 */
static void leave_by_exec(const struct object *object, const struct enforce_executed *program)
{
	struct policy_decision d;
	struct identity identity = {.dev = object->dev, .ino = object->ino};
	bool mapped = ledger_mapped_end(&identity), handed_on = !mapped && is_handed_on(object);
	int32_t holder;

	if (!decide(object, &d) || d.action[RULE_secret_left] == ACTION_off ||
	    (!mapped && !handed_on && (ledger_marks(&identity) & MARK_INHERITED)))
		return;
	int fd = handed_on ? open_held(object, &identity) : open_object(object, &identity);
	if (fd < 0) {
		if (mapped && is_out_of_reach(object, &d))
			tell_lost(program);
		return;
	}
	/* The mark goes with the old image; an exec that fails takes it back. */
	if (!handed_on)
		claim_leave(&identity);
	bool lost = !handed_on || (identity.links && !enforce_is_taken_up(&identity, program));
	if (lost && wipe_has_data(fd, &identity)) {
		const char *use = use_at_leaving(&d, &identity, true, &holder);
		if (!use || (use == enforce_perhaps_mapped && wants_wipe(&d)))
			tell_lost(program);
	}
	kernel_close(fd);
}

void enforce_exec(const struct enforce_executed *program, const void *caller)
{
	struct object object;

	for (unsigned i = 0; ledger_object_at(i, &object); i++) {
		enforce_begin();
		leave_by_exec(&object, program);
		enforce_end(caller);
		enforce_forget();
	}
}

void enforce_exec_failed(void)
{
	claim_stay();
}

void enforce_exit(void (*record)(const struct object *object, void *context), void *context)
{
	struct object object;

	ending_begin();
	for (unsigned i = 0; ledger_object_at(i, &object); i++) {
		if (decides_leaving(&object, LEAVING_by_exit, NULL))
			record(&object, context);
	}
}
