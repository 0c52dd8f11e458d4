/* sigbus-cause of a process that died of a SIGBUS without telling of it: what it maps is all there is to go by. */
#include <inttypes.h>
#include <stdlib.h>

#include "judge_fault.h"
#include "judge_size.h"
#include "memory.h"
#include "pages.h"

struct blind {
	struct object *object; /* NULL: what it maps is long enough */
	uint64_t end, size;    /* bytes of it that are mapped, and that there were */
	struct change change;  /* what gave it that size */
	struct site mapped;
	int64_t since; /* when the trace told its size last; 0: it has all mappings, if no call is missing */
};

enum calls_missing fault_missing(const struct court *court, const struct process *process, int64_t since)
{
	if (court->doubtful || court->world->lost)
		return CALLS_lost;
	return since < world_let_go_until(court->world, process->recording) ? CALLS_let_go : CALLS_none;
}

/* The mapping that most likely killed it: one that its object no longer reaches. */
static const struct piece *suspect(const struct process *process)
{
	const struct piece *found = NULL;
	int64_t latest = INT64_MIN;

	for (size_t i = 0; i < process->holdings->piece_count; i++) {
		const struct piece *piece = &process->holdings->pieces[i];
		const struct object *object = piece->from->object;
		struct change change = fault_sizing(object);

		if (piece->from->semaphore || piece->end - piece->from->base <= pages_round(object->size) ||
		    (found && change.site.time < latest))
			continue;
		found = piece;
		latest = change.site.time;
	}
	return found;
}

struct blind *blind_new(struct court *court, struct process *process)
{
	const struct piece *piece = suspect(process);
	struct blind *blind;

	if (process->holdings->piece_count == 0)
		return NULL;
	blind = memory_new(1, sizeof(*blind));
	if (piece == NULL) {
		blind->mapped = process->holdings->pieces[0].from->site;
		return blind;
	}
	*blind = (struct blind){.object = piece->from->object,
				.end = piece->end - piece->from->base,
				.size = piece->from->object->size,
				.change = fault_sizing(piece->from->object),
				.mapped = piece->from->site,
				.since = piece->from->object->sized};
	blind->object->charges++;
	judge_size.fault(court, process, blind->object, &(struct fault_event){.cause = CAUSE_past_end}, &blind->mapped);
	return blind;
}

/* Its own doing it was only if the event that tells of the signal cannot be among those that are missing. */
static const char *why_blind(const struct court *court, const struct process *process)
{
	return court->doubtful || process->lost
		       ? "died of a SIGBUS, and the event that would tell where is missing"
		       : "died of a SIGBUS that it had blocked or ignored, so that nothing could tell where";
}

void blind_tell(struct court *court, const struct process *process, struct blind *blind)
{
	struct finding finding = {.rule = RULE_sigbus_cause,
				  .severity = SEVERITY_ERROR,
				  .object = blind->object,
				  .process = process,
				  .time = process->ended_at};
	char *who = judge_process(process), *deed = size_change_words(&blind->change, process->ended_at);
	const char *why = why_blind(court, process);
	enum calls_missing missing = fault_missing(court, process, blind->since);

	if (blind->object)
		finding.message =
			memory_format("%s %s: it maps %s up to %" PRIu64 ", which is %" PRIu64 " %s long%s%s%s", who,
				      why, judge_name_of(blind->object), blind->end, blind->size,
				      judge_unit(blind->size), *deed ? " (" : "", deed, *deed ? ")" : "");
	else
		finding.message = memory_format(
			"%s %s%s", who, why,
			missing == CALLS_none ? "; all that it maps is long enough: its file system may have been full"
			: missing == CALLS_let_go ? "; what older calls mapped is not known, as they were let go"
						  : "");
	finding.uncertain = missing;
	court_find(court, &finding,
		   (struct role[]){{"mapped", blind->mapped}, {size_change_role(&blind->change), blind->change.site}},
		   2);
	if (blind->object)
		blind->object->charges--;
	free(who);
	free(deed);
	free(blind);
}
