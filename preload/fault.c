#include "preload/fault.h"

#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>

#include "preload/audit.h"
#include "preload/audit_log.h"
#include "preload/cancel.h"
#include "preload/carried.h"
#include "preload/disposition.h"
#include "preload/enforce.h"
#include "preload/facts.h"
#include "preload/fault_context.h"
#include "preload/fault_site.h"
#include "preload/fault_stack.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/lock.h"
#include "preload/note.h"
#include "preload/observe.h"
#include "preload/page.h"
#include "preload/process.h"
#include "preload/recorder.h"
#include "preload/signals.h"
#include "tracepoints/environment.h"

/*
 * A handler may wait so long for another thread to leave the ledger. Zero pages for one process, and faults told of one
 * that takes them itself: a program that lives from SIGBUS must not fill the trace.
 */
enum { PATIENCE_MS = 20, SURVIVED_MAX = 1024, TOLD_MAX = 1000 };

static atomic_uint told_count;

/* Pages that were given, so that the second of two threads that fault on one does not lose what the first stored there. */
static bool surviving; /* every object's faults, whatever a policy says */
static struct lock survive_lock;
static atomic_uint survived_count;
static _Atomic uint64_t survived[SURVIVED_MAX];

/* A fault that the program's handler got, on this thread and on any: crash handlers send the signal once more. */
enum { HANDLER_STACK = 1 << 20, ECHO_MS = 30000 };
static __thread struct {
	uintptr_t context; /* what the kernel put on the stack before the handler's frames; 0: none */
	uintptr_t stack;   /* where the code that faulted had it */
	uint64_t ip, address;
} passed_on;
static _Atomic uint64_t passed_on_last, passed_on_ms; /* address, and when */

struct fault {
	const siginfo_t *info;
	ucontext_t *context;
	bool sent;   /* by kill(2) and its kin, not by the instruction */
	bool fatal;  /* the program has no handler */
	bool nested; /* a visit of ours was interrupted */
	bool light;  /* our own or any code may have been interrupted: no lock, no memory, no unwinding of ours */
	bool survived;
	enum cause cause;
	uint64_t address, available;
	struct fault_site *site;
	enum policy_action action; /* by the policy, */
	const char *name;          /* of the object by this name, or NULL */
};

/*
 * A handler that was jumped out of left the stack further up, and where one has returned others write later. What lies there
 * now the kernel is asked for: an alternate stack may be gone.
 */
static bool is_handling(uintptr_t stack)
{
	ucontext_t context = {0};

	if (stack >= passed_on.context || passed_on.context - stack >= HANDLER_STACK)
		return false;
	return kernel_copy(&context, (const void *)passed_on.context, sizeof context) &&
	       fault_context_instruction(&context) == passed_on.ip && fault_context_stack(&context) == passed_on.stack;
}

static void note_passed_on(const struct fault *f)
{
	passed_on.context = (uintptr_t)f->context;
	passed_on.ip = fault_context_instruction(f->context);
	passed_on.stack = fault_context_stack(f->context);
	passed_on.address = f->address;
	atomic_store(&passed_on_last, f->address);
	atomic_store(&passed_on_ms, kernel_clock(CLOCK_MONOTONIC) / 1000000);
}

/*
 * Of a signal that was sent: the address of the fault whose handler did so, 0: another has, or nobody handles one. A blocked
 * one comes when the handler returns to the instruction; one for the whole process may come to another thread.
 */
static uint64_t echo_of(const struct fault *f)
{
	if (f->info->si_pid != (pid_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0))
		return 0;
	if (passed_on.context)
		return is_handling(fault_context_stack(f->context)) ||
				       fault_context_instruction(f->context) == passed_on.ip
			       ? passed_on.address
			       : 0;
	uint64_t now = kernel_clock(CLOCK_MONOTONIC) / 1000000;
	return f->info->si_code == SI_USER && now - atomic_load(&passed_on_ms) < ECHO_MS ? atomic_load(&passed_on_last)
											 : 0;
}

/* Is the page past the object's end, and if not, who could not give one? */
static enum cause cause_of_page(struct fault *f)
{
	struct identity *identity = &f->site->identity;
	uint64_t page = identity->page ? identity->page : page_round(1);

	/* The last size seen is no proof. Without room, though, a hole would be taken for the end. */
	if (!f->site->fresh && !identity->huge && f->available >= page)
		fault_site_probe(f->site, f->address, &identity->size);
	uint64_t past = identity->size + page - 1;
	if (past >= identity->size && f->site->offset >= past / page * page)
		return CAUSE_past_end;
	if (identity->huge)
		return CAUSE_no_huge_page;
	return f->available < page ? CAUSE_tmpfs_full : CAUSE_unknown;
}

static enum cause find_cause(struct fault *f)
{
	struct identity *identity = &f->site->identity;

	f->available = UINT64_MAX;
	if (f->sent)
		return CAUSE_sent;
	if (f->site->found) {
		fault_site_refresh(f->site, f->address);
		if (identity->huge)
			facts_huge_pages_free(identity->page, &f->available);
		else
			facts_room(identity, UINT64_MAX, &f->available);
	}
	if (f->info->si_code == BUS_MCEERR_AR || f->info->si_code == BUS_MCEERR_AO)
		return CAUSE_hardware;
	if (!f->site->found)
		return CAUSE_not_ours;
	return f->info->si_code == BUS_ADRERR ? cause_of_page(f) : CAUSE_unknown;
}

/* Has the page been given meanwhile, and is it there still? */
static bool has_survived(const struct fault *f)
{
	uint64_t at = f->address & -page_round(1);
	unsigned count = atomic_load(&survived_count);

	for (unsigned i = 0; i < count && i < SURVIVED_MAX; i++)
		if (survived[i] == at)
			return fault_site_has_page(at);
	return false;
}

static bool put_page(struct fault *f)
{
	uint64_t page = page_round(1), at = f->address & -page;
	unsigned slot = atomic_fetch_add(&survived_count, 1);
	int prot = PROT_READ | PROT_WRITE;

	if (slot >= SURVIVED_MAX)
		return false;
	if (fault_site_protection(f->site, f->address) >= 0)
		prot = f->site->prot;
	long result = kernel_call(SYS_mmap, (long)at, (long)page, prot, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((uint64_t)result != at)
		return false;
	atomic_store(&survived[slot], at);
	ledger_try_forget(at, page, f->light ? 0 : PATIENCE_MS);
	return true;
}

static bool can_survive(const struct fault *f)
{
	return (f->cause == CAUSE_past_end || f->cause == CAUSE_tmpfs_full) && !f->site->identity.huge;
}

static bool survive(struct fault *f)
{
	bool asked = surviving || (f->action == ACTION_fix && !enforce_audits());

	if (!asked || !can_survive(f) || !lock_try(&survive_lock, PATIENCE_MS * 10))
		return false;
	bool done = has_survived(f) || put_page(f);
	lock_give(&survive_lock);
	return done;
}

static enum access access_of(const struct fault *f)
{
	return f->sent ? ACCESS_unknown : fault_context_access(f->context);
}

static void emit(const struct fault *f)
{
	uint32_t stack = 0;
	struct fault_event e;

	if (atomic_load(&recorder_state) != RECORDER_READY || (f->light && !recorder_thread.prepared))
		return;
	if (!f->light) {
		recorder_prepare_thread();
		stack = observe_stack(f->context);
	}
	recorder_head((struct event_head *)&e);
	e.stack = stack;
	e.cause = (uint8_t)f->cause;
	e.code = (uint32_t)f->info->si_code;
	e.addr = f->sent ? echo_of(f) : f->address;
	e.ip = fault_context_instruction(f->context);
	e.object = f->site->object;
	e.start = f->site->start;
	e.length = f->site->end - f->site->start;
	e.offset = (int64_t)f->site->offset;
	e.size = f->site->identity.size;
	e.available = f->available;
	e.survived = f->survived;
	e.access = (uint8_t)access_of(f);
	recorder_emit->fault(&e);
}

/* As the report will have it, but for a handler that ends the process: that is seen only then. */
static enum severity severity_of(const struct fault *f)
{
	if (f->sent)
		return SEVERITY_NOTE;
	return f->fatal || f->survived ? SEVERITY_ERROR : SEVERITY_WARNING;
}

static void write_note(const struct fault *f)
{
	const struct fault_site *site = f->site;

	note_write(NOTE_fault, &(struct note_content){.found = {.rule = f->cause,
								.severity = severity_of(f),
								.offset = (int64_t)site->offset,
								.length = site->end - site->start,
								.size = site->identity.size,
								.limit = f->available,
								.dev = site->identity.dev,
								.ino = site->identity.ino,
								.kind = site->identity.kind,
								.other = f->sent ? f->info->si_pid : 0,
								.survived = f->survived,
								.access = (uint16_t)access_of(f)},
						      .text = {site->name, process_exe()}});
}

static void decide(struct fault *f, char text[static 512])
{
	f->action = ACTION_off;
	if (f->sent || !f->site->found)
		return;
	f->name = f->site->name[0] ? f->site->name : NULL;
	f->action = enforce_faulted(&f->site->identity, &f->name, text);
}

/* vforked: what was told once is the parent's to remember. */
static void audit(const struct fault *f, bool vforked)
{
	struct audit_decision decision = {.rule = RULE_sigbus_cause,
					  .response = f->survived ? RESPONSE_fixed : RESPONSE_recorded,
					  .caller = (const void *)(uintptr_t)fault_context_instruction(f->context)};

	if (audit_log_kind == LOG_none || f->action == ACTION_off)
		return;
	if (!f->survived && f->action == ACTION_fix && enforce_audits() && can_survive(f))
		decision.response = RESPONSE_audit;
	if (vforked)
		audit_line(&decision, f->name);
	else
		audit_line_once(&decision, f->name, f->site->identity.dev, f->site->identity.ino);
	/* Nothing comes after it that would tell what was held back. */
	if (f->fatal && !f->survived && !vforked)
		audit_flush();
}

static void tell(const struct fault *f)
{
	audit(f, false);
	if (!f->fatal && !f->survived && atomic_fetch_add(&told_count, 1) >= TOLD_MAX)
		return;
	emit(f);
	/* What is none of ours the report may name, but nobody needs to be told at once. */
	if (f->cause != CAUSE_not_ours)
		write_note(f);
}

/* A vfork(2) child runs in its parent's memory: what it may change is not its own, but a note is. */
static void look_in_vfork_child(struct fault *f)
{
	char text[512];

	if (!f->fatal || f->sent)
		return;
	fault_site_find(f->site, f->address, 0, true);
	f->cause = find_cause(f);
	decide(f, text);
	audit(f, true);
	if (f->cause != CAUSE_not_ours)
		write_note(f);
}

static void look(void *argument)
{
	struct fault *f = argument;
	struct fault_site site = {.prot = -1};
	char text[512];

	f->nested = recorder_thread.depth++ > 0;
	f->site = &site;
	f->light = f->nested || f->sent;
	if (!f->light)
		recorder_check_process();
	if (recorder_is_vfork_child()) {
		look_in_vfork_child(f);
	} else {
		if (!f->sent)
			fault_site_find(f->site, f->address, f->nested ? 0 : PATIENCE_MS, f->fatal);
		if (has_survived(f)) {
			f->survived = true;
		} else if (f->site->found || f->fatal) {
			f->cause = find_cause(f);
			decide(f, text);
			f->survived = survive(f);
			tell(f);
		}
	}
	recorder_thread.depth--;
}

/*
 * Dies as without us: the kernel has SIG_DFL, and the signal comes once more, with what it said the first time, when the
 * handler returns; there the instruction waits, too, should the signal be ignored (the first process of a container).
 */
static void die(const siginfo_t *info)
{
	pid_t pid = (pid_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	pid_t tid = (pid_t)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);

	disposition_default();
	kernel_call(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, (long)info, 0, 0);
}

static void pass(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
}

/* Answers what is to be done next, with nothing of ours held any more. */
static disposition_handler *explain(const siginfo_t *info, ucontext_t *context)
{
	uint64_t mask = signals_block_these(UINT64_MAX);
	struct fault f = {.info = info, .context = context, .address = (uint64_t)(uintptr_t)info->si_addr};

	f.sent = info->si_code <= 0;
	f.fatal = disposition_now() == DISPOSITION_DEFAULT;
	if (f.sent)
		f.address = 0;
	if (f.fatal || f.sent || ledger_may_map(info->si_addr, 1))
		fault_stack_run(look, &f);
	disposition_handler *next = f.survived ? pass : disposition_deliver();
	if (next == DISPOSITION_DEFAULT || (next == DISPOSITION_IGNORE && !f.sent)) {
		/* Still blocked: the signal is taken at the instruction that was interrupted, not here. */
		die(info);
		return pass;
	}
	/* Our own reading of the program's memory has faulted, and its handler may jump out of the visit. */
	if (f.nested && !f.sent && next != pass) {
		recorder_thread.depth = 0;
		cancel_allow();
		if (recorder_thread.blocks) {
			mask = recorder_thread.mask | disposition_mask();
			memcpy(&context->uc_sigmask, &recorder_thread.mask, sizeof recorder_thread.mask);
		}
	}
	if (!f.sent && next != pass && next != DISPOSITION_IGNORE)
		note_passed_on(&f);
	signals_restore(mask);
	return next == DISPOSITION_IGNORE ? pass : next;
}

/* The last call is a jump, so that the program's handler finds the stack as the kernel would have left it. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
	disposition_handler *next = explain(info, context);
	next(number, info, context);
}

uint64_t fault_being_handled(void)
{
	return is_handling((uintptr_t)__builtin_frame_address(0)) ? passed_on.ip : 0;
}

void fault_expect(void)
{
	static atomic_bool expected;
	const char *mode;

	if (__builtin_expect(atomic_load_explicit(&expected, memory_order_relaxed), true) || recorder_is_vfork_child())
		return;
	if (!fault_stack_make())
		return;
	mode = carried_value(ENVIRONMENT_ON_SIGBUS);
	surviving = mode && strcmp(mode, "survive") == 0;
	atomic_store(&expected, true);
	disposition_take(on_sigbus);
}
