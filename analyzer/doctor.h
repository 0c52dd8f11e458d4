/*
 * Is this machine fit for shared memory, and can a program be guarded here: checks, a row each, whose functions look at
 * the system as the user who asks sees it. Nothing is changed; the check of LTTng makes a recording of nothing and takes
 * it away again.
 *
 * Units: bytes. What a check found may hold names of the system or of a program, as the kernel gave them: escape.h before
 * it is shown.
 */
#ifndef SHMGUARD_DOCTOR_H
#define SHMGUARD_DOCTOR_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "analyzer/image.h"

/* aside: the check has nothing to look at here, as that another one failed; it is not shown. */
enum fitness { FITNESS_aside, FITNESS_ok, FITNESS_warn, FITNESS_bad };

extern const char *const fitness_names[];

/* What belongs to no area but `program` and `recording` is not asked about a program. */
#define DOCTOR_AREAS(X) X(shm) X(memory) X(limits) X(kernel) X(program) X(recording)

enum doctor_area {
#define DOCTOR_AREA_ENUMERATOR(name) AREA_##name,
	DOCTOR_AREAS(DOCTOR_AREA_ENUMERATOR)
#undef DOCTOR_AREA_ENUMERATOR
};

extern const char *const doctor_area_names[];

/* As deep as the kernel follows interpreters of interpreters, and the program that env(1) finds. */
enum { SUSPECT_STEPS = 8 };

/* A file on the way from the command to the image that runs. */
struct suspect_step {
	char path[PATH_MAX]; /* as the file before names it, or where it was found */
	int error;           /* errno of exec; 0: it is there */
};

/* The program that is asked about. */
struct suspect {
	char *const *words;                       /* the command */
	struct suspect_step steps[SUSPECT_STEPS]; /* the command first */
	size_t step_count;
	bool too_deep;      /* more interpreters than the kernel follows */
	bool by_shell;      /* neither an image nor a script: execvp(3) gives it to /bin/sh */
	int fd;             /* of the last step; -1: it cannot be read */
	struct image image; /* of the last step */
	bool preloads;      /* ld.so, asked to list what it would load, lists our library */
	char *ld_so;        /* what it said that it misses, for free(3); NULL: nothing */
};

/* What several checks look at. */
struct surroundings {
	bool there; /* /dev/shm is a directory */
	bool mounted;
	struct stat root;
	struct statfs fs;
	char *type, *options;    /* of the mount; NULL: /proc/self/mounts tells nothing */
	uint64_t memory, swap;   /* of the machine; 0: /proc/meminfo tells nothing */
	uint64_t allowed;        /* the least memory limit of a group that we are in; UINT64_MAX: none */
	int daemon;              /* as doctor_daemon_answer() */
	struct suspect *suspect; /* NULL: the machine is asked about */
};

struct answer {
	char *found;    /* one line */
	char *change;   /* the command that changes it; NULL: the row's */
	json_t *values; /* what was read */
};

struct check {
	const char *id; /* stable */
	enum doctor_area area;
	const char *title;  /* up to DOCTOR_TITLE columns */
	const char *source; /* what is read */
	enum fitness (*look)(const struct surroundings *at, struct answer *answer);
	const char *meaning; /* for shared memory */
	const char *change;  /* NULL: the answer's, or no command changes it */
};

enum { DOCTOR_TITLE = 18 };

/* doctor_checks.c */
extern const struct check checks[]; /* ends with a NULL id */

struct diagnosis {
	const struct check *check;
	enum fitness fitness;
	struct answer answer;
};

struct diagnoses {
	struct diagnosis *all; /* in the order of the table */
	size_t count;
	size_t counts[FITNESS_bad + 1];
};

/* command: the program to ask about and its words, or an end at once. To be ended by doctor_free(). */
struct diagnoses doctor_look(char *const *command);
void doctor_free(struct diagnoses *diagnoses);

/* doctor_text.c: for people, and as in tests/doctor.schema.json. */
void doctor_print(const struct diagnoses *diagnoses, const char *command);
json_t *doctor_json(const struct diagnoses *diagnoses, const char *command);

/* For the checks. */

/* printf into answer->found; returns `fitness`. */
enum fitness doctor_found(struct answer *answer, enum fitness fitness, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds a value; UINT64_MAX is null: there is no limit, or it is not known. */
void doctor_value(struct answer *answer, const char *name, uint64_t value);
void doctor_words(struct answer *answer, const char *name, const char *text);
void doctor_truth(struct answer *answer, const char *name, bool value);
/* The number that a file of /proc or /sys begins with; 0, else errno. */
int doctor_number(const char *path, uint64_t *number);
/* A line of such a file without its end. */
int doctor_line(const char *path, char *line, size_t size);
/* The word in brackets of "always [madvise] never"; 0, else errno. */
int doctor_choice(const char *path, char *word, size_t size);
/* Of a setting that could not be read: the kernel has none of that name, or it may not be read. */
enum fitness doctor_unread(struct answer *answer, const char *path, int error);
/* A word of a shell's command line; for free(3). */
char *doctor_quote(const char *word);
/* What `mount -o remount,` needs for half of the memory; for free(3). */
char *doctor_half(const struct surroundings *at);

/* doctor_mount.c */
void doctor_mount_look(struct surroundings *at);
enum fitness doctor_mounted(const struct surroundings *at, struct answer *answer);
enum fitness doctor_type(const struct surroundings *at, struct answer *answer);
enum fitness doctor_size(const struct surroundings *at, struct answer *answer);
enum fitness doctor_usage(const struct surroundings *at, struct answer *answer);
enum fitness doctor_inodes(const struct surroundings *at, struct answer *answer);
enum fitness doctor_writable(const struct surroundings *at, struct answer *answer);
enum fitness doctor_options(const struct surroundings *at, struct answer *answer);
enum fitness doctor_root(const struct surroundings *at, struct answer *answer);

/* doctor_cgroup.c */
uint64_t doctor_cgroup_allowed(void);
enum fitness doctor_cgroup(const struct surroundings *at, struct answer *answer);
enum fitness doctor_cgroup_huge(const struct surroundings *at, struct answer *answer);

/* doctor_memory.c */
enum fitness doctor_overcommit(const struct surroundings *at, struct answer *answer);
enum fitness doctor_huge_pages(const struct surroundings *at, struct answer *answer);
enum fitness doctor_shmem_huge(const struct surroundings *at, struct answer *answer);

/* doctor_limits.c */
enum fitness doctor_memlock(const struct surroundings *at, struct answer *answer);
enum fitness doctor_nofile(const struct surroundings *at, struct answer *answer);
enum fitness doctor_fsize(const struct surroundings *at, struct answer *answer);
enum fitness doctor_address_space(const struct surroundings *at, struct answer *answer);
enum fitness doctor_map_count(const struct surroundings *at, struct answer *answer);
enum fitness doctor_files(const struct surroundings *at, struct answer *answer);

/* doctor_kernel.c */
enum fitness doctor_proc(const struct surroundings *at, struct answer *answer);
enum fitness doctor_protected(const struct surroundings *at, struct answer *answer);
enum fitness doctor_memfd(const struct surroundings *at, struct answer *answer);
enum fitness doctor_remove_ipc(const struct surroundings *at, struct answer *answer);
enum fitness doctor_shmmax(const struct surroundings *at, struct answer *answer);
enum fitness doctor_shmall(const struct surroundings *at, struct answer *answer);

/* doctor_suspect.c; doctor_program.c: its rows */
struct suspect *doctor_suspect(char *const *command);
void doctor_suspect_free(struct suspect *suspect);
enum fitness doctor_command(const struct surroundings *at, struct answer *answer);
enum fitness doctor_interpreter(const struct surroundings *at, struct answer *answer);
enum fitness doctor_class(const struct surroundings *at, struct answer *answer);
enum fitness doctor_linkage(const struct surroundings *at, struct answer *answer);
enum fitness doctor_set_id(const struct surroundings *at, struct answer *answer);
enum fitness doctor_capabilities(const struct surroundings *at, struct answer *answer);
enum fitness doctor_libraries(const struct surroundings *at, struct answer *answer);
enum fitness doctor_preload(const struct surroundings *at, struct answer *answer);
enum fitness doctor_sanitizer(const struct surroundings *at, struct answer *answer);

/* doctor_confined.c */
enum fitness doctor_seccomp(const struct surroundings *at, struct answer *answer);
enum fitness doctor_apparmor(const struct surroundings *at, struct answer *answer);

/* doctor_lttng.c */
/* Of the machine's session daemon, which is root's: 0 it answers, > 0 there is none, < 0 it does not answer. */
int doctor_daemon_answer(void);
enum fitness doctor_lttng(const struct surroundings *at, struct answer *answer);
enum fitness doctor_daemon(const struct surroundings *at, struct answer *answer);
enum fitness doctor_recording(const struct surroundings *at, struct answer *answer);

#endif
