/* shmguard log: the calls of a recording in their order, a line each. */
#include "analyzer/cmd_log.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/asked.h"
#include "analyzer/escape.h"
#include "analyzer/hindsight.h"
#include "analyzer/memory.h"
#include "analyzer/notation.h"
#include "analyzer/output.h"
#include "analyzer/replay.h"
#include "analyzer/spots.h"
#include "analyzer/terminal.h"
#include "analyzer/trace_reader.h"
#include "analyzer/trace_settings.h"
#include "analyzer/verdicts.h"

/* A finding comes after its call, and what other threads did in between. */
enum { OPTION_stacks = 0x100, HELD = 256, NUMBER_COLUMNS = 7 };

struct log_line {
	const struct process *process;
	uint32_t seq, answer, stack;
	char *text;
};

static const struct option_row rows[] = {
	{"stacks", OPTION_stacks, NULL, "the call stack under each call"},
	SELECTION_ROWS,
	SELECTION_FINDING_ROWS,
	TRACE_ROWS,
	{NULL, 0, NULL, NULL},
};

const struct option_table log_option_table = {
	"log", "DIR",
	"Print the calls of the recording in DIR: thread, HOST:THREAD if there are several hosts, seconds since the "
	"start, the call as strace has it, its object; of several recordings first the directory of its own. With "
	"--rule or --severity: the findings that were told at a "
	"call, each with that call. Their severity "
	"is the "
	"report's, which knows what came of it.",
	rows, "Exit status: 0 done; 2 wrong usage; 3 DIR could not be read or the output not written; 130 Ctrl-C."};

struct log {
	struct selection selection;
	struct report report; /* for the names of stacks */
	struct analysis *analysis;
	struct hindsight *hindsight;
	bool stacks;
	bool into_file;
	bool hosts; /* of several machines: a number alone does not say whose */
	int host_columns;
	int place_columns; /* 0: all is of one recording */
	int64_t start;     /* 0: not known yet */
	struct log_line held[HELD];
	size_t next;
	bool further;    /* than the analysis did the log come */
	struct map gaps; /* (key of its process) -> struct log_gaps */
	struct asked asked;
};

/* Where calls of a process were let go, as the report knows. */
struct log_gaps {
	const struct process *process; /* of the analysis */
	size_t next;
};

static void log_stack(const struct log *log, struct world *world, const struct process *process, uint32_t id)
{
	struct spots spots = spots_of(&log->report, world_stack(world, process, id));
	size_t i;

	for (i = 0; i < spots.count; i++) {
		char *label = spot_label(&spots.all[i]), *place = spot_place(&spots.all[i]);
		char *text = spots.all[i].function ? memory_format("%s (%s)", label, place) : memory_text(label);
		char *safe = escape_terminal(text);

		printf("    > %s\n", safe);
		free(safe);
		free(text);
		free(place);
		free(label);
	}
	if (spots.cut)
		puts("    > ... " SPOTS_CUT);
	spots_free(&spots);
}

static void log_line_free(struct log_line *line)
{
	free(line->text);
	*line = (struct log_line){0};
}

static void log_widen(int *columns, const char *text)
{
	char *safe = escape_terminal(text);
	int own = terminal_columns(safe);

	if (own > *columns)
		*columns = own;
	free(safe);
}

/* Of several recordings: of which the process is. Pids of one mean nothing in another. */
static char *log_where(const struct log *log, const struct process *process)
{
	char *place, *where;

	if (!log->place_columns)
		return memory_text("");
	place = escape_terminal(process->recording->dir);
	where = memory_format("%s%*s", place, log->place_columns - terminal_columns(place) + 2, "");
	free(place);
	return where;
}

/* The number, as --pid takes it, in its column. */
static char *log_number(const struct log *log, const struct process *process, int number)
{
	char *host, *who;
	int columns;

	if (!log->hosts)
		return memory_format("%-*d", NUMBER_COLUMNS, number);
	host = escape_terminal(process->host);
	columns = log->host_columns - terminal_columns(host) + NUMBER_COLUMNS;
	who = memory_format("%s:%-*d", host, columns, number);
	free(host);
	return who;
}

static char *log_who(const struct log *log, const struct process *process, int number)
{
	char *where = log_where(log, process), *own = log_number(log, process, number);
	char *who = memory_format("%s%s", where, own);

	free(own);
	free(where);
	return who;
}

static void log_learn_hosts(struct log *log, const struct world *world)
{
	log->hosts = world->host_count > 1;
	for (size_t i = 0; i < world->host_count; i++)
		log_widen(&log->host_columns, world->hosts[i]);
}

static void log_learn_places(struct log *log, const struct recording *recording)
{
	for (size_t i = 0; recording_is_several(recording) && i < recording->part_count; i++)
		log_widen(&log->place_columns, recording->parts[i]->dir);
}

/* Before any line: on a terminal, or a pager's, it appears where the progress would be. */
static void log_show(const struct log *log)
{
	if (!log->into_file)
		trace_silence();
}

static void log_print_line(const struct log *log, struct world *world, const struct log_line *line)
{
	log_show(log);
	puts(line->text);
	if (log->stacks)
		log_stack(log, world, line->process, line->stack);
}

static bool log_is_of(const struct log_line *line, const struct process *process, uint32_t seq)
{
	return line->text && line->process == process && (line->seq == seq || (line->answer && line->answer == seq));
}

/* The call, once, and what was found at it, of that severity; anything else is kept for what may come. */
static void log_look(struct log *log, struct world *world, const struct trace_event *event, enum severity severity,
		     struct log_line *line)
{
	const struct finding_event *finding = &event->event.finding;

	/* run told it at once: it is a finding, and its own event. */
	if (event->id == EVENT_fault && selection_has_rule(&log->selection, RULE_sigbus_cause, severity)) {
		log_print_line(log, world, line);
		log_line_free(line);
		return;
	}
	if (event->id != EVENT_finding) {
		log_line_free(&log->held[log->next]);
		log->held[log->next] = *line;
		log->next = (log->next + 1) % HELD;
		return;
	}
	if (finding->rule < RULE_COUNT && selection_has_rule(&log->selection, finding->rule, severity)) {
		for (size_t i = 0; i < HELD; i++)
			if (log_is_of(&log->held[i], line->process, finding->of)) {
				log_print_line(log, world, &log->held[i]);
				log_line_free(&log->held[i]);
			}
		log_print_line(log, world, line);
	}
	log_line_free(line);
}

/* Seconds from the start, before which a machine's clock may stand. */
static char *log_time(const struct log *log, int64_t time)
{
	int64_t since = time - log->start;
	uint64_t length = since < 0 ? -(uint64_t)since : (uint64_t)since;

	return memory_format("%s%" PRIu64 ".%06" PRIu64, since < 0 ? "-" : "", length / 1000000000,
			     length % 1000000000 / 1000);
}

static void log_learn_gaps(struct log *log, const struct world *world)
{
	for (size_t i = 0; i < world->process_count; i++) {
		const struct process *process = world->processes[i];
		struct log_gaps *gaps;

		if (process->hole_count == 0)
			continue;
		gaps = memory_new(1, sizeof(*gaps));
		gaps->process = process;
		map_put(&log->gaps, process_key(process), 0, gaps);
	}
}

static void log_forget_gaps(struct log *log)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&log->gaps, &cursor));)
		free(slot->value);
	map_clear(&log->gaps);
}

static void log_gap(const struct log *log, const struct process *process, const struct hole *hole, uint64_t count)
{
	char *who = log_who(log, process, (int)process->pid), *time = log_time(log, hole->until);
	char *since = hole->since ? log_time(log, hole->since) : NULL;

	log_show(log);
	printf("%s %s --- %" PRIu64 " event%s let go%s %s%s ---\n", who, time, count, count == 1 ? "" : "s",
	       log->analysis->unended ? " or not written yet" : "", since ? "since " : "before", since ? since : "");
	free(since);
	free(time);
	free(who);
}

/* That calls are missing is told before the first event behind them, of whatever object they were. */
static void log_gaps_until(struct log *log, const struct process *process, int64_t time)
{
	struct log_gaps *gaps;

	if (log->gaps.count == 0)
		return;
	gaps = map_get(&log->gaps, process_key(process), 0);
	for (; gaps && gaps->next < gaps->process->hole_count; gaps->next++) {
		const struct hole *hole = &gaps->process->holes[gaps->next];

		if (hole->until > time)
			break;
		if (!log->selection.rule && !log->selection.graded && selection_has_process(&log->selection, process) &&
		    selection_has_time(&log->selection, hole->until, log->start))
			log_gap(log, process, hole, hole_size(gaps->process, gaps->next));
	}
}

static int log_event(void *context, struct world *world, struct process *process, const struct trace_event *event,
		     const struct outcome *outcome)
{
	struct log *log = context;
	const struct object *object = replay_object(world, process, event);
	struct log_line line = {process, event->event.head.seq, outcome->answer, event->event.head.stack, NULL};
	enum severity severity = event->id == EVENT_finding ? (enum severity)event->event.finding.severity
							    : rules[RULE_sigbus_cause].severity;
	enum verdict verdict;
	char *call, *who, *time;
	uint64_t size;
	bool sized;

	if (!log->start)
		log->start = event->time;
	log_gaps_until(log, process, event->time);
	if (outcome->told)
		return 0;
	if (!selection_has_process(&log->selection, process) || !asked_has(&log->asked, object, event) ||
	    !selection_has_time(&log->selection, event->time, log->start))
		return 0;
	sized = object && hindsight_size(log->hindsight, object, event->time, &size);
	verdict = verdicts_of(&log->analysis->findings.verdicts, process, event->event.head.seq, &severity);
	call = event->id == EVENT_finding ? notation_finding(&event->event.finding, verdict, severity)
					  : notation_of(event, outcome, process, object, sized ? &size : NULL);
	if (!call)
		return 0;
	/* That an image began is told at its first call, of whatever thread. */
	who = log_who(log, process, event->id == EVENT_process ? (int)process->pid : (int)event->event.head.tid);
	time = log_time(log, event->time);
	line.text = memory_format("%s %s %s", who, time, call);
	free(time);
	free(who);
	free(call);
	if (log->selection.rule || log->selection.graded) {
		log_look(log, world, event, severity, &line);
	} else {
		log_print_line(log, world, &line);
		log_line_free(&line);
	}
	return output_failed() ? -EIO : 0;
}

/* No event tells of such an end: the process cannot, and its parent's wait or run's own says it. */
static void log_ending(void *context, struct world *world, struct process *process)
{
	struct log *log = context;
	const char *name = sigabbrev_np(process->signal);
	char *who, *time;

	(void)world;
	if (process->ended != ENDED_signal || !process->traced || log->selection.rule || log->selection.graded)
		return;
	if (!selection_has_process(&log->selection, process) || !selection_has_object(&log->selection, NULL) ||
	    !selection_has_time(&log->selection, process->ended_at, log->start))
		return;
	who = log_who(log, process, (int)process->pid);
	time = log_time(log, process->ended_at);
	log_show(log);
	printf("%s %s +++ killed by ", who, time);
	free(time);
	free(who);
	if (name)
		printf("SIG%s +++\n", name);
	else
		printf("signal %d +++\n", process->signal);
}

static void log_cut(void *context, const struct trace_totals *totals)
{
	struct log *log = context;

	log->further = totals->events > log->analysis->events;
}

static void log_complain(char *error)
{
	char *safe = escape_terminal(error);

	fprintf(stderr, "shmguard: %s\n", safe);
	free(safe);
	free(error);
}

/*
 * What was told at a call is graded as the report does, which knows what came of it, and so does it know what became of an
 * object's size. False, *error being as of analysis_of(): it is not to be read.
 */
static bool log_judge(struct log *log, const char *dir, char **error)
{
	log->analysis = analysis_of(dir, NULL, error);
	if (log->analysis == NULL)
		return false;
	log->hindsight = hindsight_of(log->analysis);
	log_learn_hosts(log, log->analysis->world);
	log_learn_places(log, log->analysis->recording);
	log_learn_gaps(log, log->analysis->world);
	log->asked = asked_of(&log->selection, log->analysis->world);
	return true;
}

static int log_print(struct log *log, const char *dir)
{
	const struct replay again = {
		.context = log, .event = log_event, .ending = log_ending, .cut = log_cut, .tell = true};
	char *error = NULL;
	int r;

	if (!log_judge(log, dir, &error)) {
		log_complain(error);
		return REPORT_UNREADABLE;
	}
	log->start = log->analysis->recording->started;
	log->report.symbols = report_symbols(dir, log->analysis);
	for (size_t i = log->analysis->remarks; i > 0; i--)
		log_complain(memory_text(log->analysis->problems[log->analysis->problem_count - i]));
	log->further = true;
	r = replay_of(log->analysis->recording, &again, &error) ? REPORT_UNREADABLE : REPORT_DONE;
	if (r && !output_failed())
		log_complain(error);
	/* Else what was read for the log has told it. */
	if (!r && log->analysis->cut && log->further)
		log_complain(memory_format("a first reading of the trace ended early: %s; what it would have told of "
					   "sizes, names and findings is missing",
					   log->analysis->cut));
	log_forget_gaps(log);
	asked_clear(&log->asked);
	symbols_close(log->report.symbols);
	hindsight_free(log->hindsight);
	analysis_free(log->analysis);
	for (size_t i = 0; i < HELD; i++)
		log_line_free(&log->held[i]);
	return r;
}

static bool log_goes_into_file(void)
{
	struct stat out;

	return !fstat(STDOUT_FILENO, &out) && S_ISREG(out.st_mode);
}

int cmd_log(int argc, char **argv)
{
	struct log log = {0};
	int option, r;

	optind = 0;
	while ((option = options_next(&log_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return REPORT_DONE;
		if (option == OPTIONS_BAD)
			return REPORT_USAGE;
		log.stacks |= option == OPTION_stacks;
		r = selection_take(&log.selection, option, optarg);
		if (r < 0 || trace_settings_take(option, optarg) < 0)
			return options_usage(&log_option_table, REPORT_USAGE);
	}
	if (!selection_is_possible(&log.selection))
		return REPORT_USAGE;
	if (argc - optind != 1) {
		fputs("shmguard: log takes one directory\n", stderr);
		return options_usage(&log_option_table, REPORT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	log.into_file = log_goes_into_file();
	/* Before the first line comes a reading of its own: who has waited long enough gets what that has come to. */
	trace_interruptible();
	r = log_print(&log, argv[optind]);
	return trace_interrupted() && r == REPORT_DONE ? 128 + SIGINT : r;
}
