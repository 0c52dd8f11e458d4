#include "analyzer/lttng_control.h"

#include <lttng/lttng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/limited.h"
#include "tracepoints/events.h"

/* A process's definitions are few and small beside its calls. */
#define STATE_SUBBUFFER (UINT64_C(1) << 20)
#define CALLS_SUBBUFFERS 8
#define STATE_SUBBUFFERS 4

/* Microseconds. With a read timer the consumer looks for full sub-buffers itself: emission makes no system call. */
#define READ_TIMER 100000
#define SWITCH_TIMER 1000000

static const struct {
	const char *event, *channel;
} events[] = {
#define EVENT_ROW(event, channel) {"shmguard:" #event, #channel},
	EVENTS(EVENT_ROW)
#undef EVENT_ROW
};

uint64_t lttng_control_need(uint64_t subbuffer)
{
	uint64_t cpus = (uint64_t)sysconf(_SC_NPROCESSORS_CONF);

	return cpus * (subbuffer * CALLS_SUBBUFFERS + STATE_SUBBUFFER * STATE_SUBBUFFERS);
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
				 uint64_t subbuffer, uint64_t count)
{
	struct lttng_channel *channel = lttng_channel_create(domain);
	int r;

	if (!channel)
		return -LTTNG_ERR_NOMEM;
	snprintf(channel->name, sizeof(channel->name), "%s", name);
	channel->attr.overwrite = 0;
	channel->attr.subbuf_size = subbuffer;
	channel->attr.num_subbuf = count;
	channel->attr.switch_timer_interval = SWITCH_TIMER;
	channel->attr.read_timer_interval = READ_TIMER;
	channel->attr.output = LTTNG_EVENT_MMAP;
	r = lttng_enable_channel(handle, channel);
	lttng_channel_destroy(channel);
	return r;
}

static int lttng_control_events(struct lttng_handle *handle)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sizeof(events) / sizeof(events[0]); i++) {
		struct lttng_event *event = lttng_event_create();

		if (!event)
			return -LTTNG_ERR_NOMEM;
		event->type = LTTNG_EVENT_TRACEPOINT;
		event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
		event->loglevel = -1;
		snprintf(event->name, sizeof(event->name), "%s", events[i].event);
		r = lttng_enable_event(handle, event, events[i].channel);
		lttng_event_destroy(event);
	}
	return r;
}

static int lttng_control_fill(const struct lttng_control *control, char *error)
{
	struct lttng_domain domain = {.type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID};
	struct lttng_handle *handle;
	int r;

	r = control->buffers ? lttng_set_session_shm_path(control->session, control->buffers) : 0;
	if (r < 0)
		return lttng_control_failed(error, "cannot place the ring buffers", r);
	handle = lttng_create_handle(control->session, &domain);
	if (!handle)
		return lttng_control_failed(error, "cannot use the session", -LTTNG_ERR_NOMEM);
	r = lttng_control_channel(handle, &domain, "calls", control->subbuffer, CALLS_SUBBUFFERS);
	if (r >= 0)
		r = lttng_control_channel(handle, &domain, "state", STATE_SUBBUFFER, STATE_SUBBUFFERS);
	if (r >= 0)
		r = lttng_control_events(handle);
	lttng_destroy_handle(handle);
	if (r < 0)
		return lttng_control_failed(error, "cannot set up the session", r);
	r = lttng_start_tracing(control->session);
	return r < 0 ? lttng_control_failed(error, "cannot start the session", r) : 0;
}

int lttng_control_start(const void *context, char *error)
{
	const struct lttng_control *control = context;
	char url[4096 + 16];
	int r;

	snprintf(url, sizeof(url), "file://%s", control->trace);
	r = lttng_create_session(control->session, url);
	if (r < 0)
		return lttng_control_failed(error, "cannot create a session", r);
	r = lttng_control_fill(control, error);
	if (r)
		lttng_destroy_session_no_wait(control->session);
	return r;
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
	int r = lttng_destroy_session_no_wait(control->session);

	return r < 0 ? lttng_control_failed(error, "cannot end the session", r) : 0;
}
