/* What came of calls that are told of before they are made: in which order the events pass, and what is known of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/settle.h"

static int number, failures;
static struct settle *settle;
static uint32_t seq;
static char passed[256];
static struct outcome outcomes[16];

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static bool is_of(const struct trace_event *event, const char *host)
{
	return event == NULL || strcmp(event->host, host) == 0;
}

/* Writes down the numbers of what passes, "+" where the end of a call comes with it, "'" where it was told before. */
static int on_settled(void *context, const struct trace_event *event, const struct outcome *outcome,
		      const struct trace_event *answer)
{
	size_t length = strlen(passed);

	(void)context;
	outcomes[event->event.head.seq] = *outcome;
	snprintf(passed + length, sizeof(passed) - length, "%u%s%s%s ", event->event.head.seq, answer ? "+" : "",
		 outcome->told ? "'" : "", is_of(event, "box") && is_of(answer, "box") ? "" : ", of no host");
	return 0;
}

static void begin(void)
{
	seq = 0;
	passed[0] = 0;
	memset(outcomes, 0, sizeof(outcomes));
	settle = settle_new(on_settled, NULL);
}

static bool end(const char *expected)
{
	settle_end(settle);
	settle_free(settle);
	if (strcmp(passed, expected) != 0)
		printf("# passed: %s, not %s\n", passed, expected);
	return strcmp(passed, expected) == 0;
}

static uint32_t add(enum event_id id, int tid, union any_event event)
{
	static char host[4];
	struct trace_event out = {.id = id, .time = 100 + seq + 1, .host = host, .event = event};

	memcpy(host, "box", sizeof(host));
	out.event.head = (struct event_head){.recording = 1, .pid = 10, .tid = tid, .seq = ++seq};
	settle_add(settle, &out);
	memset(host, 0, sizeof(host));
	return seq;
}

#define ADD(name, tid, ...) add(EVENT_##name, tid, (union any_event){.name = (struct name##_event){__VA_ARGS__}})

/* Thread 11 gives up the place to which 10's mapping is moved, after that call began. */
static void check_moved(void)
{
	uint32_t of;

	begin();
	of = ADD(mremap, 10, .addr = 0x1000, .length = 4096, .new_length = 4096);
	ADD(munmap, 11, .addr = 0x9000, .length = 4096);
	ADD(mremapped, 10, .of = of, .result = 0x9000);
	ADD(mmap, 11, .result = 0x1000);
	check(end("1 2 3' 4 "), "a mapping has moved when its call comes back, after what others did meanwhile");
	check(outcomes[1].result == 0x9000 && outcomes[1].answer == 3 && outcomes[1].back == 103 &&
		      !outcomes[1].unknown,
	      "and the call itself tells already where to");
}

static void check_failed(void)
{
	uint32_t of;

	begin();
	of = ADD(mremap, 10, .addr = 0x1000, .length = 4096, .new_length = 8192);
	ADD(mmap, 11, .result = 0x9000);
	ADD(mremapped, 10, .of = of, .result = UINT64_MAX, .error = ENOMEM);
	check(end("1+ 2 ") && outcomes[1].error == ENOMEM, "one that could not be moved never was away");
	begin();
	of = ADD(munmap, 10, .addr = 0x1000, .length = 4096);
	ADD(mmap, 11, .result = 0x9000);
	ADD(failed, 10, .of = of, .error = EINVAL);
	ADD(mmap, 10, .result = 0x5000);
	check(end("1+ 2 4 ") && outcomes[1].error == EINVAL, "nor was what could not be unmapped");
}

static void check_unknown(void)
{
	begin();
	ADD(mremap, 10, .addr = 0x1000, .length = 4096, .new_length = 8192);
	ADD(mmap, 10, .result = 0x9000);
	ADD(mremapped, 10, .of = 7, .result = 0x5000);
	check(end("1 2 3 ") && outcomes[1].unknown,
	      "without its end a call is unknown, and another's end is an event alone");
	begin();
	ADD(munmap, 10, .addr = 0x1000, .length = 4096);
	ADD(mmap, 11, .result = 0x9000);
	check(end("1 2 "), "of one that never came back it is known of which host it is, though the reading is over");
}

int main(void)
{
	check_moved();
	check_failed();
	check_unknown();
	printf("1..%d\n", number);
	return failures != 0;
}
