/* The rules of zeroing, as the processes found them broken at their calls. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "judge_call.h"
#include "memory.h"

static char *stale_words(const struct object *object, const struct finding_event *e, const char *who)
{
	return memory_format("%s attaches to %s with O_CREAT, which nobody maps and which still holds data: %" PRIu64
			     " bytes, the first that is not zero at %" PRId64,
			     who, call_name(object, e), e->size, e->offset);
}

static char *tail_words(const struct object *object, const struct finding_event *e, const char *who)
{
	return memory_format("%s grows %s from %" PRIu64 " to %" PRIu64 " bytes, and [%" PRId64 ", %" PRIu64 ") %s",
			     who, call_name(object, e), e->size, e->limit, e->offset, (uint64_t)e->offset + e->length,
			     e->error ? "may show what was stored past the old end: it could not be read"
				      : "shows what was stored past the old end");
}

static char *discard_words(const struct object *object, const struct finding_event *e, const char *who)
{
	return memory_format(
		"%s asks madvise(%s) to discard %" PRIu64 " bytes of %s: it answers 0 and the data stays in the object",
		who, e->limit == MADV_FREE ? "MADV_FREE" : "MADV_DONTNEED", e->length, call_name(object, e));
}

static void zeroing_found(struct court *court, struct process *process, struct object *object,
			  const struct finding_event *event, const struct site *site)
{
	struct role roles[] = {{"opened", *site}, {"created", object ? object->created : (struct site){0}}};
	struct finding finding;
	char *who;

	if (!call_of(event, GROUP_zeroing))
		return;
	if (event->rule == RULE_stale_bytes && event->response == RESPONSE_recorded && !call_stale(object, process))
		return;
	finding = call_finding(object, event);
	finding.bytes = event->length;
	who = judge_process(process);
	switch (event->rule) {
	case RULE_stale_bytes:
		finding.bytes = event->size;
		finding.message =
			call_is_bare(event) ? call_bare_words(object, event, who) : stale_words(object, event, who);
		break;
	case RULE_grow_exposes_tail:
		roles[0].role = "grown";
		finding.message = event->limit ? tail_words(object, event, who) : call_bare_words(object, event, who);
		break;
	case RULE_discard_no_op:
		roles[0].role = "discarded";
		finding.message = discard_words(object, event, who);
		break;
	default:
		roles[0].role = event->rule == RULE_secret_left ? "left" : "mapped";
		finding.message = call_bare_words(object, event, who);
		break;
	}
	finding.message = judge_response(finding.message, event);
	court_find(court, &finding, roles, 2);
	free(who);
}

const struct judge judge_zeroing = {.found = zeroing_found};
