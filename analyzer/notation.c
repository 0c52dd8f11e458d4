#include "analyzer/notation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/notation_flags.h"
#include "analyzer/trace_events.h"

/* MREMAP_DONTUNMAP, which older headers have not. */
enum { MREMAP_UNMOVED = 4 };

static void notation_add(char **text, const char *separator, const char *more)
{
	char *whole = memory_format("%s%s%s", *text, **text ? separator : "", more);

	free(*text);
	*text = whole;
}

static char *notation_quoted(const char *bytes)
{
	char *safe = escape_terminal(bytes), *text = memory_new(strlen(safe) + 2, 2), *to = text;
	const char *from;

	*to++ = '"';
	for (from = safe; *from; from++) {
		if (*from == '"')
			*to++ = '\\';
		*to++ = *from;
	}
	*to = '"';
	free(safe);
	return text;
}

/* The function that was called: a symbol that is not of this event is not believed. */
static const char *notation_symbol(const struct trace_event *event)
{
	static const struct {
		const char *name, *event;
	} symbols[] = {
#define SYMBOL_ROW(symbol, event, result, parameters) [SYMBOL_##symbol] = {#symbol, #event},
		CALLS(SYMBOL_ROW)
#undef SYMBOL_ROW
	};
	int64_t symbol = trace_integer(event, "symbol", -1);
	const char *name;

	if (event->id == EVENT_mutex)
		return "pthread_mutex_init";
	trace_fields_of(event->id, NULL, &name);
	if (symbol <= SYMBOL_none || symbol >= SYMBOL_COUNT || !symbols[symbol].event ||
	    (strcmp(symbols[symbol].event, name) != 0 && event->id != EVENT_sync))
		return name;
	return symbols[symbol].name;
}

/* Only the calls that end in "at" take a directory. */
static char *notation_directory(const char *symbol, int64_t fd)
{
	if (!strstr(symbol, "openat") && !strstr(symbol, "unlinkat") && !strstr(symbol, "mknodat"))
		return NULL;
	return fd == AT_FDCWD ? memory_text("AT_FDCWD") : memory_format("%" PRId64, fd);
}

/* It returns the error. */
static bool notation_is_posix(const struct trace_event *event)
{
	return event->id == EVENT_fallocate && !strncmp(notation_symbol(event), "posix_", 6);
}

/* A call that takes a directory with each name, which its event has not. */
static bool notation_is_at(const struct trace_event *event)
{
	const char *symbol = notation_symbol(event), *at = strstr(symbol, "at");

	return (event->id == EVENT_rename || event->id == EVENT_link || event->id == EVENT_chmod ||
		event->id == EVENT_chown) &&
	       at && (!at[2] || at[2] == '2');
}

static bool notation_begins(const struct trace_event *event, const char *prefix)
{
	return !strncmp(notation_symbol(event), prefix, strlen(prefix));
}

static bool notation_creates(const struct trace_event *event)
{
	int64_t flags = trace_integer(event, "flags", 0);

	return flags & O_CREAT || (event->id == EVENT_open && (flags & O_TMPFILE) == O_TMPFILE);
}

/* Arguments after what the event has: dup2, dup3 and fcntl are recorded as dup is. */
static bool notation_has_more(const struct trace_event *event)
{
	return event->id == EVENT_dup || event->id == EVENT_sync || event->id == EVENT_mutex ||
	       (notation_is_at(event) && event->id != EVENT_rename) ||
	       (event->id == EVENT_sem_open && notation_creates(event)) || notation_begins(event, "freopen") ||
	       notation_begins(event, "mknod") || notation_begins(event, "__xmknod");
}

/* What the event of a whole family of calls has, and this one does not take. */
static bool notation_lacks(const struct trace_event *event, const char *field)
{
	static const struct {
		const char *prefix, *field;
	} lacking[] = {{"creat", "flags"},   {"fopen", "mode"},      {"_IO_fopen", "mode"},
		       {"freopen", "mode"},  {"mknod", "flags"},     {"__xmknod", "flags"},
		       {"mkstemp", "flags"}, {"mkstemp", "mode"},    {"mkostemp", "mode"},
		       {"mlockall", "addr"}, {"mlockall", "length"}, {"posix_fallocate", "mode"}};

	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++)
		if (!strcmp(field, lacking[i].field) && notation_begins(event, lacking[i].prefix))
			return true;
	return !strcmp(field, "mode") && (event->id == EVENT_open || event->id == EVENT_sem_open) &&
	       !notation_creates(event);
}

static char *notation_text(const struct trace_event *event, const struct trace_field *field)
{
	const char *bytes = *(const char *const *)(const void *)((const char *)&event->event + field->offset);
	char *quoted = notation_quoted(bytes), *text;
	/* After the name that they made comes how long its suffix is. */
	bool ends = notation_begins(event, "mkstemps") || notation_begins(event, "mkostemps");

	if (!notation_is_at(event) && !ends)
		return quoted;
	text = memory_format(ends ? "%s, ..." : "..., %s", quoted);
	free(quoted);
	return text;
}

/* Their events have a descriptor only where the call has. */
static bool notation_takes_path(const struct trace_event *event)
{
	const char *symbol = notation_symbol(event);

	return (event->id == EVENT_ftruncate && !strncmp(symbol, "truncate", 8)) ||
	       (event->id == EVENT_chmod && strcmp(symbol, "fchmod") != 0) ||
	       (event->id == EVENT_chown && strcmp(symbol, "fchown") != 0);
}

/* Where the lock is, if the event has it. */
static char *notation_lock(const struct trace_event *event)
{
	const struct sync_event *sync = &event->event.sync;

	return sync->addr
		       ? memory_format("%s0x%" PRIx64, sync->symbol == SYMBOL_syscall ? "SYS_futex, " : "", sync->addr)
		       : NULL;
}

/* The value of an argument as strace would have it; NULL: the field is none. */
static char *notation_argument(const struct trace_event *event, const struct trace_field *field)
{
	static const char *const no_arguments[] = {"recording", "pid",   "tid",    "seq",  "stack",   "symbol",
						   "result",    "error", "object", "size", "created", "size_before",
						   "replaced",  "child", "robust", NULL};
	int64_t value = trace_integer(event, field->name, 0);
	const char *name = field->name;
	size_t i;

	for (i = 0; no_arguments[i]; i++)
		if (!strcmp(name, no_arguments[i]))
			return NULL;
	if (field->form == FORM_text)
		return notation_text(event, field);
	if (!strcmp(name, "fd") && notation_takes_path(event))
		return memory_text("...");
	if (notation_lacks(event, name))
		return NULL;
	if (!strcmp(name, "new_addr") && !(event->event.mremap.flags & (MREMAP_FIXED | MREMAP_UNMOVED)))
		return NULL;
	if (event->id == EVENT_sync)
		return notation_lock(event);
	if (!strcmp(name, "addr") || !strcmp(name, "new_addr"))
		return value ? memory_format("0x%" PRIx64, (uint64_t)value) : memory_text("NULL");
	if (!strcmp(name, "dirfd"))
		return notation_directory(notation_symbol(event), value);
	return notation_flags(event, notation_symbol(event), name, value);
}

/* As strace has it, with "..." for what the event has not. */
static char *notation_wait(int status)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (WIFEXITED(status))
		return memory_format("..., [{WIFEXITED(s) && WEXITSTATUS(s) == %d}], ...", WEXITSTATUS(status));
	if (name)
		return memory_format("..., [{WIFSIGNALED(s) && WTERMSIG(s) == SIG%s}], ...", name);
	return memory_format("..., [%#x], ...", (unsigned)status);
}

static char *notation_arguments(const struct trace_event *event)
{
	size_t count, i;
	const struct trace_field *fields = trace_fields_of(event->id, &count, NULL);
	char *text = memory_text("");

	if (event->id == EVENT_wait) {
		free(text);
		return notation_wait(event->event.wait.status);
	}
	for (i = 0; i < count; i++) {
		char *argument = notation_argument(event, &fields[i]);

		if (argument)
			notation_add(&text, ", ", argument);
		free(argument);
		if (event->id == EVENT_seal && !strcmp(fields[i].name, "fd"))
			notation_add(&text, ", ", "F_ADD_SEALS");
	}
	if (notation_has_more(event))
		notation_add(&text, ", ", "...");
	return text;
}

static char *notation_error(int error)
{
	const char *name = strerrorname_np(error);

	return name ? memory_format("-1 %s (%s)", name, strerror(error)) : memory_format("-1 (errno %d)", error);
}

/* Told of before it is made, for that reason, and nothing tells what came of it. */
static bool notation_may_wait(const struct trace_event *event)
{
	static const char *const waiting[] = {"semop", "semtimedop", "flock", "lockf", "lockf64", "fcntl", "syscall"};

	for (size_t i = 0; event->id == EVENT_sync && i < sizeof(waiting) / sizeof(waiting[0]); i++)
		if (!strcmp(notation_symbol(event), waiting[i]))
			return true;
	return false;
}

/* It has an event of its own besides: each opening of a semaphore, each mutex in an object. */
static bool notation_is_double(const struct sync_event *event)
{
	return event->symbol == SYMBOL_sem_open || (event->symbol == SYMBOL_pthread_mutex_init && event->object);
}

static char *notation_result(const struct trace_event *event, const struct outcome *outcome)
{
	int error = outcome->error ? outcome->error : (int)trace_integer(event, "error", 0);
	int64_t result = trace_integer(event, "result", (int64_t)outcome->result);

	if (outcome->unknown || notation_may_wait(event))
		return memory_text("?");
	if (error && notation_is_posix(event) && strerrorname_np(error))
		return memory_format("%d %s (%s)", error, strerrorname_np(error), strerror(error));
	if (error)
		return notation_error(error);
	/* How long the message was is not recorded. */
	if (event->id == EVENT_sendmsg || event->id == EVENT_recvmsg)
		return memory_text("...");
	/* mknod makes an object, and no descriptor. */
	if (event->id == EVENT_open && result < 0)
		result = 0;
	return event->id == EVENT_mmap || event->id == EVENT_sem_open || event->id == EVENT_mremap ||
			       event->id == EVENT_mremapped
		       ? memory_format("0x%" PRIx64, (uint64_t)result)
		       : memory_format("%" PRId64, event->id == EVENT_spawn || event->id == EVENT_wait
							   ? trace_integer(event, "child", 0)
							   : result);
}

/* The name that is removed or given, which need not be the object's latest. */
static const char *notation_name(const struct trace_event *event, const struct object *object)
{
	const char *given = event->id == EVENT_unlink   ? event->event.unlink.name
			    : event->id == EVENT_rename ? event->event.rename.to
							: NULL;
	const char *found = NULL;

	for (size_t i = 0; given && i < object->name_count; i++) {
		const char *name = object->names[i].text;

		if (strlen(name) <= strlen(given) && !strcmp(given + strlen(given) - strlen(name), name) &&
		    (!found || strlen(name) > strlen(found)))
			found = name;
	}
	return found ?: object_name(object) ?: "no name";
}

static char *notation_call(const struct trace_event *event, const struct outcome *outcome, const struct object *object,
			   const uint64_t *size)
{
	char *arguments = notation_arguments(event), *result = notation_result(event, outcome);
	char *about = memory_text(""), *line;

	if (object) {
		char *name = escape_terminal(notation_name(event, object));

		free(about);
		about = size ? memory_format(" /* %s, %" PRIu64 " byte%s */", name, *size, *size == 1 ? "" : "s")
			     : memory_format(" /* %s */", name);
		free(name);
	}
	line = memory_format("%s(%s) = %s%s", event->id == EVENT_seal ? "fcntl" : notation_symbol(event), arguments,
			     result, about);
	free(about);
	free(result);
	free(arguments);
	return line;
}

static char *notation_began(const struct process *process)
{
	static const char *const how[] = {
#define BEGAN_WORD(name) [BEGAN_##name] = #name,
		BEGAN(BEGAN_WORD)
#undef BEGAN_WORD
	};
	char *argv = *process->argv ? escape_command(process->argv) : escape_terminal(process->exe);
	char *line = memory_format("+++ %s by %d: %s +++", how[process->began], (int)process->ppid, argv);

	free(argv);
	return line;
}

char *notation_finding(const struct finding_event *event, enum verdict verdict, enum severity severity)
{
	char *otherwise, *line;

	if (event->rule >= RULE_COUNT)
		return NULL;
	otherwise =
		verdict == VERDICT_other
			? memory_format(" (%s at the call)", severity_name(event->severity))
			: memory_text(verdict == VERDICT_none ? " (at the call; the report does not count it)" : "");
	line = memory_format("*** %s: %s%s ***", severity_name(severity), rules[event->rule].id, otherwise);
	free(otherwise);
	return line;
}

static char *notation_fault(const struct fault_event *event)
{
	static const char *const causes[] = {
#define CAUSE_WORD(name) #name,
		CAUSES(CAUSE_WORD)
#undef CAUSE_WORD
	};
	const char *cause = "unknown", *access = "";
	char *code = notation_flags_code(event->code), *line;

	if (event->cause < sizeof(causes) / sizeof(causes[0]))
		cause = causes[event->cause];
	if (event->access == ACCESS_read)
		access = "reading, ";
	else if (event->access == ACCESS_write)
		access = "writing, ";
	line = memory_format("--- SIGBUS {si_code=%s, si_addr=0x%" PRIx64 "} %s%s ---", code, event->addr, access,
			     cause);
	free(code);
	return line;
}

char *notation_of(const struct trace_event *event, const struct outcome *outcome, const struct process *process,
		  const struct object *object, const uint64_t *size)
{
	if (outcome->effect)
		return NULL;
	switch (event->id) {
	case EVENT_process:
		return notation_began(process);
	case EVENT_exit:
		return memory_format("+++ exit with %d +++", event->event.exit.status);
	case EVENT_fault:
		return notation_fault(&event->event.fault);
	case EVENT_lost:
		return memory_format("*** %" PRIu64 " events lost ***", event->event.lost.events);
	/* Their call is not in the recording, or was long ago. */
	case EVENT_failed: {
		char *error = notation_error(event->event.failed.error);
		char *line = memory_format("<... the thread's call before> = %s", error);

		free(error);
		return line;
	}
	case EVENT_mremapped: {
		char *result = notation_result(event, outcome);
		char *line = memory_format("<... mremap resumed>) = %s", result);

		free(result);
		return line;
	}
	case EVENT_sync:
		return notation_is_double(&event->event.sync) ? NULL : notation_call(event, outcome, object, size);
	case EVENT_finding:
	case EVENT_module:
	case EVENT_module_gone:
	case EVENT_stack_definition:
	case EVENT_object:
		return NULL;
	default:
		return notation_call(event, outcome, object, size);
	}
}
