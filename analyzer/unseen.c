#include "analyzer/unseen.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyzer/memory.h"
#include "analyzer/program.h"

#define BUCKETS 4096u

/* What is known of a process id. It stays after the process's end, which may be told of twice. */
struct sighting {
	struct sighting *next;
	pid_t pid;
	bool known;        /* something of ours has run in it */
	bool ended;        /* `known` and `path` are of one that has ended */
	unsigned ended_in; /* round of the end, 0 when its verdict is given */
	int status;        /* of the end: wait(2)'s */
	char *path, *cwd;  /* of an image that has not signed in yet, or NULL */
	char *loading;     /* its image, while LTTng comes up in it, or NULL */
	uint64_t loading_since;
	char *silent; /* its image, which has told no more than that it began, or NULL */
	uint64_t left_at;
	uid_t uid;
	gid_t gid;
};

struct unseen_watch {
	unseen_found *found;
	void *context;
	unsigned round;
	unsigned
		strangers; /* that signed in out of a pid namespace where their parent is not: it knows them by another id */
	struct sighting *bucket[BUCKETS];
};

struct unseen_watch *unseen_new(unseen_found *found, void *context)
{
	struct unseen_watch *watch = memory_new(1, sizeof(*watch));

	watch->found = found;
	watch->context = context;
	watch->round = 1;
	return watch;
}

static void unseen_forget(struct sighting *sighting)
{
	free(sighting->path);
	free(sighting->cwd);
	sighting->path = sighting->cwd = NULL;
}

/* A process that told something later, or its end, had the way to tell. */
static void unseen_spoke(struct sighting *sighting)
{
	free(sighting->silent);
	sighting->silent = NULL;
}

static void unseen_loaded(struct sighting *sighting)
{
	free(sighting->loading);
	sighting->loading = NULL;
}

void unseen_free(struct unseen_watch *watch)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct sighting *sighting, *next;

		for (sighting = watch->bucket[i]; sighting; sighting = next) {
			next = sighting->next;
			unseen_forget(sighting);
			unseen_loaded(sighting);
			unseen_spoke(sighting);
			free(sighting);
		}
	}
	free(watch);
}

static struct sighting *unseen_at(struct unseen_watch *watch, pid_t pid)
{
	struct sighting **head = &watch->bucket[(unsigned)pid % BUCKETS], *sighting;

	for (sighting = *head; sighting; sighting = sighting->next)
		if (sighting->pid == pid)
			return sighting;
	sighting = memory_new(1, sizeof(*sighting));
	sighting->pid = pid;
	sighting->next = *head;
	*head = sighting;
	return sighting;
}

/* The image has ended, or becomes another. */
static void unseen_lost(struct unseen_watch *watch, struct sighting *sighting)
{
	if (sighting->loading)
		watch->found(watch->context, sighting->pid, sighting->loading,
			     "it ended while LTTng was coming up in it: its first calls are missing");
	unseen_loaded(sighting);
}

/* Of an image that could have signed in. For free(3). */
static char *unseen_end(int status)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	return memory_format(
		"it never signed in: it ended%s%s%s before the loader was done, its environment was lost on "
		"the way, or the loader could not open our library",
		name ? " (killed by SIG" : "", name ?: "", name ? ")" : "");
}

static void unseen_judge(struct unseen_watch *watch, struct sighting *sighting)
{
	char *reason;

	if (!sighting->path) {
		if (!sighting->known && watch->strangers)
			watch->strangers--;
		else if (!sighting->known)
			watch->found(watch->context, sighting->pid, "",
				     "it was started in a way that could not be followed, and never signed in");
		else if (sighting->silent && WIFEXITED(sighting->status))
			watch->found(
				watch->context, sighting->pid, sighting->silent,
				"it told that it began, and nothing after that, not even its end: in another root "
				"directory or network namespace, under Landlock, or by a limit of open files "
				"(RLIMIT_NOFILE) of none, it may have lost the way to tell, and then its calls are "
				"missing");
		unseen_spoke(sighting);
		return;
	}
	reason = program_unseen(sighting->path, sighting->cwd, sighting->uid, sighting->gid, NULL);
	if (!reason)
		reason = unseen_end(sighting->status);
	watch->found(watch->context, sighting->pid, sighting->path, reason);
	free(reason);
}

/* A process with this id is alive: what was said of an earlier one is settled first. */
static struct sighting *unseen_alive(struct unseen_watch *watch, pid_t pid)
{
	struct sighting *sighting = unseen_at(watch, pid);

	if (!sighting->ended)
		return sighting;
	if (sighting->ended_in) {
		unseen_lost(watch, sighting);
		unseen_judge(watch, sighting);
	}
	unseen_forget(sighting);
	unseen_spoke(sighting);
	sighting->ended = sighting->known = false;
	sighting->ended_in = 0;
	return sighting;
}

static void unseen_expect(struct sighting *sighting, const char *path, const char *cwd, uid_t uid, gid_t gid)
{
	unseen_forget(sighting);
	sighting->path = memory_text(path);
	sighting->cwd = memory_text(cwd);
	sighting->uid = uid;
	sighting->gid = gid;
}

/* It has signed in, perhaps by a note that was overtaken by that of its end. */
static void unseen_signed_in(struct unseen_watch *watch, pid_t pid)
{
	struct sighting *sighting = unseen_at(watch, pid);

	if (sighting->ended && !sighting->ended_in)
		sighting = unseen_alive(watch, pid);
	unseen_forget(sighting);
	sighting->known = true;
}

/* The first process of a pid namespace; others there are told of by the ids that they have in it. In the memory of its maker
 * it does not sign in, but leaves. */
static void unseen_stranger(struct unseen_watch *watch, const struct note *note)
{
	watch->strangers += note->ppid == 0 && (note->type == NOTE_fork || !unseen_at(watch, note->pid)->known);
}

/* Of a note that was overtaken by that of the end nothing follows; LTTng may be up in who is forked. */
static void unseen_begins(struct unseen_watch *watch, const struct note *note, const char *exe)
{
	struct sighting *sighting = unseen_at(watch, note->pid);

	unseen_spoke(sighting);
	if (note->time > sighting->left_at && (note->type == NOTE_start || unseen_at(watch, note->ppid)->silent))
		sighting->silent = memory_text(exe);
}

/* The child may have signed in, or ended, before its parent could tell of it. */
static void unseen_spawned(struct unseen_watch *watch, const struct note *note, const char *const *texts)
{
	struct sighting *sighting = unseen_at(watch, note->child);

	if (sighting->ended && !sighting->ended_in)
		sighting = unseen_alive(watch, note->child);
	if (!sighting->known)
		unseen_expect(sighting, texts[0], texts[1], note->uid, note->gid);
}

void unseen_note(struct unseen_watch *watch, const struct note *note, const char *const *texts)
{
	struct sighting *sighting;

	switch ((enum note_type)note->type) {
	case NOTE_start:
		unseen_stranger(watch, note);
		sighting = unseen_at(watch, note->pid);
		/* Of two such with one id none need have ended; in a chroot notes go another way, and may overtake this one. */
		if (note->ppid && note->time > sighting->loading_since)
			unseen_lost(watch, sighting);
		unseen_signed_in(watch, note->pid);
		unseen_begins(watch, note, texts[0]);
		break;
	case NOTE_fork:
		unseen_stranger(watch, note);
		unseen_signed_in(watch, note->pid);
		unseen_begins(watch, note, texts[0]);
		break;
	case NOTE_blind:
		unseen_signed_in(watch, note->pid);
		unseen_spoke(unseen_at(watch, note->pid));
		break;
	case NOTE_loading:
		sighting = unseen_at(watch, note->pid);
		unseen_loaded(sighting);
		unseen_spoke(sighting);
		sighting->loading = memory_text(texts[0]);
		sighting->loading_since = note->time;
		break;
	case NOTE_loaded:
		unseen_loaded(unseen_at(watch, note->pid));
		break;
	case NOTE_exec:
		unseen_spoke(unseen_at(watch, note->pid));
		sighting = unseen_alive(watch, note->pid);
		sighting->known = true;
		unseen_expect(sighting, texts[0], texts[1], note->uid, note->gid);
		break;
	case NOTE_exec_failed:
		unseen_forget(unseen_alive(watch, note->pid));
		break;
	case NOTE_spawn:
		if (!note->error)
			unseen_spawned(watch, note, texts);
		break;
	case NOTE_end:
		unseen_ended(watch, note->child, note->status);
		break;
	case NOTE_leave:
		unseen_stranger(watch, note);
		/* Whose end run may have seen before it read this. */
		unseen_spoke(unseen_at(watch, note->pid));
		sighting = unseen_alive(watch, note->pid);
		sighting->left_at = note->time;
		/* Another may be the first process of its namespace with this id. */
		sighting->known = note->ppid != 0;
		break;
	case NOTE_finding:
	case NOTE_fault:
	case NOTE_holds:
	case NOTE_closes:
	case NOTE_COUNT:
		break;
	}
}

void unseen_started(struct unseen_watch *watch, pid_t pid, const char *path)
{
	struct sighting *sighting = unseen_at(watch, pid);

	if (!sighting->known && !sighting->ended)
		unseen_expect(sighting, path, "", getuid(), getgid());
}

void unseen_ended(struct unseen_watch *watch, pid_t pid, int status)
{
	struct sighting *sighting = unseen_at(watch, pid);

	if (sighting->ended)
		return;
	sighting->ended = true;
	sighting->ended_in = watch->round;
	sighting->status = status;
}

void unseen_settle(struct unseen_watch *watch, int last)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct sighting *sighting = watch->bucket[i]; sighting; sighting = sighting->next) {
			if (sighting->ended && sighting->ended_in && (last || sighting->ended_in < watch->round)) {
				unseen_lost(watch, sighting);
				unseen_judge(watch, sighting);
				sighting->ended_in = 0;
			} else if (last && !sighting->ended && sighting->path) {
				unseen_judge(watch, sighting);
			}
		}
	}
	watch->round++;
}
