#include "analyzer/notation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/trace_events.h"

struct flag {
	uint64_t bits;
	const char *name;
};

#define FLAG(name)                                                                                                     \
	{                                                                                                              \
		name, #name                                                                                            \
	}

/* Each ends with a row without name; what is made of several bits comes first. */
static const struct flag open_flags[] = {
	FLAG(O_TMPFILE),   FLAG(O_SYNC),     FLAG(O_WRONLY),  FLAG(O_RDWR),     FLAG(O_CREAT), FLAG(O_EXCL),
	FLAG(O_NOCTTY),    FLAG(O_TRUNC),    FLAG(O_APPEND),  FLAG(O_NONBLOCK), FLAG(O_DSYNC), FLAG(O_DIRECT),
	FLAG(O_DIRECTORY), FLAG(O_NOFOLLOW), FLAG(O_NOATIME), FLAG(O_CLOEXEC),  FLAG(O_PATH),  {0, NULL}};
static const struct flag memfd_flags[] = {FLAG(MFD_CLOEXEC),        FLAG(MFD_ALLOW_SEALING), FLAG(MFD_HUGETLB),
					  {0x8, "MFD_NOEXEC_SEAL"}, {0x10, "MFD_EXEC"},      {0, NULL}};
static const struct flag map_flags[] = {
	FLAG(MAP_SHARED_VALIDATE), FLAG(MAP_SHARED), FLAG(MAP_PRIVATE),   FLAG(MAP_FIXED),
	FLAG(MAP_ANONYMOUS),       FLAG(MAP_LOCKED), FLAG(MAP_NORESERVE), FLAG(MAP_POPULATE),
	FLAG(MAP_NONBLOCK),        FLAG(MAP_STACK),  FLAG(MAP_HUGETLB),   FLAG(MAP_SYNC),
	FLAG(MAP_FIXED_NOREPLACE), {0, NULL}};
static const struct flag remap_flags[] = {FLAG(MREMAP_MAYMOVE), FLAG(MREMAP_FIXED), {4, "MREMAP_DONTUNMAP"}, {0, NULL}};
static const struct flag protection_flags[] = {FLAG(PROT_READ), FLAG(PROT_WRITE), FLAG(PROT_EXEC), {0, NULL}};
static const struct flag seal_flags[] = {FLAG(F_SEAL_SEAL),  FLAG(F_SEAL_SHRINK),           FLAG(F_SEAL_GROW),
					 FLAG(F_SEAL_WRITE), {0x10, "F_SEAL_FUTURE_WRITE"}, {0, NULL}};
static const struct flag allocate_flags[] = {FLAG(FALLOC_FL_KEEP_SIZE),    FLAG(FALLOC_FL_PUNCH_HOLE),
					     FLAG(FALLOC_FL_ZERO_RANGE),   FLAG(FALLOC_FL_COLLAPSE_RANGE),
					     FLAG(FALLOC_FL_INSERT_RANGE), {0, NULL}};
static const struct flag advices[] = {FLAG(MADV_NORMAL),   FLAG(MADV_RANDOM),     FLAG(MADV_SEQUENTIAL),
				      FLAG(MADV_WILLNEED), FLAG(MADV_DONTNEED),   FLAG(MADV_FREE),
				      FLAG(MADV_REMOVE),   FLAG(MADV_DONTFORK),   FLAG(MADV_DOFORK),
				      FLAG(MADV_HUGEPAGE), FLAG(MADV_NOHUGEPAGE), FLAG(MADV_DONTDUMP),
				      FLAG(MADV_DODUMP),   FLAG(MADV_WIPEONFORK), FLAG(MADV_KEEPONFORK),
				      FLAG(MADV_COLD),     FLAG(MADV_PAGEOUT),    {0, NULL}};

/* Only one of them holds, as for O_RDWR and advices. */
static const char *notation_exactly(const struct flag *flags, uint64_t value)
{
	for (; flags->name; flags++)
		if (flags->bits == value)
			return flags->name;
	return NULL;
}

static void notation_add(char **text, const char *separator, const char *more)
{
	char *whole = memory_format("%s%s%s", *text, **text ? separator : "", more);

	free(*text);
	*text = whole;
}

/* `none`: what no bit at all is called. */
static char *notation_flags(const struct flag *flags, uint64_t value, const char *none)
{
	char *text = memory_text("");

	for (; flags->name; flags++) {
		if (!flags->bits || (value & flags->bits) != flags->bits)
			continue;
		notation_add(&text, "|", flags->name);
		value &= ~flags->bits;
	}
	if (value) {
		char *rest = memory_format("0x%" PRIx64, value);

		notation_add(&text, "|", rest);
		free(rest);
	}
	if (!*text)
		notation_add(&text, "", none);
	return text;
}

static char *notation_open_flags(uint64_t value)
{
	return notation_flags(open_flags, value & ~(uint64_t)0100000, "O_RDONLY");
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

static char *notation_own_flags(enum event_id id, uint64_t value)
{
	switch (id) {
	case EVENT_shm_open:
	case EVENT_open:
	case EVENT_sem_open:
		return notation_open_flags(value);
	case EVENT_memfd_create:
		return notation_flags(memfd_flags, value, "0");
	case EVENT_mmap:
		return notation_flags(map_flags, value, "0");
	case EVENT_mremap:
		return notation_flags(remap_flags, value, "0");
	default:
		return memory_format("0x%" PRIx64, value);
	}
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

	trace_fields_of(event->id, NULL, &name);
	if (symbol <= SYMBOL_none || symbol >= SYMBOL_COUNT || !symbols[symbol].event ||
	    (strcmp(symbols[symbol].event, name) != 0 && event->id != EVENT_sync))
		return name;
	return symbols[symbol].name;
}

/* Only the calls that end in "at" take a directory. */
static char *notation_directory(const char *symbol, int64_t fd)
{
	if (!strstr(symbol, "openat") && !strstr(symbol, "unlinkat"))
		return NULL;
	return fd == AT_FDCWD ? memory_text("AT_FDCWD") : memory_format("%" PRId64, fd);
}

/* It returns the error, and has no mode. */
static bool notation_is_posix(const struct trace_event *event)
{
	return event->id == EVENT_fallocate && !strncmp(notation_symbol(event), "posix_", 6);
}

/* The value of an argument as strace would have it; NULL: the field is none. */
static char *notation_argument(const struct trace_event *event, const struct trace_field *field)
{
	static const char *const no_arguments[] = {"recording", "pid",         "tid",      "seq",    "stack",
						   "symbol",    "result",      "error",    "object", "size",
						   "created",   "size_before", "replaced", "child",  NULL};
	int64_t value = trace_integer(event, field->name, 0);
	const char *name = field->name, *word;
	size_t i;

	for (i = 0; no_arguments[i]; i++)
		if (!strcmp(name, no_arguments[i]))
			return NULL;
	if (field->form == FORM_text)
		return notation_quoted(
			*(const char *const *)(const void *)((const char *)&event->event + field->offset));
	if (event->id == EVENT_ftruncate && !strcmp(name, "fd") && !strncmp(notation_symbol(event), "truncate", 8))
		return memory_text("...");
	if (event->id == EVENT_fallocate && !strcmp(name, "mode") && notation_is_posix(event))
		return NULL;
	if (!strcmp(name, "flags"))
		return notation_own_flags(event->id, (uint32_t)value);
	if (!strcmp(name, "prot"))
		return notation_flags(protection_flags, (uint64_t)value, "PROT_NONE");
	if (!strcmp(name, "seals"))
		return notation_flags(seal_flags, (uint32_t)value, "0");
	if (!strcmp(name, "advice") && (word = notation_exactly(advices, (uint64_t)value)))
		return memory_text(word);
	if (!strcmp(name, "mode"))
		return event->id == EVENT_fallocate ? notation_flags(allocate_flags, (uint32_t)value, "0")
						    : memory_format("%#o", (unsigned)value & 07777);
	if (!strcmp(name, "addr") || !strcmp(name, "new_addr"))
		return value ? memory_format("0x%" PRIx64, (uint64_t)value) : memory_text("NULL");
	if (!strcmp(name, "dirfd"))
		return notation_directory(notation_symbol(event), value);
	return memory_format("%" PRId64, value);
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
	/* dup2, dup3 and fcntl are recorded as it is. */
	if (event->id == EVENT_dup)
		notation_add(&text, ", ", "...");
	return text;
}

static char *notation_error(int error)
{
	const char *name = strerrorname_np(error);

	return name ? memory_format("-1 %s (%s)", name, strerror(error)) : memory_format("-1 (errno %d)", error);
}

static char *notation_result(const struct trace_event *event)
{
	int error = (int)trace_integer(event, "error", 0);
	int64_t result = trace_integer(event, "result", 0);

	if (error && notation_is_posix(event) && strerrorname_np(error))
		return memory_format("%d %s (%s)", error, strerrorname_np(error), strerror(error));
	if (error)
		return notation_error(error);
	/* mknod makes an object, and no descriptor. */
	if (event->id == EVENT_open && result < 0)
		result = 0;
	return event->id == EVENT_mmap || event->id == EVENT_sem_open || event->id == EVENT_mremapped
		       ? memory_format("0x%" PRIx64, (uint64_t)result)
		       : memory_format("%" PRId64, event->id == EVENT_spawn || event->id == EVENT_wait
							   ? trace_integer(event, "child", 0)
							   : result);
}

/* The name that is removed, which need not be the object's latest. */
static const char *notation_name(const struct trace_event *event, const struct object *object)
{
	const char *given = event->id == EVENT_unlink ? event->event.unlink.name : NULL;

	for (size_t i = 0; given && i < object->name_count; i++) {
		const char *name = object->names[i].text;

		if (strlen(name) <= strlen(given) && !strcmp(given + strlen(given) - strlen(name), name))
			return name;
	}
	return object_name(object) ? object_name(object) : "no name";
}

static char *notation_call(const struct trace_event *event, const struct object *object)
{
	char *arguments = notation_arguments(event), *result = notation_result(event), *about = memory_text(""), *line;

	if (object) {
		char *name = escape_terminal(notation_name(event, object));

		free(about);
		about = memory_format(" /* %s, %" PRIu64 " bytes */", name, object->size);
		free(name);
	}
	/* Whether it succeeds, the event after it tells: mremapped. */
	if (event->id == EVENT_mremap)
		line = memory_format("mremap(%s <unfinished ...>%s", arguments, about);
	else
		line = memory_format("%s(%s) = %s%s", event->id == EVENT_seal ? "fcntl" : notation_symbol(event),
				     arguments, result, about);
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

static char *notation_finding(const struct finding_event *event)
{
	return event->rule < RULE_COUNT ? memory_format("*** %s: %s ***", severity_name((enum severity)event->severity),
							rules[event->rule].id)
					: NULL;
}

char *notation_of(const struct trace_event *event, const struct process *process, const struct object *object)
{
	static const char *const causes[] = {
#define CAUSE_WORD(name) #name,
		CAUSES(CAUSE_WORD)
#undef CAUSE_WORD
	};
	size_t cause = event->id == EVENT_fault ? event->event.fault.cause : 0;

	switch (event->id) {
	case EVENT_process:
		return notation_began(process);
	case EVENT_exit:
		return memory_format("+++ exit with %d +++", event->event.exit.status);
	case EVENT_fault:
		return memory_format("--- SIGBUS {si_code=%u, si_addr=0x%" PRIx64 "} %s%s ---", event->event.fault.code,
				     event->event.fault.addr,
				     event->event.fault.access == ACCESS_read    ? "reading, "
				     : event->event.fault.access == ACCESS_write ? "writing, "
										 : "",
				     cause < sizeof(causes) / sizeof(causes[0]) ? causes[cause] : "unknown");
	case EVENT_finding:
		return notation_finding(&event->event.finding);
	case EVENT_lost:
		return memory_format("*** %" PRIu64 " events lost ***", event->event.lost.events);
	case EVENT_failed: {
		char *error = notation_error(event->event.failed.error);
		char *line = memory_format("<... event %u failed> = %s", event->event.failed.of, error);

		free(error);
		return line;
	}
	case EVENT_mremapped: {
		char *result = notation_result(event);
		char *line = memory_format("<... mremap resumed>) = %s", result);

		free(result);
		return line;
	}
	case EVENT_module:
	case EVENT_module_gone:
	case EVENT_stack_definition:
	case EVENT_object:
		return NULL;
	default:
		return notation_call(event, object);
	}
}
