/* What fork(2) and its like mean for the recording: LTTng and our locks around them, and a child that begins anew. */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "preload/audit.h"
#include "preload/beginning.h"
#include "preload/check.h"
#include "preload/disposition.h"
#include "preload/ending.h"
#include "preload/enforce.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/ledger_lock.h"
#include "preload/moves.h"
#include "preload/note.h"
#include "preload/observe.h"
#include "preload/own.h"
#include "preload/own_stack.h"
#include "preload/own_threads.h"
#include "preload/page.h"
#include "preload/process.h"
#include "preload/queue.h"
#include "preload/recent.h"
#include "preload/recorder_inner.h"
#include "preload/signals.h"
#include "preload/stack.h"

static uint32_t sequence_at_fork;
static bool unattended;    /* LTTng's threads, which are told when the recording ends, are not in this process */
static atomic_bool shared; /* some child that is no thread shares, or shared, our memory */
static atomic_int *alive;  /* a page that the kernel zeroes in every child that has its own copy of our memory */

bool recorder_is_vfork_child(void)
{
	if (!recorder_thread.vforked && !atomic_load_explicit(&shared, memory_order_relaxed))
		return false;
	if (kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0) != recorder_pid)
		return true;
	/* A thread goes on only when its child by vfork is gone. */
	recorder_thread.vforked = false;
	return false;
}

bool recorder_shares_memory(void)
{
	if (recorder_is_vfork_child())
		return true;
	if (recorder_confined || !alive || !atomic_load_explicit(alive, memory_order_relaxed) ||
	    kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0) == recorder_pid)
		return false;
	atomic_store(&shared, true);
	return true;
}

static void start_anew(int32_t parent)
{
	recorder_renew();
	if (alive)
		atomic_store(alive, 1);
	queue_reset();
	move_fork_reset();
	enforce_fork_reset();
	ending_reset();
	process_forked(parent);
	/* What other threads held, or were at, in the parent. */
	ledger_lock_reset();
	/* What the parent made is the parent's. */
	ledger_forked(MARK_INHERITED);
	stack_fork_end(true);
	disposition_lock_reset();
	own_fork_reset();
	own_stack_fork_reset();
	own_threads_fork_reset();
	beginning_fork_reset();
	recorder_last_forked();
	audit_fork_reset();
	note_write(NOTE_fork, &(struct note_content){.text = {process_exe()}});
	recorder_tell_untold();
	recorder_expects_descriptors();
}

/* Else what the process goes on to do would keep LTTng busy at the end. */
static void look_for_end(void)
{
	static atomic_ullong asked;

	if (recorder_confined || !recent_second(&asked) || !note_marked(NOTES_ENDED))
		return;
	unattended = false;
	recorder_fall_silent();
}

void recorder_check_process(void)
{
	if (__builtin_expect(unattended, false))
		look_for_end();
	if (!alive || __builtin_expect(atomic_load_explicit(alive, memory_order_relaxed) != 0, true))
		return;
	uint32_t parent_seq = recorder_sequence();
	int32_t parent = recorder_pid;
	start_anew(parent);
	unattended = true;
	if (atomic_load(&recorder_state) == RECORDER_LOADING)
		recorder_go_blind("cloned while LTTng was being loaded");
	if (atomic_load(&recorder_state) == RECORDER_READY)
		recorder_tell_process(BEGAN_adopted, parent, parent_seq);
}

void recorder_wait_for_loading(void)
{
	for (int i = 0; i < 5000 && atomic_load(&recorder_state) == RECORDER_LOADING; i++)
		kernel_rest(1000000);
}

/* LTTng's calls may come through another's wrappers (tcmalloc's mmap): they are no visits of the program's. */
static void tracer_forks(void (*part)(sigset_t *))
{
	if (own_tracer_forks())
		return;
	bool before = own_at_work(true);
	recorder_thread.forking = true;
	part(&recorder_thread.fork_signals);
	recorder_thread.forking = false;
	own_at_work(before);
}

/*
 * LTTng holds its locks through the fork, and blocks every signal. A filter of system calls that answers the fork itself, or
 * a call of the handlers of the program, with SIGSYS would kill for it: what an instruction causes is let through.
 */
static void tracer_awaits_fork(void)
{
	uint64_t ours = SIGNALS_OF_INSTRUCTIONS & ~signals_block_these(0);

	tracer_forks(recorder_emit->fork_before);
	kernel_call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&ours, 0, sizeof ours, 0, 0);
}

/* A fork from a signal handler that interrupted our own code finds locks that its own thread holds: see fork_child. */
static bool begin_fork(uintptr_t stack)
{
	if (recorder_thread.depth)
		return false;
	recorder_wait_for_loading();
	recorder_thread.among_forks = enforce_wipes && ending_fork();
	recorder_thread.depth++;
	recorder_thread.outermost = stack;
	if (atomic_load(&recorder_state) == RECORDER_READY)
		tracer_awaits_fork();
	return true;
}

/* To sign in with LTTng takes 30 ms. Who has not been taken by the session yet has nothing that a child could go on with. */
static void child_tracer(void)
{
	const char *lacks = NULL;

	if (own_tracer_forks())
		return;
	unattended = recorder_emit->enabled() && own_threads_disown();
	if (!unattended)
		lacks = recorder_lacks_room(true);
	tracer_forks(unattended || lacks ? recorder_emit->fork_inherits : recorder_emit->fork_child);
	if (lacks) {
		own_threads_disown();
		recorder_go_blind(lacks);
	}
}

static void end_fork(void)
{
	bool ready = atomic_load(&recorder_state) == RECORDER_READY;

	if (ready && recorder_thread.forked)
		child_tracer();
	else if (ready)
		tracer_forks(recorder_emit->fork_parent);
	if (ready && recorder_thread.forked && atomic_load(&recorder_state) == RECORDER_READY) {
		recorder_tell_if_late();
		recorder_tell_process(BEGAN_fork, process_parent(), sequence_at_fork);
	}
	if (recorder_thread.among_forks && !recorder_thread.forked)
		ending_forked();
	recorder_thread.among_forks = false;
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
	recorder_thread.makers_stopped = beginning_fork_begin();
	ledger_lock_hold();
	recorder_thread.closing = own_closing();
	sequence_at_fork = recorder_sequence();
}

static void fork_parent(void)
{
	if (!recorder_thread.locked)
		return;
	recorder_thread.locked = false;
	own_closed(recorder_thread.closing);
	ledger_lock_free();
	beginning_fork_end(recorder_thread.makers_stopped);
	stack_fork_end(recorder_thread.walks_stopped);
	if (!recorder_thread.around)
		end_fork();
}

static void fork_child(void)
{
	int kept = errno;
	int32_t parent = recorder_pid;

	if (recorder_thread.locked) {
		recorder_thread.locked = false;
		recorder_thread.forked = true;
		start_anew(parent);
		if (atomic_load(&recorder_state) == RECORDER_LOADING)
			recorder_go_blind("forked while another thread was loading LTTng");
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

bool recorder_live_alone(void)
{
	if (atomic_load(&recorder_state) != RECORDER_READY || recorder_silent())
		return false;
	recorder_thread.depth++;
	tracer_forks(recorder_emit->fork_before);
	bool ended = own_threads_end();
	unattended |= ended;
	tracer_forks(recorder_emit->fork_parent);
	ended = own_threads_await() && ended;
	recorder_thread.depth--;
	return ended;
}

bool recorder_end_threads(void)
{
	return !recorder_thread.depth && recorder_live_alone();
}

static void notice_copies(void)
{
	atomic_int *page = alive ? NULL : kernel_memory(sizeof *page);

	if (page && kernel_call(SYS_madvise, (long)page, (long)page_size(), MADV_WIPEONFORK, 0, 0, 0) == 0) {
		atomic_store(page, 1);
		alive = page;
	}
}

void recorder_share_memory(void)
{
	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_OFF)
		return;
	/* By its id alone a later child with memory of its own looks like one that shares it. */
	notice_copies();
	atomic_store(&shared, true);
}

void recorder_watch_clones(void)
{
	int32_t before = recorder_pid;

	notice_copies();
	if (kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0) != before)
		start_anew(before);
}

void recorder_fork_initialise(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}
