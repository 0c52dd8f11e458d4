/* Settings of the kernel and of logind. */
#include <linux/magic.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "analyzer/doctor.h"
#include "analyzer/logind.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

/* What Linux gave before 3.16, with which databases did not start. */
#define SHMMAX_OLD (UINT64_C(32) << 20)

/* "hidepid=2" of the mount on /proc, for free(3); NULL: it hides nothing. */
static char *proc_hides(void)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	char *hides = NULL;
	struct mntent *entry;

	while (table && (entry = getmntent(table))) {
		const char *option = hasmntopt(entry, "hidepid");

		if (strcmp(entry->mnt_dir, "/proc") != 0)
			continue;
		free(hides);
		hides = option ? memory_format("%.*s", (int)strcspn(option, ","), option) : NULL;
	}
	if (table)
		endmntent(table);
	/* Some kernels print it always. */
	if (hides && (!strcmp(hides, "hidepid=0") || !strcmp(hides, "hidepid=off"))) {
		free(hides);
		hides = NULL;
	}
	return hides;
}

enum fitness doctor_proc(const struct surroundings *at, struct answer *answer)
{
	bool root = !geteuid();
	struct statfs fs;
	char *hides;

	(void)at;
	if (statfs("/proc", &fs) || fs.f_type != PROC_SUPER_MAGIC) {
		answer->change = memory_text("mount -t proc proc /proc");
		doctor_truth(answer, "mounted", false);
		return doctor_found(answer, FITNESS_bad, "not mounted");
	}
	hides = proc_hides();
	answer->change = memory_text("mount -o remount,hidepid=0 /proc");
	doctor_truth(answer, "mounted", true);
	doctor_truth(answer, "hidepid", hides != NULL);
	if (hides)
		doctor_found(answer, FITNESS_ok, "mounted with %s%s", hides,
			     root ? ", which root sees through" : ": other users' processes are not seen");
	else
		doctor_found(answer, FITNESS_ok, "mounted, all processes are seen");
	root |= !hides;
	free(hides);
	return root ? FITNESS_ok : FITNESS_warn;
}

/* A setting whose value is a small number: a row a value. */
struct meaning {
	uint64_t value;
	enum fitness fitness;
	const char *word;
};

static enum fitness setting(struct answer *answer, const char *path, const char *name, const struct meaning *meanings)
{
	uint64_t value;
	int error = doctor_number(path, &value);

	if (error)
		return doctor_unread(answer, path, error);
	doctor_value(answer, name, value);
	for (; meanings->word; meanings++)
		if (meanings->value == value)
			return doctor_found(answer, meanings->fitness, "%ju: %s", (uintmax_t)value, meanings->word);
	return doctor_found(answer, FITNESS_warn, "%ju: not known", (uintmax_t)value);
}

enum fitness doctor_protected(const struct surroundings *at, struct answer *answer)
{
	static const struct meaning meanings[] = {
		{0, FITNESS_warn, "off, programs can be given others' objects"},
		{1, FITNESS_ok, "on in sticky directories that all may write to"},
		{2, FITNESS_ok, "on, where a group may write too"},
		{0, FITNESS_aside, NULL},
	};

	(void)at;
	return setting(answer, "/proc/sys/fs/protected_regular", "protected_regular", meanings);
}

enum fitness doctor_memfd(const struct surroundings *at, struct answer *answer)
{
	static const struct meaning meanings[] = {
		{0, FITNESS_ok, "memfds may be executed"},
		{1, FITNESS_ok, "not executable unless asked for"},
		{2, FITNESS_warn, "memfd_create() as programs know it is refused"},
		{0, FITNESS_aside, NULL},
	};

	(void)at;
	return setting(answer, "/proc/sys/vm/memfd_noexec", "memfd_noexec", meanings);
}

enum fitness doctor_remove_ipc(const struct surroundings *at, struct answer *answer)
{
	struct logind logind = logind_read();
	uid_t uid = getuid();
	enum fitness fitness = FITNESS_ok;
	char *user = machine_text_user(uid);

	(void)at;
	doctor_truth(answer, "logind", logind.runs);
	doctor_truth(answer, "RemoveIPC", logind.remove);
	if (logind.file)
		doctor_words(answer, "file", logind.file);
	if (!logind.runs)
		doctor_found(answer, FITNESS_ok, "systemd does not run here");
	else if (!logind.remove)
		doctor_found(answer, FITNESS_ok, "no, by %s", logind.file);
	else if (uid <= LOGIND_SYSTEM_UID)
		doctor_found(answer, FITNESS_ok, "yes, by %s, but not for %s, a system user",
			     logind.file ? logind.file : "default", user);
	else if (logind_lingers(uid))
		doctor_found(answer, FITNESS_ok, "yes, but %s lingers (loginctl enable-linger)", user);
	else
		fitness = doctor_found(answer, FITNESS_warn, "yes, by %s: %s's objects go with the last logout",
				       logind.file ? logind.file : "default", user);
	free(user);
	logind_free(&logind);
	return fitness;
}

static enum fitness system_v(struct answer *answer, const char *path, const char *name, uint64_t unit)
{
	uint64_t value, bytes;
	int error = doctor_number(path, &value);
	enum fitness fitness;
	char *text;

	if (error)
		return doctor_unread(answer, path, error);
	doctor_value(answer, name, value);
	if (__builtin_mul_overflow(value, unit, &bytes) || bytes > INT64_MAX)
		return doctor_found(answer, FITNESS_ok, "without a limit; System V's alone");
	text = machine_text_size(bytes);
	fitness = doctor_found(answer, bytes < SHMMAX_OLD ? FITNESS_warn : FITNESS_ok, "%s%s; System V's alone", text,
			       bytes < SHMMAX_OLD ? ": too little for most programs that use shmget()" : "");
	free(text);
	return fitness;
}

enum fitness doctor_shmmax(const struct surroundings *at, struct answer *answer)
{
	(void)at;
	return system_v(answer, "/proc/sys/kernel/shmmax", "shmmax", 1);
}

enum fitness doctor_shmall(const struct surroundings *at, struct answer *answer)
{
	(void)at;
	return system_v(answer, "/proc/sys/kernel/shmall", "shmall", (uint64_t)sysconf(_SC_PAGESIZE));
}
