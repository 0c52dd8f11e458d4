/*
 * NOTES: the small path that needs no LTTng. Every guarded process appends a record when it starts, forks, tries to exec,
 * spawns, and sees a child end, so that `shmguard run` can name the processes that never signed in.
 *
 * A record is struct note followed by its texts, written by one write(2) with O_APPEND to ENVIRONMENT_NOTES, or sent as
 * one datagram to ENVIRONMENT_NOTES_SOCKET when the file cannot be opened (chroot, mount namespace). Never blocks.
 */
#ifndef SHMGUARD_NOTES_H
#define SHMGUARD_NOTES_H

#include <stdint.h>

#define NOTE_MAGIC 0x31474e53u /* "SNG1", also tells the byte order */
/* The file of the notes' path and this exists while LTTng's daemon takes nobody in: a program that begins does not wait. */
#define NOTES_CLOSED ".closed"
/* The same, once the recording ends: for processes that LTTng does not tell so. */
#define NOTES_ENDED ".ended"
#define NOTE_SIZE_MAX 4096u /* of a whole record; a longer command line is cut */

/*
 * start: an image began to run with the preload in it (text: exe, argv).   fork: a child of fork(2) runs (text: exe).
 * exec: the process is about to exec (text: path as given, cwd if that is relative).   exec_failed: it did not (error).
 * spawn: posix_spawn made `child` (text: path, cwd).   end: wait(2) reported `child` ended with `status`.
 * leave: the process ends with `status` by exit(3) or _exit(2).   blind: recording is off in this process (texts: why, who).
 * loading, loaded: around LTTng's coming up in it (text of the former: exe); its calls wait in its memory meanwhile.
 * holds: of the descriptors that the image began with these lead to objects (text: "FD:DEV:INO " for each).
 * closes: the descriptor `status` of those, of which the trace knows nothing.
 * finding, fault: the fields of those events (text: the object's name, exe), so that `run` can tell at once.
 */
#define NOTES(X)                                                                                                       \
	X(start)                                                                                                       \
	X(fork)                                                                                                        \
	X(exec)                                                                                                        \
	X(exec_failed)                                                                                                 \
	X(spawn)                                                                                                       \
	X(end)                                                                                                         \
	X(leave)                                                                                                       \
	X(blind)                                                                                                       \
	X(finding)                                                                                                     \
	X(fault)                                                                                                       \
	X(loading)                                                                                                     \
	X(loaded)                                                                                                      \
	X(holds)                                                                                                       \
	X(closes)

enum note_type {
#define NOTE_ENUMERATOR(name) NOTE_##name,
	NOTES(NOTE_ENUMERATOR)
#undef NOTE_ENUMERATOR
		NOTE_COUNT
};

/*
 * finding: as its event; fault: rule is the cause, limit what is available, length the mapping's, other who sent the
 * signal, access as in the event, severity a warning while the program's own handler may still go on. dev, ino: of the
 * object.
 */
struct note_found {
	uint32_t rule, severity;
	int64_t offset;
	uint64_t length, size, limit, dev, ino;
	int32_t other;
	uint16_t survived, access;
	uint32_t kind; /* of the object, as in its event */
	uint32_t response;
};

struct note {
	uint32_t magic;
	uint16_t size; /* bytes of the whole record, texts included */
	uint16_t type; /* enum note_type */
	uint32_t recording;
	int32_t pid, ppid; /* as the process itself sees them */
	uint32_t uid, euid, gid;
	int32_t child;  /* end, spawn; else 0 */
	int32_t status; /* end: wait(2) status; leave: exit status; closes: the descriptor */
	int32_t error;  /* exec_failed, spawn: errno */
	uint32_t texts; /* NUL-terminated texts that follow; argv is escaped as in FIELDS_process */
	uint64_t time;  /* CLOCK_MONOTONIC, nanoseconds */
	struct note_found found;
};

#endif
