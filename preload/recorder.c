#include "preload/recorder.h"

#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "preload/audit.h"
#include "preload/carried.h"
#include "preload/disposition.h"
#include "preload/enforce.h"
#include "preload/enforce_leave.h"
#include "preload/findings.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/module.h"
#include "preload/note.h"
#include "preload/observe.h"
#include "preload/own.h"
#include "preload/own_threads.h"
#include "preload/process.h"
#include "preload/queue.h"
#include "preload/signals.h"
#include "preload/silent.h"
#include "preload/stack.h"
#include "preload/text.h"
#include "preload/turns.h"
#include "tracepoints/environment.h"

atomic_int recorder_state = RECORDER_OFF;
const struct emit *recorder_emit;
__thread struct thread recorder_thread;
atomic_bool recorder_jumps, recorder_shared;

static uint32_t recording;
static atomic_uint sequence;
static atomic_ullong lost;
static int32_t pid;
static uint32_t sequence_at_fork;
static atomic_int *alive; /* a page that the kernel zeroes in every child that has its own copy of our memory */
static _Atomic(struct thread *) telling_modules;

static int32_t own_tid(void)
{
	if (!recorder_thread.tid)
		recorder_thread.tid = (int32_t)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
	return recorder_thread.tid;
}

void recorder_head(struct event_head *head)
{
	*head = (struct event_head){.recording = recording,
				    .pid = pid,
				    .tid = own_tid(),
				    .seq = atomic_fetch_add_explicit(&sequence, 1, memory_order_relaxed) + 1};
}

void recorder_count_lost(void)
{
	atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
}

static void tell_lost(void)
{
	uint64_t events = atomic_exchange(&lost, 0);
	struct lost_event e = {.events = events};

	if (!events)
		return;
	recorder_head((struct event_head *)&e);
	recorder_emit->lost(&e);
}

static void tell_process(enum began began, int32_t parent, uint32_t parent_seq)
{
	struct process_event e;

	process_describe(&e);
	recorder_head((struct event_head *)&e);
	e.began = (uint8_t)began;
	e.parent = parent;
	e.parent_seq = parent_seq;
	recorder_emit->process(&e);
}

static void module_came(const struct module_event *module)
{
	struct module_event e = *module;
	recorder_head((struct event_head *)&e);
	recorder_emit->module(&e);
}

static void module_gone(const struct module_gone_event *module)
{
	struct module_gone_event e = *module;
	recorder_head((struct event_head *)&e);
	recorder_emit->module_gone(&e);
}

void recorder_modules(void)
{
	struct thread *nobody = NULL;

	if (!module_changed() || !atomic_compare_exchange_strong(&telling_modules, &nobody, &recorder_thread))
		return;
	stack_modules_changed(module_tell(module_came, module_gone));
	atomic_store(&telling_modules, NULL);
}

void recorder_abandoned(void)
{
	struct thread *self = &recorder_thread;
	atomic_compare_exchange_strong(&telling_modules, &self, NULL);
}

void recorder_prepare_thread(void)
{
	if (recorder_thread.prepared)
		return;
	recorder_thread.prepared = true;
	recorder_emit->thread();
	stack_prepare_thread();
}

static void on_exit_handler(int status, void *context)
{
	(void)context;
	recorder_exit(status);
	own_ending = true;
}

/* What keeps a recording from starting is told to `run`, in whose report the process is then named. */
static void go_blind(const char *why)
{
	note_write(NOTE_blind, &(struct note_content){.text = {why, process_exe()}});
	/* A policy stays in force without a recording. */
	if (enforce_on)
		recorder_emit = &silent_emit;
	atomic_store(&recorder_state, enforce_on ? RECORDER_READY : RECORDER_BLIND);
}

bool recorder_silent(void)
{
	return recorder_emit == &silent_emit;
}

static const struct emit *load_provider(void)
{
	void *library = own_load(LIBRARY_TRACEPOINTS);
	return library ? dlsym(library, EMIT_SYMBOL) : NULL;
}

/* LTTng waits for its daemon, but not for ever. */
static void tell_if_late(void)
{
	if (!recorder_emit->enabled())
		note_write(NOTE_blind, &(struct note_content){.text = {"LTTng's session daemon did not take it in time",
								       process_exe()}});
}

/*
 * Another interposer that looks up its original in its first call must not do so in a thread of LTTng's while dlopen(3)
 * holds the loader's lock and waits for that thread.
 */
static void warm_up(void)
{
	(void)mmap(NULL, 0, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(NULL, 0);
	close(-1);
}

static void load(void)
{
	if (note_closed()) {
		go_blind("LTTng's session daemon was stopped or gone");
		return;
	}
	own_loading(true);
	warm_up();
	/* First, so that what other threads do meanwhile is queued with its stack. */
	stack_load();
	/* glibc loads it when UST cancels its threads at exit, and aborts where it cannot: no descriptor left, a chroot. */
	dlopen(LIBGCC_S_SO, RTLD_NOW | RTLD_LOCAL);
	recorder_emit = load_provider();
	if (!recorder_emit) {
		own_loading(false);
		go_blind("libshmguard-tracepoints.so or LTTng-UST cannot be loaded");
		return;
	}
	own_loading(false);
	tell_if_late();
	tell_process(process_began(), process_parent(), 0);
	recorder_modules();
	/* Registered here, it runs before LTTng's own destructors and after the handlers of later calls to atexit(3). */
	on_exit(on_exit_handler, NULL);
	atomic_store(&recorder_state, RECORDER_READY);
	turns_tell();
}

/* A handler that came in between, and jumped out, would leave the loader's lock taken for ever. */
void recorder_load(void)
{
	int idle = RECORDER_IDLE;

	if (!atomic_compare_exchange_strong(&recorder_state, &idle, RECORDER_LOADING))
		return;
	uint64_t mask = signals_block();
	load();
	signals_restore(mask);
}

bool recorder_is_vfork_child(void)
{
	if (!recorder_thread.vforked && !atomic_load_explicit(&recorder_shared, memory_order_relaxed))
		return false;
	if (kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0) != pid)
		return true;
	/* A thread goes on only when its child by vfork is gone. */
	recorder_thread.vforked = false;
	return false;
}

static void start_anew(int32_t parent)
{
	recorder_thread.tid = 0;
	pid = (int32_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	if (alive)
		atomic_store(alive, 1);
	atomic_store(&sequence, 0);
	atomic_store(&lost, 0);
	/* What the parent made is the parent's. */
	ledger_count_created(-(int)ledger_created());
	atomic_store(&telling_modules, NULL);
	queue_reset();
	enforce_fork_reset();
	process_forked(parent);
	/* What other threads held, or were at, in the parent. */
	ledger_lock_reset();
	stack_fork_reset();
	disposition_lock_reset();
	own_fork_reset();
	own_threads_fork_reset();
	audit_fork_reset();
	note_write(NOTE_fork, &(struct note_content){.text = {process_exe()}});
}

void recorder_check_process(void)
{
	if (!alive || __builtin_expect(atomic_load_explicit(alive, memory_order_relaxed) != 0, true))
		return;
	uint32_t parent_seq = atomic_load(&sequence);
	int32_t parent = pid;
	start_anew(parent);
	if (atomic_load(&recorder_state) == RECORDER_LOADING)
		go_blind("cloned while LTTng was being loaded");
	if (atomic_load(&recorder_state) == RECORDER_READY)
		tell_process(BEGAN_adopted, parent, parent_seq);
}

/* Another thread that is loading LTTng would be missing in the child, with the loader's locks held for ever. */
static void wait_for_loading(void)
{
	struct timespec pause = {.tv_nsec = 1000000};
	for (int i = 0; i < 5000 && atomic_load(&recorder_state) == RECORDER_LOADING; i++)
		kernel_call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
}

/* LTTng's calls may come through another's wrappers (tcmalloc's mmap): they are no visits of the program's. */
static void tracer_forks(void (*part)(sigset_t *))
{
	bool before = own_at_work(true);
	recorder_thread.forking = true;
	part(&recorder_thread.fork_signals);
	recorder_thread.forking = false;
	own_at_work(before);
}

/* A fork from a signal handler that interrupted our own code finds locks that its own thread holds: see fork_child. */
static bool begin_fork(uintptr_t stack)
{
	if (recorder_thread.depth)
		return false;
	wait_for_loading();
	recorder_thread.depth++;
	recorder_thread.outermost = stack;
	if (atomic_load(&recorder_state) == RECORDER_READY)
		tracer_forks(recorder_emit->fork_before);
	return true;
}

static void end_fork(void)
{
	bool ready = atomic_load(&recorder_state) == RECORDER_READY;

	if (ready)
		tracer_forks(recorder_thread.forked ? recorder_emit->fork_child : recorder_emit->fork_parent);
	if (ready && recorder_thread.forked) {
		tell_if_late();
		tell_process(BEGAN_fork, process_parent(), sequence_at_fork);
	}
	recorder_thread.forked = false;
	recorder_thread.depth--;
}

/*
 * Registered first, ours is the last handler before the fork and the first one after it. Where an allocator's handlers
 * hold its lock meanwhile, LTTng, which allocates, must have begun before them and end after them: fork(2)'s wrapper sees
 * to that, and here is done what is left, and all of it for a fork inside of libc.
 */
static void fork_prepare(void)
{
	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_OFF)
		return;
	if (!recorder_thread.around && !begin_fork((uintptr_t)__builtin_frame_address(0)))
		return;
	recorder_thread.locked = true;
	recorder_thread.walks_stopped = stack_fork_begin();
	ledger_lock();
	recorder_thread.closing = own_closing();
	sequence_at_fork = atomic_load(&sequence);
}

static void fork_parent(void)
{
	if (!recorder_thread.locked)
		return;
	recorder_thread.locked = false;
	own_closed(recorder_thread.closing);
	ledger_unlock();
	stack_fork_end(recorder_thread.walks_stopped);
	if (!recorder_thread.around)
		end_fork();
}

static void fork_child(void)
{
	int kept = errno;
	int32_t parent = pid;

	if (recorder_thread.locked) {
		recorder_thread.locked = false;
		recorder_thread.forked = true;
		start_anew(parent);
		if (atomic_load(&recorder_state) == RECORDER_LOADING)
			go_blind("forked while another thread was loading LTTng");
		if (!recorder_thread.around)
			end_fork();
	}
	/* Else the visit that was interrupted goes on in the child, and recorder_check_process adopts it. */
	errno = kept;
}

void recorder_fork_begin(void)
{
	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) != RECORDER_OFF)
		recorder_thread.around = begin_fork((uintptr_t)__builtin_frame_address(0));
}

/* What the handlers of the program did in between is queued. */
void recorder_fork_end(void)
{
	struct visit visit;
	int kept = errno;

	if (!recorder_thread.around)
		return;
	recorder_thread.around = false;
	end_fork();
	if (queue_any() && observe_enter(&visit, recorder_fork_end)) {
		if (atomic_load(&recorder_state) == RECORDER_IDLE)
			recorder_load();
		observe_leave(&visit);
	}
	errno = kept;
}

bool recorder_end_threads(void)
{
	if (recorder_thread.depth || atomic_load(&recorder_state) != RECORDER_READY || recorder_silent())
		return false;
	recorder_thread.depth++;
	tracer_forks(recorder_emit->fork_before);
	bool ended = own_threads_end();
	tracer_forks(recorder_emit->fork_parent);
	recorder_thread.depth--;
	return ended;
}

bool recorder_confined;

void recorder_confine(const char *refused)
{
	char text[160] = "it has a filter of system calls that does not let pass ";
	struct visit visit;

	wait_for_loading();
	text_append(text, sizeof text, refused);
	note_write(NOTE_blind, &(struct note_content){.text = {text, process_exe()}});
	/* What is queued is settled on leaving. */
	if (atomic_load(&recorder_state) == RECORDER_READY && observe_enter(&visit, recorder_confine)) {
		tell_lost();
		observe_leave(&visit);
	}
	recorder_end_threads();
	note_initialise(0, NULL, NULL);
	recorder_confined = true;
	if (enforce_on) {
		recorder_emit = &silent_emit;
		atomic_store(&recorder_state, RECORDER_READY);
		return;
	}
	atomic_store(&recorder_state, RECORDER_OFF);
	disposition_release();
	carried_drop();
}

static void record_kept(const struct object *object)
{
	findings_kept(object->id, recorder_silent() ? 0 : observe_stack(NULL));
}

void recorder_exit(int status)
{
	struct visit visit;
	struct exit_event e = {.status = status};

	if (atomic_load(&recorder_state) != RECORDER_READY || recorder_is_vfork_child())
		return;
	if (recorder_thread.depth)
		observe_forget();
	if (!observe_enter(&visit, recorder_exit))
		return;
	if (enforce_wipes)
		enforce_exit(record_kept);
	tell_lost();
	recorder_head((struct event_head *)&e);
	recorder_emit->exit(&e);
	observe_leave(&visit);
}

static void note_exit(int status, void *context)
{
	(void)context;
	audit_flush();
	note_write(NOTE_leave, &(struct note_content){.status = status});
}

__attribute__((constructor)) static void begin(int argc, char **argv)
{
	real_resolve();
	own_initialise();
	carried_initialise();
	const char *id = carried_value(ENVIRONMENT_RECORDING);
	if (!id && !carried_value(ENVIRONMENT_PROFILE) && !carried_value(ENVIRONMENT_POLICY))
		return;
	recording = id ? (uint32_t)strtoul(id, NULL, 16) : 0;
	note_initialise(recording, carried_value(ENVIRONMENT_NOTES), carried_value(ENVIRONMENT_NOTES_SOCKET));
	process_initialise(argc, argv);
	enforce_initialise();
	pid = (int32_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	alive = kernel_memory(sizeof *alive);
	if (alive && kernel_call(SYS_madvise, (long)alive, 4096, MADV_WIPEONFORK, 0, 0, 0) == 0)
		atomic_store(alive, 1);
	else
		alive = NULL;
	note_write(NOTE_start, &(struct note_content){.text = {process_exe(), process_argv()}});
	/* Registered before the loader's own end of the process, so it is the last of all that runs. */
	on_exit(note_exit, NULL);
	if (enforce_wipes && !recording)
		on_exit(on_exit_handler, NULL);
	pthread_atfork(fork_prepare, fork_parent, fork_child);
	if (!recording)
		recorder_emit = &silent_emit;
	atomic_store(&recorder_state, recording ? RECORDER_IDLE : RECORDER_READY);
}
