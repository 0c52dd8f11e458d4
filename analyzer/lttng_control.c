#include "analyzer/lttng_control.h"

#include <assert.h>
#include <inttypes.h>
#include <lttng/lttng.h>
#include <lttng/snapshot.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/limited.h"
#include "tracepoints/environment.h"
#include "tracepoints/events.h"

/* A process's definitions are few and small beside its calls. */
#define STATE_SUBBUFFER (UINT64_C(1) << 20)
#define CALLS_SUBBUFFERS 8
#define STATE_SUBBUFFERS 4

/* Of what is kept of the calls: the fewest pieces and the least size of one. What is let go is let go by the piece. */
#define PIECES_MIN 4
#define PIECES_MAX 16
#define PIECE_MIN (UINT64_C(32) << 10)

static_assert(PIECES_MAX >= CALLS_SUBBUFFERS &&
		      PIECES_MAX * LTTNG_CONTROL_SUBBUFFER_MAX + STATE_SUBBUFFERS * STATE_SUBBUFFER ==
			      BUFFERS_PER_PROCESSOR,
	      "a process is to know how much room it needs");

/* Microseconds. With a read timer the consumer looks for full sub-buffers itself: emission makes no system call. */
#define READ_TIMER 100000
#define SWITCH_TIMER 1000000

/*
 * The library warns of a small stack while it is loaded, on the standard error that is the program's as well. This is its own
 * variable: what else it would say by itself we tell, from what its functions answer.
 */
extern int lttng_opt_quiet;
int lttng_opt_quiet = 1;

static const struct {
	const char *event, *channel;
} events[] = {
#define EVENT_ROW(event, channel) {"shmguard:" #event, #channel},
	EVENTS(EVENT_ROW)
#undef EVENT_ROW
};

static uint64_t lttng_control_cpus(void)
{
	return (uint64_t)sysconf(_SC_NPROCESSORS_CONF);
}

uint64_t lttng_control_need(const struct lttng_rings *rings)
{
	return lttng_control_cpus() * (rings->subbuffer * rings->subbuffers + STATE_SUBBUFFER * STATE_SUBBUFFERS);
}

int lttng_control_plan(struct lttng_rings *rings, uint64_t subbuffer, uint64_t most, bool flight, uint64_t *least)
{
	uint64_t share = most / lttng_control_cpus(), pieces = PIECES_MAX, whole = subbuffer * CALLS_SUBBUFFERS;

	*rings = (struct lttng_rings){subbuffer, CALLS_SUBBUFFERS, 0, 0};
	*least = PIECES_MIN * PIECE_MIN * lttng_control_cpus();
	if (!most)
		return 0;
	if (most < *least)
		return -1;
	while (pieces > PIECES_MIN && share / pieces < PIECE_MIN)
		pieces /= 2;
	/* A sub-buffer is a power of two, and fits into a file. */
	while (rings->subbuffer > share / pieces)
		rings->subbuffer /= 2;
	rings->subbuffers = pieces;
	if (flight)
		return 0;
	rings->file = share / pieces;
	rings->files = pieces;
	/* Smaller sub-buffers, but as much room as ever for a burst. */
	rings->subbuffers = whole / rings->subbuffer;
	return 0;
}

void lttng_control_private(const char *home)
{
	setenv("LTTNG_HOME", home, 1);
	/* A member of the tracing group would be given the machine's daemon; nobody is in a group without a name. */
	lttng_set_tracing_group("");
}

static int lttng_control_failed(char *error, const char *what, int code)
{
	snprintf(error, LIMITED_TEXT, "%s: %s", what, lttng_strerror(code));
	return 1;
}

int lttng_control_alive(const void *context, char *error)
{
	(void)context;
	(void)error;
	return lttng_session_daemon_alive() == 1 ? 0 : 1;
}

int lttng_control_idle(const void *context, char *error)
{
	struct lttng_session *sessions = NULL;
	int count = lttng_list_sessions(&sessions), others = 0;

	(void)context;
	for (int i = 0; i < count; i++)
		others += strncmp(sessions[i].name, LTTNG_CONTROL_SESSION, strlen(LTTNG_CONTROL_SESSION)) != 0;
	free(sessions);
	if (count < 0)
		return lttng_control_failed(error, "cannot list the sessions", count);
	return others ? 1 : 0;
}

static int lttng_control_channel(struct lttng_handle *handle, struct lttng_domain *domain, const char *name,
				 const struct lttng_rings *rings, bool flight)
{
	struct lttng_channel *channel = lttng_channel_create(domain);
	int r;

	if (!channel)
		return -LTTNG_ERR_NOMEM;
	snprintf(channel->name, sizeof(channel->name), "%s", name);
	channel->attr.overwrite = flight;
	channel->attr.subbuf_size = rings->subbuffer;
	channel->attr.num_subbuf = rings->subbuffers;
	channel->attr.tracefile_size = rings->file;
	channel->attr.tracefile_count = rings->files;
	/* In memory a sub-buffer that is switched before it is full would waste room. */
	channel->attr.switch_timer_interval = flight ? 0 : SWITCH_TIMER;
	channel->attr.read_timer_interval = READ_TIMER;
	channel->attr.output = LTTNG_EVENT_MMAP;
	r = lttng_enable_channel(handle, channel);
	lttng_channel_destroy(channel);
	return r;
}

/*
 * The events of the channel; of that recording alone, 0: of all. By one rule, which leaves out the other channel's: each rule
 * is sent to every program that signs in, and answered.
 */
static int lttng_control_events(struct lttng_handle *handle, const char *channel, uint32_t recording)
{
	char filter[32], *others[sizeof(events) / sizeof(events[0])];
	struct lttng_event *event = lttng_event_create();
	int count = 0, r;

	if (!event)
		return -LTTNG_ERR_NOMEM;
	snprintf(filter, sizeof(filter), "recording == %" PRIu32, recording);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(events[i].channel, channel) != 0)
			others[count++] = (char *)events[i].event;
	event->type = LTTNG_EVENT_TRACEPOINT;
	event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
	event->loglevel = -1;
	snprintf(event->name, sizeof(event->name), "shmguard:*");
	r = lttng_enable_event_with_exclusions(handle, event, channel, recording ? filter : NULL, count, others);
	lttng_event_destroy(event);
	return r;
}

/* `calls` or `state` of the session, or both when `channel` is NULL. */
static int lttng_control_fill(const struct lttng_control *control, const char *session, const char *channel,
			      char *error)
{
	static const struct lttng_rings state = {STATE_SUBBUFFER, STATE_SUBBUFFERS, 0, 0};
	struct lttng_domain domain = {.type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID};
	bool flight = control->flight && session == control->flight;
	struct lttng_handle *handle;
	char buffers[4096];
	int r;

	/* Each session has files of the same names there. */
	snprintf(buffers, sizeof(buffers), "%s%s", control->buffers ? control->buffers : "", flight ? "/calls" : "");
	r = control->buffers ? lttng_set_session_shm_path(session, buffers) : 0;
	if (r < 0)
		return lttng_control_failed(error, "cannot place the ring buffers", r);
	handle = lttng_create_handle(session, &domain);
	if (!handle)
		return lttng_control_failed(error, "cannot use the session", -LTTNG_ERR_NOMEM);
	r = 0;
	if (!channel || !strcmp(channel, "calls")) {
		r = lttng_control_channel(handle, &domain, "calls", &control->rings, flight);
		if (r >= 0)
			r = lttng_control_events(handle, "calls", control->recording);
	}
	if (r >= 0 && (!channel || !strcmp(channel, "state"))) {
		r = lttng_control_channel(handle, &domain, "state", &state, false);
		if (r >= 0)
			r = lttng_control_events(handle, "state", control->recording);
	}
	lttng_destroy_handle(handle);
	if (r < 0)
		return lttng_control_failed(error, "cannot set up the session", r);
	r = lttng_start_tracing(session);
	return r < 0 ? lttng_control_failed(error, "cannot start the session", r) : 0;
}

/*
 * What the calls refer to cannot stay in memory with them: it would be overwritten, the oldest and most needed first. So
 * with `flight` it goes to disk, by a session of its own.
 */
int lttng_control_start(const void *context, char *error)
{
	const struct lttng_control *control = context;
	char url[4096 + 16];
	int r;

	snprintf(url, sizeof(url), "file://%s%s", control->trace, control->flight ? "/state" : "");
	r = lttng_create_session(control->session, url);
	if (r < 0)
		return lttng_control_failed(error, "cannot create a session", r);
	r = lttng_control_fill(control, control->session, control->flight ? "state" : NULL, error);
	if (!r && control->flight) {
		r = lttng_create_session_snapshot(control->flight, NULL);
		if (r < 0)
			r = lttng_control_failed(error, "cannot create a session for snapshots", r);
		else
			r = lttng_control_fill(control, control->flight, "calls", error);
		if (r)
			lttng_destroy_session_no_wait(control->flight);
	}
	if (r)
		lttng_destroy_session_no_wait(control->session);
	return r;
}

int lttng_control_shot(const void *context, char *error)
{
	const struct lttng_control *control = context;
	struct lttng_snapshot_output *output = lttng_snapshot_output_create();
	int r = output ? 0 : -LTTNG_ERR_NOMEM;

	if (!r)
		r = lttng_snapshot_output_set_local_path(control->shot, output);
	if (!r)
		r = lttng_snapshot_record(control->flight, output, 0);
	lttng_snapshot_output_destroy(output);
	return r < 0 ? lttng_control_failed(error, "cannot write the calls", r) : 0;
}

int lttng_control_stop(const void *context, char *error)
{
	const struct lttng_control *control = context;
	const struct timespec pause = {.tv_nsec = 5000000};
	int pending = 1, r;

	r = lttng_stop_tracing_no_wait(control->session);
	if (r < 0 && r != -LTTNG_ERR_TRACE_ALREADY_STOPPED)
		return lttng_control_failed(error, "cannot stop the session", r);
	for (int i = 0; i < LTTNG_CONTROL_PENDING * 200 && pending == 1; i++) {
		pending = lttng_data_pending(control->session);
		if (pending == 1)
			nanosleep(&pause, NULL);
	}
	return pending == 1 ? 2 : 0;
}

int lttng_control_destroy(const void *context, char *error)
{
	const struct lttng_control *control = context;
	int r = control->flight ? lttng_destroy_session_no_wait(control->flight) : 0;

	if (r >= 0)
		r = lttng_destroy_session_no_wait(control->session);
	return r < 0 ? lttng_control_failed(error, "cannot end the session", r) : 0;
}
