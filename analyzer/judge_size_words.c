/* The rules of sizes in words: the arithmetic of each, and whose stacks belong to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge_size.h"
#include "memory.h"

static const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "an error";
}

const char *size_change_role(const struct change *change)
{
	switch (change->of) {
	case CHANGE_resized:
		return change->after < change->before ? "shrunk" : "sized";
	case CHANGE_truncated:
		return "emptied";
	case CHANGE_punched:
		return "punched";
	case CHANGE_refused:
		return "resize failed";
	case CHANGE_seen:
		break;
	}
	return "noticed";
}

/* What was done, for "WHO had ...". */
static char *deed(const struct change *change)
{
	switch (change->of) {
	case CHANGE_resized:
		return memory_format("%s it from %" PRIu64 " to %" PRIu64 " %s",
				     change->after < change->before ? "shrunk" : "sized", change->before, change->after,
				     judge_unit(change->after));
	case CHANGE_truncated:
		return memory_format("opened it with O_TRUNC, which emptied it of %" PRIu64 " %s,", change->before,
				     judge_unit(change->before));
	case CHANGE_punched:
		return memory_format("punched [%" PRIu64 ", %" PRIu64 ") out of it", change->offset,
				     change->offset + change->length);
	case CHANGE_refused:
		return memory_format("tried to resize it to %" PRIu64 " %s (%s)", change->after,
				     judge_unit(change->after), error_name(change->error));
	case CHANGE_seen:
		break;
	}
	return memory_format("found it resized from %" PRIu64 " to %" PRIu64 " %s", change->before, change->after,
			     judge_unit(change->after));
}

/* How long before `time`, with a blank ahead: nothing where it was told only afterwards; to be freed. */
static char *ago(const struct change *change, int64_t time)
{
	bool later = change->site.time > time;
	char *distance, *words;

	if (later && change->told)
		return memory_text("");
	distance = judge_time(later ? change->site.time - time : time - change->site.time);
	words = memory_format(" %s%s", change->told ? "at least " : "", distance);
	free(distance);
	return words;
}

char *size_change_words(const struct change *change, int64_t time)
{
	char *who, *what, *distance, *words;

	if (change->site.process == NULL)
		return memory_text("");
	who = judge_process(change->site.process);
	what = deed(change);
	distance = ago(change, time);
	words = memory_format("%s had %s%s before", who, what, distance);
	free(who);
	free(what);
	free(distance);
	return words;
}

static char *past_end_words(const struct charge *c, const char *who, const char *name)
{
	const struct finding_event *e = &c->event;
	char *cause = size_change_words(&c->cause, c->site.time), *sentence, *whole, *distance, *by;
	char *length = e->size ? memory_format("is %" PRIu64 " %s long", e->size, judge_unit(e->size))
			       : memory_text("has no size yet");

	sentence = memory_format("%s maps [%" PRId64 ", %" PRIu64 ") of %s, which %s: %s %" PRIu64 " is a SIGBUS%s%s%s",
				 who, e->offset, (uint64_t)e->offset + e->length, name, length, "the first touch past",
				 charge_edge(c), *cause ? " (" : "", cause, *cause ? ")" : "");
	free(cause);
	free(length);
	if (c->trimmed && !c->faulted && !c->cover.site.process) {
		whole = memory_format("%s; what lies past that was given up before anything touched it", sentence);
		free(sentence);
		return whole;
	}
	if (c->cover.site.process == NULL || c->faulted)
		return sentence;
	distance = judge_time(c->cover.site.time - c->site.time);
	by = judge_process(c->cover.site.process);
	whole = memory_format("%s; %s %s it %" PRIu64 " %s long %s%s later, and nothing had touched it", sentence, by,
			      c->cover.of == CHANGE_seen ? "found" : "made", c->cover.after, judge_unit(c->cover.after),
			      c->cover.told ? "at most " : "", distance);
	free(distance);
	free(by);
	free(sentence);
	return whole;
}

/* The policy has seen to it that it did not come to that. */
static bool is_averted(const struct charge *c)
{
	return c->event.response == RESPONSE_denied || c->event.response == RESPONSE_fixed;
}

/* Why it is not known who maps what is cut off, whether nobody was seen or somebody was. */
static const struct blindness {
	int error;
	const char *nobody, *others;
} blindnesses[] = {
	{EACCES, "is not known: it may not look at other users' processes",
	 " (the mappings of some processes could not be looked at)"},
	{EAGAIN, "was not looked at: it shrinks objects too often for that",
	 " (others were not looked at: it shrinks objects too often for that)"},
	{ENOENT, "is not known: there is no /proc", " (others could not be looked at: there is no /proc)"},
	{ETIMEDOUT, "was not to be seen in time", " (not all processes could be looked at: there were too many)"},
	{0, "was not to be seen in time", ""},
};

static const struct blindness *blindness_of(int error)
{
	const struct blindness *blindness = blindnesses;

	while (blindness->error && blindness->error != error)
		blindness++;
	return blindness;
}

static char *shrink_words(const struct charge *c, const char *who, const char *name)
{
	const struct finding_event *e = &c->event;

	if (e->limit == 0)
		return memory_format("%s shrinks %s from %" PRIu64 " to %" PRIu64 " %s; whether others map what is cut "
				     "off %s",
				     who, name, e->size, e->length, judge_unit(e->length),
				     blindness_of(e->error)->nobody);
	char *other = c->event.other == 0 ? memory_text("it")
		      : c->other          ? judge_process(c->other)
					  : memory_format("pid %d", (int)e->other);
	const char *more =
		c->trimmed ? "; it gave up what lies past that within a second" : blindness_of(e->error)->others;
	char *words = memory_format("%s shrinks %s from %" PRIu64 " to %" PRIu64 " %s while %s maps it up to %" PRIu64
				    ": the next touch past %" PRIu64 " %s a SIGBUS%s",
				    who, name, e->size, e->length, judge_unit(e->length), other, e->limit,
				    charge_edge(c), is_averted(c) ? "would be" : "is", more);

	free(other);
	return words;
}

static char *truncate_words(const struct charge *c, const char *who, const char *name)
{
	char *other = c->other ? judge_process(c->other) : NULL;
	bool averted = is_averted(c);
	char *words = memory_format("%s opens %s with O_TRUNC, which %s it of %" PRIu64 " %s%s%s%s", who, name,
				    averted ? "would empty" : "empties", c->event.size, judge_unit(c->event.size),
				    other ? " while " : "", other ? other : "",
				    !other    ? ""
				    : averted ? " maps it: any touch would be a SIGBUS"
					      : " maps it: any touch is a SIGBUS now");

	free(other);
	return words;
}

static char *full_words(const struct charge *c, const char *who, const char *name)
{
	const struct finding_event *e = &c->event;
	const char *fate = c->faulted ? "" : c->over ? "; it was given up before anything touched more than that" : "";

	if (c->resizing)
		return memory_format("%s sizes %s to %" PRIu64 " bytes, but its file system has only %" PRIu64
				     " bytes left: touching more is a SIGBUS%s",
				     who, name, e->length, e->limit, fate);
	return memory_format("%s maps [%" PRId64 ", %" PRIu64
			     ") of %s, of which not all has pages, but its file system "
			     "has only %" PRIu64 " bytes left: touching more is a SIGBUS%s",
			     who, e->offset, (uint64_t)e->offset + e->length, name, e->limit, fate);
}

static char *attacher_words(const struct charge *c, const char *who, const char *name)
{
	const struct process *creator = c->object ? c->object->created.process : NULL;
	char *owner = creator ? judge_process(creator) : judge_nobody(c->object);
	char *words = memory_format("%s resizes %s from %" PRIu64 " to %" PRIu64 " %s, which %s created", who, name,
				    c->event.size, c->event.length, judge_unit(c->event.length), owner);

	free(owner);
	return words;
}

static char *access_words(const struct charge *c, const char *who, const char *name)
{
	const struct finding_event *e = &c->event;

	if (e->error == EACCES)
		return memory_format("%s maps %s with an access that its descriptor was not opened for: %s", who, name,
				     error_name(e->error));
	if (e->limit && (uint64_t)e->offset % e->limit)
		return memory_format("%s maps %s from offset %" PRId64 ", which is no multiple of the page of %" PRIu64
				     " bytes: %s",
				     who, name, e->offset, e->limit, error_name(e->error));
	return memory_format("%s resizes %s through a descriptor that is not open for writing: %s", who, name,
			     error_name(e->error));
}

static char *huge_words(const struct charge *c, const char *who, const char *name)
{
	const struct finding_event *e = &c->event;

	if (e->rule == RULE_huge_page_misaligned)
		return memory_format("%s gives offset %" PRId64 " and length %" PRIu64
				     " for %s, whose pages have %" PRIu64 " bytes: %s",
				     who, e->offset, e->length, name, e->limit,
				     e->error ? error_name(e->error) : "the kernel silently keeps to whole pages");
	return memory_format("%s maps %" PRIu64 " bytes of huge pages of %s without reserving them, and the pool has "
			     "%" PRIu64 " bytes left: touching more is a SIGBUS",
			     who, e->length, name, e->limit);
}

static char *limit_words(const struct charge *c, const char *who, const char *name)
{
	const struct finding_event *e = &c->event;

	switch (e->rule) {
	case RULE_memory_limit:
		return memory_format("%s grows %s from %" PRIu64 " to %" PRIu64
				     " bytes, but its memory cgroup has only "
				     "%" PRIu64 " bytes left: touching more is an OOM kill (SIGKILL)",
				     who, name, e->size, e->length, e->limit);
	case RULE_file_size_limit:
		return memory_format("%s resizes %s to %" PRIu64 " bytes, but RLIMIT_FSIZE is %" PRIu64
				     ": EFBIG and a SIGXFSZ",
				     who, name, e->length, e->limit);
	default:
		return memory_format("%s locks %" PRIu64 " bytes of %s, but only %" PRIu64
				     " may still be locked (RLIMIT_MEMLOCK): %s",
				     who, e->length, name, e->limit, error_name(e->error));
	}
}

static char *range_words(const struct charge *c, const char *who, const char *name)
{
	const struct finding_event *e = &c->event;
	uint64_t end = (uint64_t)e->offset + e->length;

	switch (e->rule) {
	case RULE_sparse_unreserved:
		return memory_format("%s maps [%" PRId64 ", %" PRIu64 ") of %s writable, of which %" PRIu64
				     " bytes have memory and nothing reserves the rest",
				     who, e->offset, end, name, e->limit);
	case RULE_punch_unreserves:
		return memory_format("%s punches %" PRIu64 " %s at %" PRId64
				     " out of %s, which had been reserved: they can fail when they are touched again",
				     who, e->length, judge_unit(e->length), e->offset, name);
	case RULE_tail_overrun:
		return memory_format("%s maps [%" PRId64 ", %" PRIu64 ") of %s, which is %" PRIu64
				     " %s long: what is written past that is never stored",
				     who, e->offset, end, name, e->size, judge_unit(e->size));
	case RULE_private_map:
		return memory_format("%s maps [%" PRId64 ", %" PRIu64
				     ") of %s MAP_PRIVATE and writable: no other process sees what it writes there",
				     who, e->offset, end, name);
	case RULE_reservation_interrupted:
		return memory_format("a signal interrupted %s while it reserved [%" PRId64 ", %" PRIu64
				     ") of %s: %s, and not all of it is reserved",
				     who, e->offset, end, name, error_name(e->error));
	default:
		return memory_format("%s: %s", who, rules[e->rule].summary);
	}
}

static char *words_of(const struct charge *charge, const char *who, const char *name)
{
	switch (charge->event.rule) {
	case RULE_map_beyond_end:
	case RULE_map_before_size:
	case RULE_resize_failed_ignored:
		return past_end_words(charge, who, name);
	case RULE_shrink_under_map:
		return shrink_words(charge, who, name);
	case RULE_truncate_on_open:
		return truncate_words(charge, who, name);
	case RULE_shm_fs_full:
		return full_words(charge, who, name);
	case RULE_resize_by_attacher:
		return attacher_words(charge, who, name);
	case RULE_access_mismatch:
		return access_words(charge, who, name);
	case RULE_huge_page_misaligned:
	case RULE_huge_page_unbacked:
		return huge_words(charge, who, name);
	case RULE_memory_limit:
	case RULE_file_size_limit:
	case RULE_lock_limit:
		return limit_words(charge, who, name);
	default:
		return range_words(charge, who, name);
	}
}

char *size_words(const struct charge *charge)
{
	char *who = judge_process(charge->process);
	char *words = words_of(charge, who, judge_name_of(charge->object));

	free(who);
	return words;
}

enum severity size_severity(const struct charge *charge)
{
	enum severity severity = (enum severity)charge->event.severity;

	if (charge->event.rule == RULE_truncate_on_open)
		return charge->other ? SEVERITY_ERROR : severity;
	if (charge->faulted)
		return severity;
	if (charge->cover.site.process || charge->trimmed || (charge->event.rule == RULE_shm_fs_full && charge->over))
		return SEVERITY_NOTE;
	return severity;
}

static const char *own_role(const struct charge *charge)
{
	switch (charge->event.rule) {
	case RULE_shrink_under_map:
		return "shrunk";
	case RULE_truncate_on_open:
		return "emptied";
	case RULE_punch_unreserves:
		return "punched";
	case RULE_reservation_interrupted:
		return "reserved";
	case RULE_lock_limit:
		return "locked";
	case RULE_memory_limit:
	case RULE_file_size_limit:
	case RULE_resize_by_attacher:
		return "resized";
	case RULE_shm_fs_full:
		return charge->resizing ? "sized" : "mapped";
	case RULE_access_mismatch:
		return charge->event.error == EACCES || (charge->event.limit && charge->event.offset) ? "mapped"
												      : "resized";
	default:
		return "mapped";
	}
}

size_t size_roles(const struct charge *charge, struct role roles[static FINDING_STACKS_MAX])
{
	size_t count = 0;

	roles[count++] = (struct role){own_role(charge), charge->site};
	switch (charge->event.rule) {
	case RULE_map_beyond_end:
	case RULE_map_before_size:
	case RULE_resize_failed_ignored:
		if (charge->cause.site.process)
			roles[count++] = (struct role){size_change_role(&charge->cause), charge->cause.site};
		else if (charge->object)
			roles[count++] = (struct role){"created", charge->object->created};
		if (charge->cover.site.process)
			roles[count++] = (struct role){charge->cover.of == CHANGE_seen ? "noticed" : "sized later",
						       charge->cover.site};
		break;
	case RULE_shrink_under_map:
	case RULE_truncate_on_open:
		roles[count++] = (struct role){"mapped", charge->other_mapped};
		break;
	case RULE_resize_by_attacher:
		roles[count++] = (struct role){"created", charge->object ? charge->object->created : (struct site){0}};
		break;
	default:
		break;
	}
	return count;
}
