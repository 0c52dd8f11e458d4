/*
 * The policy in force in this process. It stands between a wrapper and the original: a wrapper calls enforce_<call>()
 * where it would call REAL(<call>), and records what came of it as ever. What was decided is kept until the wrapper's
 * event is recorded, so that the findings refer to it.
 *
 * A denied call answers the errno of the rule's row and has had no effect.
 */
#ifndef SHMGUARD_ENFORCE_H
#define SHMGUARD_ENFORCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "preload/check.h"
#include "preload/facts.h"
#include "preload/identity.h"
#include "tracepoints/policy.h"

/* Is there a policy that may change a call? One load. */
extern bool enforce_on;

/* Does no finding reach anybody where nothing is recorded, and no section apply to certain names only? */
extern bool enforce_unheard;

/* Does the policy, or a report, need to know what is mapped? */
extern bool enforce_maps;

/* Does any section limit how many objects there may be? Then each that is made counts. */
extern bool enforce_counts;

/* When this program was started, or forked, by the clock of file times. */
extern struct timespec enforce_started;

/* Reads SHMGUARD_PROFILE and SHMGUARD_POLICY; a policy that cannot be loaded ends the process with status 125. */
void enforce_initialise(void);
/* In a forked child: it starts now. */
void enforce_fork_reset(void);

/* What applies to the object of that name ("/x", or a path below /dev/shm, or NULL). */
void enforce_decide(const char *name, struct policy_decision *decision);
/*
 * The same for an object that is known by a descriptor, a path or a mapping. Answers its name, NULL if none is known: in
 * memory of the decision under way.
 */
const char *enforce_decide_object(const struct identity *identity, struct policy_decision *decision);

/* Is there a section for objects of certain names, of which this is one? */
bool enforce_names(const char *name);

/* Does it ask for any wiping at an end? Or for clearing what is attached to? */
extern bool enforce_wipes, enforce_clears;

enum enforce_verdict { VERDICT_go, VERDICT_deny, VERDICT_fix };

/* Around all that is decided for one call; the second writes the audit trail. */
void enforce_begin(void);
/* The same for what is decided after the call, whose earlier decisions stay for its event. */
void enforce_resume(void);
void enforce_end(const void *caller);
/* Is this thread deciding? */
bool enforce_busy(void);
/* This thread jumps to where the stack stands at that address: what was under way further down never ends. */
void enforce_left(uintptr_t stack);
/* Forgets what was decided on a creation that found the object existing. */
void enforce_forget(void);
/* The same for what was decided after the first so many. */
void enforce_forget_from(unsigned decided);
/* What was denied concerns that object, of which the event of a call that opens nothing knows nothing. */
void enforce_denied_for(const struct identity *identity);
/* Was the call that is being recorded denied? Its error is then ours, and no check explains it. */
bool enforce_denied(void);

/* The bits of a mode that the call which is being recorded was made without. */
uint32_t enforce_clamped(void);

/* How many decisions were not recorded yet? */
unsigned enforce_decided(void);
/* Is one of them that rule's denial, or would it be in audit mode? */
bool enforce_denies(enum rule_id rule);

/*
 * A rule is broken by the call that is about to be made: what is to be done? Keeps the finding for the call's event; on
 * deny errno is set. `error`: instead of the errno of the rule's row, or 0.
 */
enum enforce_verdict enforce_broken(const struct policy_decision *decision, const struct check_finding *finding,
				    int error);

#define ENFORCE(decision, rule_name, ...)                                                                              \
	enforce_broken(decision,                                                                                       \
		       &(struct check_finding){                                                                        \
			       .rule = RULE_##rule_name, .severity = rules[RULE_##rule_name].severity, __VA_ARGS__},   \
		       0)

/*
 * The same of what takes pages away from those: where it is not known whether anybody is there (FACTS_unknown) the line says
 * so, and where nobody can tell (FACTS_unseen) it is only recorded.
 */
enum enforce_verdict enforce_broken_for(const struct policy_decision *decision, const struct check_finding *finding,
					enum facts_use losers);

/* The same for a rule whose fix is a refusal, too. */
enum enforce_verdict enforce_refuse(const struct policy_decision *decision, enum rule_id rule);

/* The same of all objects, whatever their names. */
bool enforce_asks_everywhere(enum rule_id rule);

/* Is it worth looking whether the rule is broken? */
static inline bool enforce_asks(const struct policy_decision *decision, enum rule_id rule)
{
	return decision->action[rule] >= ACTION_deny;
}

/* Is all that would be denied or fixed only told? */
bool enforce_audits(void);

/* What was to be fixed of that rule, or was found, was undone, or not done at all: it was not decided, unless denied. */
void enforce_undone(enum rule_id rule);

/* A fix that was decided could not be done; the finding then says that nothing was. */
void enforce_not_fixed(enum rule_id rule);
/* The fix has made the call fail with that errno, and changed nothing. */
void enforce_fix_failed(enum rule_id rule, int error);
/* A wipe, or the removal of a name, that was decided could not be done; why: a word, e.g. an errno's name. */
void enforce_not_done(enum rule_id rule, const char *why);
/* Told in the audit trail alone: of what the policy has wiped, and cannot be now, though nothing is wrong yet. */
void enforce_tell_not_wiped(const struct check_finding *finding, const char *why);

/*
 * Runs a check on a call that is about to be made: all that it finds of it is collected between the two. The first that is
 * to be denied decides, else the first that is to be fixed, which *fixes then has, whatever is found before it. full: what a
 * full file system answers to this call.
 */
void enforce_collect(void);
enum enforce_verdict enforce_collected(const struct policy_decision *decision, enum rule_id *fixes, int full);
/* For check_found(): was it collected; was something decided of that rule before the call? */
bool enforce_collects(const struct check_finding *finding);
bool enforce_has(enum rule_id rule);

/* What was denied is of that object of the trace, to which a call without effect does not lead. */
void enforce_concerns(uint32_t object);
/* What was decided of what had that name until a rename gives it to another object, of which its event is, is of that one. */
void enforce_concerns_replaced(const char *name, uint32_t object);
/*
 * The event of a call is queued, to be settled later: what was decided of it goes to the queue (NULL: is forgotten). Around its
 * settling that is what was decided, and after it NULL.
 */
struct enforce_told;
void enforce_hand_over(struct enforce_told *told, const void *caller);
void enforce_settle(struct enforce_told *told);
/* Hands what was kept since the last event to `each`, and forgets it. object: see enforce_concerns(), or 0. */
void enforce_kept(void (*each)(const struct check_finding *finding, enum response response, uint32_t object));

/*
 * What is to be done of a fault in that object. *name: by which it was known, or NULL; then that by which it was decided, in
 * `text` if need be. Async-signal-safe, and nothing of a decision under way is touched.
 */
enum policy_action enforce_faulted(const struct identity *identity, const char **name, char text[static 512]);

/* By the policy's `owner` and `allow-uid`, or else by whether the owner is a stranger to this user. */
bool enforce_foreign(const struct identity *identity, bool stranger);
/* Is the removal of a name of the object one that the policy denies, or would deny? */
bool enforce_judges_removal(const struct identity *identity);

/* What the policy wants recorded at all, and told live. */
enum policy_action enforce_action(const struct identity *identity, enum rule_id rule);

#endif
