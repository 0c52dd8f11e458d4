/* What the judges of findings made at one call share: permission, zeroing and lifetime. */
#ifndef SHMGUARD_JUDGE_CALL_H
#define SHMGUARD_JUDGE_CALL_H

#include "judge.h"

/* A finding of the group, with nothing in it that the tables do not have. */
bool call_of(const struct finding_event *event, enum rule_group group);

/* Is that the call which created the object? */
bool call_created(const struct object *object, const struct site *site);

/* The object's name, else the one that the call gave. */
const char *call_name(const struct object *object, const struct finding_event *event);

/* As the event tells it, without a message; of an object, or of the name alone that the call gave in vain. */
struct finding call_finding(const struct object *object, const struct finding_event *event);

/* The policy refused or repaired the call before anything was known of it but the rule; its sentence, a new text. */
bool call_is_bare(const struct finding_event *event);
char *call_bare_words(const struct object *object, const struct finding_event *event, const char *who);

/* Did the process find an object that nobody maps, left by one that has ended? */
bool call_stale(const struct object *object, const struct process *process);

/* judge_permission_words.c: one sentence, a new text. */
char *permission_words(const struct object *object, const struct finding_event *event, const struct site *site);

#endif
