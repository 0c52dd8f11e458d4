#include "preload/recorder_inner.h"

#include <stdlib.h>

#include "preload/audit.h"
#include "preload/carried.h"
#include "preload/disposition.h"
#include "preload/enforce.h"
#include "preload/enforce_leave.h"
#include "preload/fault.h"
#include "preload/findings.h"
#include "preload/inherited.h"
#include "preload/interrupted.h"
#include "preload/kernel.h"
#include "preload/late_size.h"
#include "preload/ledger.h"
#include "preload/loader.h"
#include "preload/module.h"
#include "preload/module_watch.h"
#include "preload/note.h"
#include "preload/observe.h"
#include "preload/own.h"
#include "preload/process.h"
#include "preload/queue.h"
#include "preload/signals.h"
#include "preload/silent.h"
#include "preload/stack.h"
#include "preload/text.h"
#include "tracepoints/environment.h"

atomic_int recorder_state = RECORDER_OFF;
const struct emit *recorder_emit;
__thread struct thread recorder_thread;
atomic_bool recorder_blocks;
int32_t recorder_pid;

static uint32_t recording;
static atomic_uint sequence;
static atomic_ullong lost;
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
				    .pid = recorder_pid,
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

void recorder_tell_process(enum began began, int32_t parent, uint32_t parent_seq)
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
	bool watched = module_watch_works();

	if (__builtin_expect(watched && !module_changed(), true))
		return;
	/* In a child that is forked meanwhile the loader's lock would stay taken. */
	stack_enter();
	if ((watched || module_changed()) &&
	    atomic_compare_exchange_strong(&telling_modules, &nobody, &recorder_thread)) {
		stack_modules_changed(module_tell(module_came, module_gone));
		atomic_store(&telling_modules, NULL);
	}
	stack_leave();
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
	/* It takes much of a small stack: what a handler needs beside that may not be there. */
	uint64_t mask = signals_block();
	recorder_emit->thread();
	stack_prepare_thread();
	signals_restore(mask);
}

static void on_exit_handler(int status, void *context)
{
	(void)context;
	recorder_exit(status);
}

/* What `run` could not be told yet, for want of a descriptor. */
static const char *_Atomic untold;

static void tell_blind(const char *why)
{
	if (why && !note_write(NOTE_blind, &(struct note_content){.text = {why, process_exe()}}))
		atomic_store(&untold, why);
}

void recorder_tell_untold(void)
{
	if (__builtin_expect(atomic_load(&untold) != NULL, false) && !recorder_is_vfork_child())
		tell_blind(atomic_exchange(&untold, NULL));
}

void recorder_go_blind(const char *why)
{
	tell_blind(why);
	recorder_fall_silent();
}

void recorder_fall_silent(void)
{
	if (enforce_on)
		recorder_emit = &silent_emit;
	atomic_store(&recorder_state, enforce_on ? RECORDER_READY : RECORDER_BLIND);
}

bool recorder_silent(void)
{
	return recorder_emit == &silent_emit;
}

void recorder_renew(void)
{
	recorder_thread.tid = 0;
	recorder_pid = (int32_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	atomic_store(&sequence, 0);
	atomic_store(&lost, 0);
	atomic_store(&telling_modules, NULL);
}

uint32_t recorder_sequence(void)
{
	return atomic_load(&sequence);
}

bool recorder_confined;

void recorder_confine(const char *refused)
{
	char text[160] = "it has a filter of system calls that does not let pass ";
	struct visit visit;

	recorder_wait_for_loading();
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

static void record_kept(const struct object *object, void *visit)
{
	observe_found(visit, object);
	findings_kept(object->id, 0, observe_stack(NULL));
}

/* Is anything to be told yet, or may the policy have to look after what the program only found open? */
static bool awaits_end(void)
{
	struct object object;

	return queue_any() || (enforce_wipes && ledger_object_at(0, &object));
}

/* What is left of the process is its end; false: nothing of it can be told. */
static bool leave(struct visit *visit)
{
	/* Where it is off a filter of system calls may kill for the question. */
	if (atomic_load(&recorder_state) == RECORDER_OFF || recorder_shares_memory())
		return false;
	/* What other threads did while one loads LTTng is queued. */
	if (!recorder_thread.depth)
		recorder_wait_for_loading();
	/* LTTng is not loaded in a crash handler that has so little room, nor has it been in a child that shares our memory. */
	if (atomic_load(&recorder_state) == RECORDER_IDLE && (awaits_end() || recorder_awaits_loader())) {
		if (recorder_thread.depth || (recorder_thread.small_stack_size && !recorder_thread.narrow))
			recorder_go_blind("a signal handler on a small stack made its only calls, and ended it");
		else if (interrupted_amid_allocation(NULL))
			recorder_go_blind(
				"a signal handler amid malloc(3) or dlopen(3) made its only calls, and ended it");
		else
			recorder_load();
	}
	if (atomic_load(&recorder_state) != RECORDER_READY)
		return false;
	if (recorder_thread.depth)
		observe_forget();
	if (!observe_enter(visit, recorder_exit))
		return false;
	if (!visit->nested) {
		observe_settle();
		late_size_tell(0, UINT64_MAX);
	}
	if (enforce_wipes)
		enforce_exit(record_kept, visit);
	return true;
}

void recorder_exit(int status)
{
	struct visit visit;
	struct exit_event e = {.status = status};

	if (!leave(&visit))
		return;
	tell_lost();
	recorder_head((struct event_head *)&e);
	e.stack = observe_handler(&visit, fault_being_handled());
	recorder_emit->exit(&e);
	observe_leave(&visit);
}

void recorder_tell_leaving(int status)
{
	audit_flush();
	recorder_tell_untold();
	note_write(NOTE_leave, &(struct note_content){.status = status});
}

static void note_exit(int status, void *context)
{
	(void)context;
	recorder_tell_leaving(status);
}

/* quick_exit(3); what status it has nobody is told but the parent. */
static void on_quick_exit(void)
{
	struct visit visit;

	if (leave(&visit))
		observe_leave(&visit);
	audit_flush();
}

static uint32_t recording_of(const char *id)
{
	uint64_t number;

	return id && text_hexadecimal(&id, &number) ? (uint32_t)number : 0;
}

/* `shmguard run`: what it runs is recorded by itself, apart from this recording. */
static bool is_another_recording(int argc, char **argv)
{
	const char *name = strrchr(process_exe(), '/');

	return name && strcmp(name, "/shmguard") == 0 && argc > 1 && strcmp(argv[1], "run") == 0 &&
	       !carried_value(ENVIRONMENT_PROFILE) && !carried_value(ENVIRONMENT_POLICY);
}

static void start(int argc, char **argv)
{
	real_resolve();
	own_initialise();
	carried_initialise();
	const char *id = carried_value(ENVIRONMENT_RECORDING);
	if (!id && !carried_value(ENVIRONMENT_PROFILE) && !carried_value(ENVIRONMENT_POLICY))
		return;
	if (carried_is_command(argc, argv))
		return;
	/* One that it has come to by an exec is there already. */
	recorder_filtered = recorder_filter_mode() != 0;
	recording = recording_of(id);
	note_initialise(recording, carried_value(ENVIRONMENT_NOTES), carried_value(ENVIRONMENT_NOTES_SOCKET));
	process_initialise(argc, argv);
	enforce_initialise();
	/* What is seen would be told nobody, and nothing be changed. */
	if (!recording && !enforce_on && enforce_unheard)
		return;
	own_find_tracer();
	if (recording) {
		loader_initialise();
		interrupted_initialise();
	}
	recorder_pid = (int32_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	note_write(NOTE_start, &(struct note_content){.text = {process_exe(), process_argv()}});
	if (recording)
		inherited_tell();
	if (is_another_recording(argc, argv)) {
		note_write(NOTE_blind,
			   &(struct note_content){.text = {"it records by itself what it runs", process_exe()}});
		return;
	}
	/* Registered before the loader's own end of the process, so it is the last of all that runs. */
	LIBC(on_exit)(note_exit, NULL);
	LIBC(on_exit)(on_exit_handler, NULL);
	if (enforce_on)
		(void)at_quick_exit(on_quick_exit);
	recorder_fork_initialise();
	if (recording) {
		recorder_last_initialise();
	} else {
		recorder_emit = &silent_emit;
		recorder_watch_clones();
	}
	if (enforce_wipes)
		enforce_take_up();
	atomic_store(&recorder_state, recording ? RECORDER_IDLE : RECORDER_READY);
}

/*
 * Before the constructors of the program's libraries, which make calls as well (-z initfirst). That of libc, by which the
 * environment is found, comes later, too: what the program sees of it until then stays as it is.
 */
__attribute__((constructor)) static void begin(int argc, char **argv, char **environment)
{
	static bool begun;
	char **before = __environ;

	/* LTTng's libraries need us: where they come when the loader has ended the process it begins us once more. */
	if (begun)
		return;
	begun = true;
	if (!before) {
		recorder_precedes_libc(environment);
		__environ = environment;
	}
	start(argc, argv);
	__environ = before;
}
