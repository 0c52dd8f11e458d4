/* The LTTng session of a recording, as run sees it. */
#ifndef SHMGUARD_SESSION_H
#define SHMGUARD_SESSION_H

#include <stdbool.h>

#include "analyzer/keeper.h"
#include "analyzer/problems.h"

struct session;

/*
 * Begins to record into plan->trace. NULL on failure, with *error one line for free(3). All signals must be blocked; the
 * private directory is the session's to remove from here on, also when this fails.
 */
struct session *session_begin(const struct keeper_plan *plan, char **error);

/* To be polled for reading; then session_look takes what there is to tell. -1 after the keeper's end. */
int session_descriptor(const struct session *session);
void session_look(struct session *session, struct problems *problems);

/* Has the calls written that plan->flight keeps in memory; soon, not at once. */
void session_shoot(struct session *session);

/* Stops recording, within KEEPER_STOP_SECONDS, and frees the session. */
void session_end(struct session *session, struct problems *problems);

#endif
