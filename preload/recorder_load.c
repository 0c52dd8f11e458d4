/* LTTng comes up in a process: with its first call that is recorded. */
#include <dlfcn.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "preload/above.h"
#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/loader.h"
#include "preload/module_watch.h"
#include "preload/note.h"
#include "preload/own.h"
#include "preload/own_load.h"
#include "preload/own_stack.h"
#include "preload/own_symbol.h"
#include "preload/process.h"
#include "preload/queue.h"
#include "preload/real.h"
#include "preload/recorder_inner.h"
#include "preload/signals.h"
#include "preload/stack.h"
#include "preload/text.h"
#include "preload/turns.h"
#include "tracepoints/environment.h"

/* Until it is known: of what a filter may kill for nothing is done before. */
atomic_bool recorder_filtered = true;

/* Not asked by prctl(2), for which one may kill as well. A kernel that has no filters tells nothing of them. */
int recorder_filter_mode(void)
{
	char status[4096];
	uint64_t mode;

	if (text_read("/proc/thread-self/status", status, sizeof status) <= 0)
		return -1;
	return text_field(status, "Seccomp:", &mode) ? (int)mode : 0;
}

static const struct emit *load_provider(void)
{
	void *library = own_load(LIBRARY_TRACEPOINTS);
	return library ? LIBC(dlsym)(library, EMIT_SYMBOL) : NULL;
}

static bool has_directory(const char *path)
{
	return kernel_call(SYS_faccessat, AT_FDCWD, (long)path, F_OK, 0, 0, 0) == 0;
}

/* Its mode lets the process read it, and an open is refused. */
static long is_refused(void *path)
{
	long fd = kernel_open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		kernel_close((int)fd);
	return fd == -EACCES;
}

static bool is_sandboxed(const char *path)
{
	return apart_hidden(APART_NONE, is_refused, (void *)(uintptr_t)path) &&
	       kernel_call(SYS_faccessat, AT_FDCWD, (long)path, R_OK, 0, 0, 0) == 0;
}

static const char *path_of_libc(void)
{
	const struct link_map *libc = own_symbol_libc();

	return libc ? libc->l_name : "";
}

/* The directory of our libraries is sought from the root directory that the program has by now. */
static const char *why_not_loaded(void)
{
	static const char cannot[] = "libshmguard-tracepoints.so or LTTng-UST cannot be loaded: ";
	static char text[512];
	const char *error = own_load_error();

	if (!has_directory(own_path()))
		return "libshmguard-tracepoints.so is not below its root directory (bind its directory there)";
	if (is_sandboxed(own_path()) || is_sandboxed(path_of_libc()))
		return "its sandbox (Landlock, or another security module) lets it open no library of LTTng's";
	strcpy(text, cannot);
	text_append(text, sizeof text, error ?: "the loader does not say why");
	return text;
}

/* The session took this process, or the one that it is a copy of. */
static bool was_taken;

static const char daemon_is_closed[] = "LTTng's session daemon was stopped or gone";

/* LTTng's daemon listens in one of two directories; below another root neither may be there. */
static const char *why_late(void)
{
	if (was_taken)
		return "LTTng's session was stopped when it was forked (lttng stop), or its daemon was gone";
	if (note_marked(NOTES_CLOSED))
		return daemon_is_closed;
	const char *home = LIBC(getenv)("LTTNG_HOME") ?: LIBC(getenv)("HOME");
	char local[512] = "";

	if (has_directory("/var/run/lttng") || !home || !text_append(local, sizeof local, home) ||
	    !text_append(local, sizeof local, "/.lttng") || has_directory(local))
		return recorder_filtered
			       ? "LTTng's session daemon did not take it in time: a filter of system calls may be why"
			       : "LTTng's session daemon did not take it in time";
	return "LTTng's session daemon cannot be reached from its root directory (bind /run/lttng there)";
}

/* A tracer that the program has brought tells the daemon of our events by and by: the loader has not waited for it. */
static void await_daemon(void)
{
	for (int i = 0; i < 500 && !recorder_emit->enabled(); i++)
		kernel_rest(1000000);
}

void recorder_tell_if_late(void)
{
	if (recorder_emit->enabled())
		was_taken = true;
	else
		note_write(NOTE_blind, &(struct note_content){.text = {why_late(), process_exe()}});
}

/*
 * A sanitizer that looks up its original in its first call must not do so in a thread of LTTng's while dlopen(3) holds the
 * loader's lock and waits for that thread: so all that such a thread calls is called here before, to no effect.
 */
static void warm_up(void)
{
	struct msghdr message = {0};
	struct timespec none = {0};
	struct stat st;
	char byte;

	close(openat(AT_FDCWD, "", O_RDONLY));
	close(open("", O_RDONLY));
	munmap(mmap(NULL, 0, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 0);
	(void)!ftruncate(-1, 0);
	(void)!read(-1, &byte, 0);
	(void)!write(-1, &byte, 0);
	(void)sendmsg(-1, &message, 0);
	(void)recvmsg(-1, &message, 0);
	fcntl(-1, F_GETFD);
	fstat(-1, &st);
	poll(NULL, 0, 0);
	syscall(SYS_gettid);
	nanosleep(&none, NULL);
	clock_gettime(CLOCK_MONOTONIC, &none);
}

/* The loader is another's again, where it has been this thread's so far. */
static void leave_loader(bool *entered)
{
	if (*entered)
		loader_leave();
	*entered = false;
}

/* Only for want of descriptors is nothing recorded: LTTng has not been touched. */
static atomic_bool expects;

static void begin_anew(void)
{
	int blind = RECORDER_BLIND;

	atomic_compare_exchange_strong(&recorder_state, &blind, RECORDER_IDLE);
}

void recorder_look_again(void)
{
	if (!atomic_load(&expects) || recorder_is_vfork_child())
		return;
	recorder_tell_untold();
	if (recorder_finds_descriptors())
		begin_anew();
}

void recorder_expects_descriptors(void)
{
	if (atomic_load(&expects))
		begin_anew();
}

static void load(void *entered)
{
	if (own_load_passes_others())
		leave_loader(entered);
	if (note_marked(NOTES_CLOSED)) {
		recorder_go_blind(daemon_is_closed);
		return;
	}
	/* One that nobody has seen it install. */
	if (recorder_filter_mode() > 0)
		recorder_filtered = true;
	above_prepare();
	const char *lacks = recorder_lacks_room(false);
	atomic_store(&expects, lacks == recorder_few_descriptors);
	if (lacks) {
		recorder_go_blind(lacks);
		return;
	}
	bool tracer_is_there = own_find_tracer();
	own_loading(true);
	bool sanitized = own_load_sanitized();
	if (sanitized)
		warm_up();
	real_resolve_own(sanitized);
	module_watch_begin();
	/* First, so that what other threads do meanwhile is queued with its stack. */
	stack_load();
	recorder_emit = load_provider();
	leave_loader(entered);
	if (!recorder_emit) {
		own_loading(false);
		recorder_go_blind(why_not_loaded());
		return;
	}
	own_loading(false);
	module_watch_end();
	if (tracer_is_there)
		await_daemon();
	recorder_tell_if_late();
	recorder_tell_process(process_began(), process_parent(), 0);
	recorder_modules();
	atomic_store(&recorder_state, RECORDER_READY);
	turns_tell();
	recorder_last_loaded();
}

/*
 * While the functions of a preinit_array run the loader does not stand a dlopen(3): it goes through a list of libraries then
 * that has become longer (_dl_init, glibc 2.36). Libc's own constructor comes next; that it was there is seen by what it sets.
 */
static atomic_bool too_early;
static char **first_environment;
static const char *first_name;

void recorder_precedes_libc(char **environment)
{
	first_environment = environment;
	first_name = program_invocation_name;
	atomic_store(&too_early, own_program_prepares());
}

static bool is_too_early(void)
{
	if (__builtin_expect(!atomic_load(&too_early), true))
		return false;
	if (__environ == first_environment || program_invocation_name != first_name)
		atomic_store(&too_early, false);
	return atomic_load(&too_early);
}

/* Nanoseconds for which calls wait for the loader, in all: so long, and before some of them are lost. */
enum { PATIENCE = 300000000, GREATER_PATIENCE = 3 * (uint64_t)1000000000 };

static atomic_ullong busy_since;
static atomic_int awaiting; /* the process's number, 0: it does not */

bool recorder_awaits_loader(void)
{
	return atomic_load(&recorder_state) == RECORDER_IDLE && atomic_load(&awaiting) == recorder_pid;
}

static void tell_loading(void)
{
	note_write(NOTE_loading, &(struct note_content){.text = {process_exe()}});
}

void recorder_put_off(void)
{
	if (atomic_load(&recorder_state) == RECORDER_IDLE && atomic_exchange(&awaiting, recorder_pid) != recorder_pid)
		tell_loading();
}

/*
 * A thread that is within dlopen(3) or dlclose(3) may wait for this one: the constructor of a plugin that joins what it has
 * started. So this one goes on, and is told of with the first call that finds the loader free. False: without LTTng.
 */
static bool enter_loader(void)
{
	while (!loader_enter()) {
		unsigned long long now = kernel_clock(CLOCK_MONOTONIC), since = 0;
		if (atomic_load(&recorder_state) != RECORDER_IDLE)
			return false;
		if (atomic_compare_exchange_strong(&busy_since, &since, now))
			since = now;
		if (now >= since + (queue_is_filling() ? GREATER_PATIENCE : PATIENCE)) {
			recorder_put_off();
			return false;
		}
		kernel_rest(1000000);
	}
	return true;
}

static void load_here(bool *entered)
{
	int idle = RECORDER_IDLE;

	if (!atomic_compare_exchange_strong(&recorder_state, &idle, RECORDER_LOADING))
		return;
	recorder_watch_clones();
	tell_loading();
	if (!own_stack_run(load, entered))
		recorder_go_blind("there was no memory for LTTng");
	/* What failed of ours is none of the program's errors. */
	own_load_error();
	note_write(NOTE_loaded, &(struct note_content){0});
}

/* A handler that came in between, and jumped out, would leave the loader's lock taken for ever. */
void recorder_load(void)
{
	if (is_too_early() || atomic_load(&recorder_state) != RECORDER_IDLE)
		return;
	uint64_t mask = signals_block();
	bool entered = enter_loader();
	if (entered) {
		load_here(&entered);
		leave_loader(&entered);
	}
	signals_restore(mask);
}
