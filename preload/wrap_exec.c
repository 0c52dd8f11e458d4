/*
 * The exec family and posix_spawn: what the new program needs to go on being recorded is merged into its environment, on
 * the stack or, where that is large, in memory of our own. All of it must work in a vfork(2) child.
 */
#include <alloca.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/audit.h"
#include "preload/carried.h"
#include "preload/enforce_leave.h"
#include "preload/kernel.h"
#include "preload/note.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/room.h"
#include "preload/text.h"
#include "preload/unguarded.h"
#include "preload/wrap.h"

enum { STACK_LIMIT = 32 * 1024, EXECVE_CHECK = 0x10000 /* AT_EXECVE_CHECK, of Linux 6.14 */ };

struct executing {
	bool recorded;
	uint32_t seq; /* of its event, 0: none */
	size_t room;
	void *memory; /* ours to free if the call comes back */
	char *const *environment;
};

static struct executing executing(char *const environment[])
{
	struct executing x = {.environment = environment};

	bool records = atomic_load_explicit(&recorder_state, memory_order_relaxed) != RECORDER_OFF;
	/* What the kernel would answer with EFAULT is the kernel's to answer. */
	if (!(records || recorder_confined) || (environment && !kernel_texts_readable(environment)))
		return x;
	x.recorded = records;
	x.room = carried_room(environment);
	if (x.room > STACK_LIMIT)
		x.memory = kernel_memory(x.room);
	return x;
}

/* A macro, since alloca's memory must be the wrapper's. */
#define MERGE(x)                                                                                                       \
	do {                                                                                                           \
		if ((x).room && ((x).memory || (x).room <= STACK_LIMIT))                                               \
			(x).environment = carried_merge((x).environment, (x).memory ? (x).memory : alloca((x).room));  \
	} while (0)

/* What would be much of a signal handler's small stack is put elsewhere, here and below. */
static void note_path(enum note_type type, const char *path, int32_t child, int error)
{
	char *cwd = path[0] == '/' ? NULL : kernel_memory(PATH_MAX);
	long length = cwd ? kernel_call(SYS_getcwd, (long)cwd, PATH_MAX, 0, 0, 0, 0) : 0;

	note_write(type,
		   &(struct note_content){.child = child, .error = error, .text = {path, length > 0 ? cwd : NULL}});
	if (cwd)
		kernel_memory_free(cwd, PATH_MAX);
}

/* Without a word, a policy would seem to be in force there. */
static void tell_unguarded(const char *path, bool searches, const void *caller)
{
	if (!enforce_on || own_caller(caller))
		return;
	void *memory = kernel_memory(UNGUARDED_PATH);
	char *program = memory ? memory : alloca(UNGUARDED_PATH);
	const char *why = unguarded_program(path, searches, program);

	if (why)
		audit_unguarded(program, why, caller);
	if (memory)
		kernel_memory_free(memory, UNGUARDED_PATH);
}

/*
 * The program would lose a policy that denies or mends, as the loader would not find our library there: it is not started.
 * name: of what only a descriptor leads to, or NULL.
 */
static bool refuses(const struct unguarded_program *program, const char *name, const void *caller)
{
	const char *why = enforce_on && !enforce_audits() && !own_caller(caller) ? unguarded_library() : NULL;

	if (!why || !kernel_one_text_readable(program->file))
		return false;
	void *memory = kernel_memory(UNGUARDED_PATH);
	char *found = memory ? memory : alloca(UNGUARDED_PATH);
	bool lost = unguarded_for_want(program, found);

	if (lost)
		audit_line(&(struct audit_decision){RULE_COUNT, RESPONSE_denied, EACCES, false, why, caller},
			   name       ? name
			   : found[0] ? found
				      : program->file);
	if (memory)
		kernel_memory_free(memory, UNGUARDED_PATH);
	return lost;
}

static void announce(struct executing *x, const char *path, bool searches, bool by_fd, const void *caller)
{
	struct visit visit;
	int kept = errno;

	x->recorded = x->recorded && kernel_one_text_readable(path);
	if (!x->recorded)
		return;
	note_path(NOTE_exec, path, 0, 0);
	tell_unguarded(path, searches, caller);
	if (!recorder_shares_memory()) {
		recorder_wait_for_loading();
		if (recorder_awaits_loader())
			observe_awaken(caller);
		if (enforce_wipes && observe_enter(&visit, caller)) {
			enforce_exec(&(struct enforce_executed){path, searches, by_fd}, caller);
			observe_leave(&visit);
		}
		audit_flush();
	}
	if (atomic_load(&recorder_state) == RECORDER_READY && !recorder_is_vfork_child() &&
	    observe_enter(&visit, caller)) {
		x->seq = RECORD(&visit, exec, NULL, .path = path);
		observe_leave(&visit);
	}
	errno = kept;
}

/*
 * What a path relative to a descriptor leads to, as /proc names it; of the empty path, what the descriptor itself is: in memory
 * of our own. NULL: the path says so itself, or nobody does.
 */
static char *found_at(int dirfd, const char *path)
{
	char link[TEXT_DESCRIPTOR], *room;

	if (!kernel_one_text_readable(path) || path[0] == '/' || dirfd < 0 || !(room = kernel_memory(PATH_MAX)))
		return NULL;
	long length = kernel_readlink(text_descriptor(link, dirfd), room, PATH_MAX - 1);
	room[length > 0 ? length : 0] = 0;
	if (room[0] && (!path[0] || (text_append(room, PATH_MAX, "/") && text_append(room, PATH_MAX, path))))
		return room;
	kernel_memory_free(room, PATH_MAX);
	return NULL;
}

/* A child by vfork(2) gives back nothing that it takes for good: the path is on the stack, as what MERGE makes is. */
#define PATH_AT(whole, dirfd, path)                                                                                    \
	const char *whole = (path);                                                                                    \
	char *found = found_at(dirfd, path);                                                                           \
	if (found) {                                                                                                   \
		whole = strcpy(alloca(strlen(found) + 1), found);                                                      \
		kernel_memory_free(found, PATH_MAX);                                                                   \
	}

/* The call came back, so it failed. */
static int came_back(struct executing *x, const char *path, int result, const void *caller)
{
	int kept = errno;

	room_return();
	if (enforce_wipes && !recorder_is_vfork_child())
		enforce_exec_failed();
	observe_failed(x->seq, caller);
	if (x->memory)
		kernel_memory_free(x->memory, x->room);
	if (x->recorded)
		note_path(NOTE_exec_failed, path, 0, kept);
	errno = kept;
	return result;
}

#define EXECUTE_AT(caller, dirfd, file, name, path, searches, environment_given, call)                                 \
	do {                                                                                                           \
		if (refuses(&(struct unguarded_program){dirfd, file, searches, false}, name, caller)) {                \
			errno = EACCES;                                                                                \
			return -1;                                                                                     \
		}                                                                                                      \
		struct executing x = executing(environment_given);                                                     \
		MERGE(x);                                                                                              \
		announce(&x, path, searches, (dirfd) != AT_FDCWD, caller);                                             \
		room_leave();                                                                                          \
		return came_back(&x, path, call, caller);                                                              \
	} while (0)
#define EXECUTE_FOR(caller, path, searches, environment_given, call)                                                   \
	EXECUTE_AT(caller, AT_FDCWD, path, NULL, path, searches, environment_given, call)
#define EXECUTE(path, environment_given, call) EXECUTE_FOR(CALLER, path, false, environment_given, call)
#define EXECUTE_FOUND(file, environment_given, call) EXECUTE_FOR(CALLER, file, true, environment_given, call)

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	EXECUTE(path, envp, REAL(execve)(path, argv, x.environment));
}

EXPORT int execv(const char *path, char *const argv[])
{
	EXECUTE(path, __environ, REAL(execve)(path, argv, x.environment));
}

EXPORT int execvp(const char *file, char *const argv[])
{
	EXECUTE_FOUND(file, __environ, REAL(execvpe)(file, argv, x.environment));
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	EXECUTE_FOUND(file, envp, REAL(execvpe)(file, argv, x.environment));
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	fd = wrap_given(fd, CALLER);
	PATH_AT(path, fd, "")

	EXECUTE_AT(CALLER, fd, "", path, path, false, envp, REAL(fexecve)(fd, argv, x.environment));
}

int wrap_execve(int (*real_execve)(const char *, char *const[], char *const[]), const char *path, char *const argv[],
		char *const envp[], const void *caller)
{
	EXECUTE_FOR(caller, path, false, envp, real_execve(path, argv, x.environment));
}

int wrap_execveat(int (*real_execveat)(int, const char *, char *const[], char *const[], int), int dirfd,
		  const char *path, char *const argv[], char *const envp[], int flags, const void *caller)
{
	dirfd = wrap_given(dirfd, caller);
	/* Nothing is executed, and the call comes back without an error. */
	if (flags & EXECVE_CHECK)
		return real_execveat(dirfd, path, argv, envp, flags);
	PATH_AT(whole, dirfd, path)

	EXECUTE_AT(caller, dirfd, path, found ? whole : NULL, whole, false, envp,
		   real_execveat(dirfd, path, argv, x.environment, flags));
}

EXPORT int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return wrap_execveat(REAL(execveat), dirfd, path, argv, envp, flags, CALLER);
}

/* Gathers the arguments of an execl*, NULL included, into argv. */
#define LIST(arg)                                                                                                      \
	va_list list;                                                                                                  \
	size_t count = 1;                                                                                              \
	va_start(list, arg);                                                                                           \
	while (va_arg(list, char *))                                                                                   \
		count++;                                                                                               \
	va_end(list);                                                                                                  \
	char **argv = alloca((count + 1) * sizeof *argv);                                                              \
	argv[0] = (char *)(uintptr_t)(arg);                                                                            \
	va_start(list, arg);                                                                                           \
	for (size_t i = 1; i <= count; i++)                                                                            \
		argv[i] = va_arg(list, char *);

EXPORT int execl(const char *path, const char *arg, ...)
{
	LIST(arg)
	va_end(list);
	EXECUTE(path, __environ, REAL(execve)(path, argv, x.environment));
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	LIST(arg)
	va_end(list);
	EXECUTE_FOUND(file, __environ, REAL(execvpe)(file, argv, x.environment));
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	LIST(arg)
	char *const *envp = va_arg(list, char *const *);
	va_end(list);
	EXECUTE(path, envp, REAL(execve)(path, argv, x.environment));
}

static int spawned(struct executing *x, const char *path, bool searches, pid_t child, int result, const void *caller)
{
	struct visit visit;
	int kept = errno;

	if (x->memory)
		kernel_memory_free(x->memory, x->room);
	if (x->recorded && kernel_one_text_readable(path)) {
		note_path(NOTE_spawn, path, result ? 0 : child, result);
		if (result == 0)
			tell_unguarded(path, searches, caller);
		if (atomic_load(&recorder_state) == RECORDER_READY && observe_enter(&visit, caller)) {
			RECORD(&visit, spawn, NULL, .path = path, .child = result ? 0 : child,
			       .error = (int16_t)result);
			observe_leave(&visit);
		}
	}
	errno = kept;
	return result;
}

/* The child's pid is asked for even where the program does not want it. */
#define WRAP_SPAWN(name, searches)                                                                                     \
	EXPORT int name(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,                       \
			const posix_spawnattr_t *attr, char *const argv[], char *const envp[])                         \
	{                                                                                                              \
		pid_t own = 0, *child = pid ? pid : &own;                                                              \
		/* The actions may change the working directory. */                                                    \
		if (refuses(&(struct unguarded_program){AT_FDCWD, path, searches, actions}, NULL, CALLER))             \
			return EACCES;                                                                                 \
		struct executing x = executing(envp);                                                                  \
		MERGE(x);                                                                                              \
		int result = REAL(name)(child, path, actions, attr, argv, x.environment);                              \
		return spawned(&x, path, searches, result ? 0 : *child, result, CALLER);                               \
	}
WRAP_SPAWN(posix_spawn, false)
WRAP_SPAWN(posix_spawnp, true)

/* system(3) and popen(3) call no posix_spawn of ours. */
static const struct unguarded_program the_shell = {AT_FDCWD, "/bin/sh", false, false};

struct shell {
	size_t room;
	void *memory; /* ours to free when the call comes back */
	const char *command;
};

static struct shell shell(const char *command, const void *caller)
{
	struct shell s = {.command = command};
	int kept = errno;

	if (command)
		tell_unguarded(the_shell.file, false, caller);
	if ((atomic_load_explicit(&recorder_state, memory_order_relaxed) != RECORDER_OFF || recorder_confined) &&
	    kernel_one_text_readable(command) && (!__environ || kernel_texts_readable(__environ)))
		s.room = carried_command_room(command);
	if (s.room > STACK_LIMIT)
		s.memory = kernel_memory(s.room);
	errno = kept;
	return s;
}

#define SET_FIRST(s)                                                                                                   \
	do {                                                                                                           \
		if ((s).room && ((s).memory || (s).room <= STACK_LIMIT))                                               \
			(s).command = carried_command((s).command, (s).memory ? (s).memory : alloca((s).room));        \
	} while (0)

static void shell_started(const struct shell *s)
{
	if (s->memory)
		kernel_memory_free(s->memory, s->room);
}

EXPORT int system(const char *command)
{
	/* As where there is no shell: POSIX, system(3). */
	if (refuses(&the_shell, NULL, CALLER)) {
		errno = EACCES;
		return command ? W_EXITCODE(127, 0) : 0;
	}
	struct shell s = shell(command, CALLER);
	SET_FIRST(s);
	int result = REAL(system)(s.command);
	shell_started(&s);
	return result;
}

#define WRAP_POPEN(name)                                                                                               \
	EXPORT FILE *name(const char *command, const char *type)                                                       \
	{                                                                                                              \
		if (refuses(&the_shell, NULL, CALLER)) {                                                               \
			errno = EACCES;                                                                                \
			return NULL;                                                                                   \
		}                                                                                                      \
		struct shell s = shell(command, CALLER);                                                               \
		SET_FIRST(s);                                                                                          \
		FILE *result = REAL(name)(s.command, type);                                                            \
		shell_started(&s);                                                                                     \
		return result;                                                                                         \
	}
FILE *_IO_popen(const char *command, const char *type);
WRAP_POPEN(popen)
WRAP_POPEN(_IO_popen)
