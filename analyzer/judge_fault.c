/*
 * sigbus-cause: a SIGBUS joined with what other processes did to the object before it. How it ended is known only at the
 * end of the process: it died, went on behind a handler of its own, or was given a zero page; and only at the end of the
 * trace, whether calls are missing that could have been its cause.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "judge_fault.h"
#include "judge_size.h"
#include "memory.h"
#include "pages.h"

/* A handler that means to end the process does so at once, or when it has told what there is to tell. */
#define AT_ONCE 50000000
#define HANDLING 30000000000

struct blow {
	struct blow *next; /* the one before */
	struct fault_event event;
	struct object *object; /* or NULL */
	struct site site, mapped;
	struct change culprit; /* without process: not known */
	struct change sizing;  /* what gave the object its size, when the process ended */
	struct crowd *crowd;   /* of a full file system, or NULL */
	bool shorter;          /* than the trace had it, by calls that are not in it */
	bool changed;          /* the same, in either direction */
	int64_t sized;         /* when the trace told its size last, before the fault did */
	enum calls_missing missing;
};

/* A process that ended and what befell it, kept until all of the trace was read. */
struct fall {
	struct fall *next;
	struct process *process;
	struct blow *blow;   /* the latest, or NULL: */
	struct blind *blind; /* nothing told of the signal that it died of */
};

/*
 * The change by which the object lost the byte at `offset`. What took no byte from there is passed over. noticing: one
 * that somebody found, of whoever made it, will do.
 */
static struct change culprit_of(const struct object *object, uint64_t offset, bool noticing)
{
	struct change noticed = {0};

	for (size_t i = object->change_count; i > 0; i--) {
		const struct change *change = &object->changes[i - 1];

		if (change->of == CHANGE_refused || change->of == CHANGE_punched)
			continue;
		if (change->after > offset)
			break;
		if (change->before <= offset)
			continue;
		if (change->of != CHANGE_seen)
			return *change;
		if (noticing && noticed.site.process == NULL)
			noticed = *change;
	}
	return noticed;
}

static struct change punch_at(const struct object *object, uint64_t offset)
{
	for (size_t i = object->change_count; i > 0; i--) {
		const struct change *change = &object->changes[i - 1];

		if (change->of == CHANGE_punched && offset >= change->offset &&
		    offset - change->offset < change->length)
			return *change;
	}
	return (struct change){0};
}

struct change fault_sizing(const struct object *object)
{
	for (size_t i = object->change_count; i > 0; i--)
		if (object->changes[i - 1].of == CHANGE_resized || object->changes[i - 1].of == CHANGE_truncated)
			return object->changes[i - 1];
	return (struct change){0};
}

/* Afterwards its own fault is among what somebody found. */
static void find_culprit(struct blow *blow, bool afterwards)
{
	if (blow->object == NULL || blow->culprit.site.process)
		return;
	if (blow->event.cause == CAUSE_past_end)
		blow->culprit = culprit_of(blow->object, (uint64_t)blow->event.offset, !afterwards);
	else if (blow->event.cause == CAUSE_tmpfs_full)
		blow->culprit = punch_at(blow->object, (uint64_t)blow->event.offset);
}

static void fault_fault(struct court *court, struct process *process, struct object *object,
			const struct fault_event *event, const struct site *site)
{
	struct blow *blow = memory_new(1, sizeof(*blow));
	const struct piece *piece = holdings_piece(process, event->addr);

	*blow = (struct blow){.event = *event, .object = object, .site = *site};
	if (piece)
		blow->mapped = piece->from->site;
	if (object) {
		object->charges++;
		blow->sized = object->sized;
		blow->shorter = event->cause == CAUSE_past_end && object->size > event->size;
		blow->changed = event->cause == CAUSE_past_end && pages_round(object->size) != pages_round(event->size);
	}
	find_culprit(blow, false);
	if (object && event->cause == CAUSE_tmpfs_full)
		blow->crowd = crowd_new(court->world, process, object);
	blow->next = map_get(&court->blows, (uintptr_t)process, 0);
	map_put(&court->blows, (uintptr_t)process, 0, blow);
}

/* Whom that leaves to have done it. */
static const char *shrinker(const struct blow *blow)
{
	if (blow->culprit.site.process || !blow->shorter)
		return "";
	switch (blow->missing) {
	case CALLS_let_go:
		return ", who shrank it is not known, as older calls were let go";
	case CALLS_lost:
		return ", who shrank it is not known, as events are missing";
	default:
		return ", somebody who is not recorded must have shrunk it";
	}
}

static char *past_end_reason(const struct blow *blow)
{
	const struct change *change = blow->culprit.site.process ? &blow->culprit : &blow->sizing;
	char *deed = size_change_words(change, blow->site.time), *reason;

	if (blow->culprit.site.process && blow->culprit.of != CHANGE_seen)
		return deed;
	reason = memory_format("it is %" PRIu64 " %s long%s%s%s%s", blow->event.size, judge_unit(blow->event.size),
			       shrinker(blow), *deed ? " (" : "", deed, *deed ? ")" : "");
	free(deed);
	return reason;
}

static char *full_reason(const struct blow *blow)
{
	char *deed = size_change_words(&blow->culprit, blow->site.time), *reason;

	reason = memory_format("that page was not there yet, and its file system is full (%" PRIu64 " bytes left)%s%s",
			       blow->event.available, *deed ? "; " : "", deed);
	free(deed);
	return reason;
}

static char *reason_of(const struct blow *blow)
{
	switch (blow->event.cause) {
	case CAUSE_past_end:
		if (blow->object)
			return past_end_reason(blow);
		return memory_format("it is %" PRIu64 " %s long", blow->event.size, judge_unit(blow->event.size));
	case CAUSE_tmpfs_full:
		return full_reason(blow);
	case CAUSE_no_huge_page:
		return memory_format("there was no huge page for it (%" PRIu64 " bytes free in the pool)",
				     blow->event.available);
	case CAUSE_hardware:
		return memory_text("the memory is broken, says the kernel (a hardware error)");
	case CAUSE_sent:
		return memory_text("it was sent by kill(2), raise(3) or their like, no memory was touched");
	case CAUSE_not_ours:
		return memory_format("the address 0x%" PRIx64 " lies in no shared memory that shmguard knows",
				     blow->event.addr);
	default:
		return memory_text("the reason is not known");
	}
}

static enum remedy past_end_remedy(const struct process *process, const struct blow *blow)
{
	const struct change *culprit = &blow->culprit;

	if (culprit->site.process && culprit->of == CHANGE_truncated)
		return REMEDY_emptied;
	if (culprit->site.process && culprit->of == CHANGE_resized)
		return culprit->site.process->pid == process->pid ? REMEDY_shrunk_itself : REMEDY_shrunk;
	return culprit->site.process || blow->shorter ? REMEDY_shrunk : REMEDY_too_short;
}

static enum remedy remedy_of(const struct process *process, const struct blow *blow)
{
	switch (blow->event.cause) {
	case CAUSE_past_end:
		return past_end_remedy(process, blow);
	case CAUSE_tmpfs_full:
		return blow->culprit.site.process ? REMEDY_punched : REMEDY_full;
	case CAUSE_no_huge_page:
		return REMEDY_no_huge_page;
	case CAUSE_hardware:
		return REMEDY_hardware;
	case CAUSE_sent:
		return REMEDY_sent;
	case CAUSE_not_ours:
		return REMEDY_not_ours;
	default:
		return REMEDY_of_rule;
	}
}

static const char *doing(uint8_t access)
{
	return access == ACCESS_read ? "reading" : access == ACCESS_write ? "writing" : "touching";
}

/* What was touched. */
static char *place_of(const struct blow *blow)
{
	if (blow->event.cause == CAUSE_sent || blow->event.cause == CAUSE_not_ours)
		return memory_text("");
	return memory_format(" %s %s at offset %" PRId64, doing(blow->event.access), judge_name_of(blow->object),
			     blow->event.offset);
}

static bool dies_of(const struct process *process, const struct blow *blow, bool latest)
{
	return latest && !blow->event.survived && process->ended == ENDED_signal && process->signal == SIGBUS;
}

/* Others come from elsewhere as a rule. */
static bool is_own_doing(int signal)
{
	return signal == SIGABRT || signal == SIGBUS || signal == SIGSEGV || signal == SIGILL || signal == SIGFPE ||
	       signal == SIGTRAP || signal == SIGSYS;
}

/* Whether the handler still ran is known of exit(3) and its like. A signal is its doing that a program sends to itself. */
static bool ends_after(const struct process *process, const struct blow *blow, bool latest)
{
	int64_t later = process->ended_at - blow->site.time;

	if (!latest)
		return false;
	if (process->ended == ENDED_exit)
		return process->status && process->left_in_handler;
	return process->ended == ENDED_signal && later <= (is_own_doing(process->signal) ? HANDLING : AT_ONCE);
}

/* A handler that has put SIG_DFL back and sent the signal once more: what the process died of is the fault that it handled. */
static bool is_echo(const struct process *process, const struct blow *blow)
{
	const struct blow *fault = blow->next;

	if (blow->event.cause != CAUSE_sent || !blow->event.addr || process->ended != ENDED_signal ||
	    process->signal != SIGBUS)
		return false;
	while (fault && (fault->event.cause == CAUSE_sent || fault->event.addr != blow->event.addr))
		fault = fault->next;
	return fault;
}

static struct blow *forget(struct blow *blow)
{
	struct blow *before = blow->next;

	if (blow->object)
		blow->object->charges--;
	crowd_free(blow->crowd);
	free(blow);
	return before;
}

static char *fate_of(const struct process *process, const struct blow *blow, bool latest)
{
	char *who = judge_process(process), *place = place_of(blow), *fate;
	const char *name = process->ended == ENDED_signal ? sigabbrev_np(process->signal) : NULL;

	if (dies_of(process, blow, latest))
		fate = memory_format("%s died of SIGBUS%s", who, place);
	else if (blow->event.survived)
		fate = memory_format("%s got a zero page instead of a SIGBUS%s", who, place);
	else if (process->ended == ENDED_unknown && latest)
		fate = memory_format("%s got a SIGBUS%s, and was not seen again", who, place);
	else if (ends_after(process, blow, latest) && name)
		fate = memory_format("%s got a SIGBUS%s, and SIG%s ended it", who, place, name);
	else if (ends_after(process, blow, latest))
		fate = memory_format("%s got a SIGBUS%s, and its own handler ended it with status %d", who, place,
				     process->status);
	else
		fate = memory_format("%s got a SIGBUS%s, and its own handler went on", who, place);
	free(who);
	free(place);
	return fate;
}

static enum severity severity_of(const struct process *process, const struct blow *blow, bool latest)
{
	if (blow->event.cause == CAUSE_not_ours || blow->event.cause == CAUSE_sent)
		return SEVERITY_NOTE;
	if (blow->event.survived || dies_of(process, blow, latest) || ends_after(process, blow, latest) ||
	    (latest && process->ended == ENDED_unknown))
		return SEVERITY_ERROR;
	return SEVERITY_WARNING;
}

static void tell(struct court *court, const struct process *process, struct blow *blow, bool latest)
{
	struct finding finding = {.rule = RULE_sigbus_cause, .object = blow->object, .told = blow->event.seq};
	struct role roles[FINDING_STACKS_MAX] = {{"touched", blow->site}};
	char *fate = fate_of(process, blow, latest), *reason, *crowd;
	struct site filled = {0}; /* the largest other object on a full file system */
	size_t count = 1;

	blow->missing = fault_missing(court, process, blow->sized);
	finding.uncertain = blow->changed && blow->missing;
	reason = reason_of(blow);
	finding.severity = severity_of(process, blow, latest);
	finding.remedy = remedy_of(process, blow);
	/* After the last zero page that there is comes the death. */
	finding.kind = blow->event.survived;
	crowd = blow->crowd ? crowd_words(blow->crowd, blow->object, &filled) : memory_text("");
	finding.message = memory_format("%s: %s%s", fate, reason, crowd);
	finding.process = process;
	if (blow->culprit.site.process)
		roles[count++] = (struct role){size_change_role(&blow->culprit), blow->culprit.site};
	roles[count++] = (struct role){"mapped", blow->mapped};
	if (filled.process)
		roles[count++] = (struct role){"filled", filled};
	court_find(court, &finding, roles, count);
	free(fate);
	free(reason);
	free(crowd);
}

char *fault_words(const struct process *process, struct object *object, const struct fault_event *event)
{
	struct blow blow = {.event = *event, .object = object};
	char *who = judge_process(process), *place = place_of(&blow), *reason = reason_of(&blow), *words;

	words = memory_format("%s got a %s%s: %s", who, event->survived ? "zero page instead of a SIGBUS" : "SIGBUS",
			      place, reason);
	free(who);
	free(place);
	free(reason);
	return words;
}

/* Without the signal that was sent, and before what other threads met meanwhile. */
static struct blow *fault_first(struct blow *echo)
{
	uint64_t address = echo->event.addr;
	struct blow *first = forget(echo), **at = &first, *fault;

	while ((*at)->event.cause == CAUSE_sent || (*at)->event.addr != address)
		at = &(*at)->next;
	fault = *at;
	*at = fault->next;
	fault->next = first;
	return fault;
}

static void fault_ending(struct court *court, struct process *process)
{
	struct fall fall = {.process = process, .blow = map_remove(&court->blows, (uintptr_t)process, 0)}, *kept;

	if (fall.blow == NULL && process->ended == ENDED_signal && process->signal == SIGBUS)
		fall.blind = blind_new(court, process);
	if (fall.blow && is_echo(process, fall.blow))
		fall.blow = fault_first(fall.blow);
	if (fall.blow == NULL && fall.blind == NULL)
		return;
	/* What comes later has nothing to do with it. */
	for (struct blow *blow = fall.blow; blow; blow = blow->next) {
		find_culprit(blow, true);
		if (blow->object)
			blow->sizing = fault_sizing(blow->object);
	}
	kept = memory_new(1, sizeof(*kept));
	*kept = fall;
	if (court->last_fall)
		court->last_fall->next = kept;
	else
		court->first_fall = kept;
	court->last_fall = kept;
}

static void fault_finish(struct court *court)
{
	for (struct fall *fall = court->first_fall, *next; fall; fall = next) {
		struct blow *blow = fall->blow;

		next = fall->next;
		if (fall->blind)
			blind_tell(court, fall->process, fall->blind);
		for (bool latest = true; blow; latest = false, blow = forget(blow))
			tell(court, fall->process, blow, latest);
		free(fall);
	}
	map_clear(&court->blows);
	court->first_fall = court->last_fall = NULL;
}

const struct judge judge_fault = {.fault = fault_fault, .ending = fault_ending, .finish = fault_finish};
