/*
 * EVENTS: every event of a recording and its fields. One row here gives the struct that the preload fills, the LTTng
 * tracepoint (provider.h) and the analyzer's decoder.
 *
 * A row is X(event, channel): `calls` for what the program did, `state` for what later events refer to (processes,
 * modules, stacks, objects); `state` is never overwritten. FIELDS_<event>(F) lists the fields as F(kind, name).
 *
 * Order: an acquisition (open, mmap, growth) is emitted after the real call with its result; a release (munmap, close,
 * unlink, shrinking) is emitted BEFORE it with error 0, else another thread could be seen acquiring the same address
 * or number first. A release that then fails is taken back by a `failed` event that names its sequence number.
 */
#ifndef SHMGUARD_EVENTS_H
#define SHMGUARD_EVENTS_H

#include <stdint.h>

#include "calls.h"
#include "errnos.h"
#include "fields.h"
#include "rules.h"

/*
 * Begins every event. recording: identifies the `shmguard run`, so that two recordings do not mix. seq: counts the
 * process's events from 1 without gaps; starts anew with exec and in a forked child. pid, tid: as getpid(2) and gettid(2).
 */
#define FIELDS_HEAD(F)                                                                                                 \
	F(id, recording)                                                                                               \
	F(pid, pid)                                                                                                    \
	F(pid, tid)                                                                                                    \
	F(id, seq)                                                                                                     \
	F(id, stack)

/*
 * In a call: error is the errno it set; object: 0 when the call touched none; size: st_size after the call, size_before:
 * before it, where the call can change it.
 */
#define FIELDS_shm_open(F)                                                                                             \
	F(text, name)                                                                                                  \
	F(flags, flags)                                                                                                \
	F(mode, mode)                                                                                                  \
	F(fd, result)                                                                                                  \
	F(error, error)                                                                                                \
	F(id, object)                                                                                                  \
	F(size, size)                                                                                                  \
	F(bool, created)                                                                                               \
	F(size, size_before)
/*
 * name: of an object, the one that it has where the path led, whatever symbolic links were on the way; a path of /proc where
 * it has none; else the path as the program gave it.
 */
#define FIELDS_open(F)                                                                                                 \
	F(symbol, symbol)                                                                                              \
	F(fd, dirfd)                                                                                                   \
	F(text, name)                                                                                                  \
	F(flags, flags)                                                                                                \
	F(mode, mode)                                                                                                  \
	F(fd, result)                                                                                                  \
	F(error, error)                                                                                                \
	F(id, object)                                                                                                  \
	F(size, size)                                                                                                  \
	F(bool, created)                                                                                               \
	F(size, size_before)
#define FIELDS_memfd_create(F)                                                                                         \
	F(text, name)                                                                                                  \
	F(flags, flags)                                                                                                \
	F(fd, result)                                                                                                  \
	F(error, error)                                                                                                \
	F(id, object)
#define FIELDS_sem_open(F)                                                                                             \
	F(text, name)                                                                                                  \
	F(flags, flags)                                                                                                \
	F(mode, mode)                                                                                                  \
	F(addr, result)                                                                                                \
	F(error, error)                                                                                                \
	F(id, object)                                                                                                  \
	F(bool, created)
#define FIELDS_sem_close(F)                                                                                            \
	F(addr, addr)                                                                                                  \
	F(error, error)
/* symbol: shm_unlink, unlink, unlinkat, remove or sem_unlink. object: what the name led to before the call. */
#define FIELDS_unlink(F)                                                                                               \
	F(symbol, symbol)                                                                                              \
	F(fd, dirfd)                                                                                                   \
	F(text, name)                                                                                                  \
	F(error, error)                                                                                                \
	F(id, object)
/*
 * replaced: the object that `to` named before, 0 if none; with RENAME_EXCHANGE it now is named `from`. With RENAME_ANOTHER, a
 * flag of the event alone, the one that `to` named right after the call, which is not what `from` named right before it.
 */
#define RENAME_ANOTHER 0x80000000u
#define FIELDS_rename(F)                                                                                               \
	F(symbol, symbol)                                                                                              \
	F(text, from)                                                                                                  \
	F(text, to)                                                                                                    \
	F(flags, flags)                                                                                                \
	F(error, error)                                                                                                \
	F(id, object)                                                                                                  \
	F(id, replaced)
#define FIELDS_link(F)                                                                                                 \
	F(symbol, symbol)                                                                                              \
	F(text, from)                                                                                                  \
	F(text, to)                                                                                                    \
	F(error, error)                                                                                                \
	F(id, object)
#define FIELDS_close(F)                                                                                                \
	F(fd, fd)                                                                                                      \
	F(error, error)                                                                                                \
	F(id, object)
/* dup*, fcntl(F_DUPFD*). A tracked descriptor that `result` replaces is closed by an event of its own before. */
#define FIELDS_dup(F)                                                                                                  \
	F(fd, fd)                                                                                                      \
	F(fd, result)                                                                                                  \
	F(error, error)                                                                                                \
	F(id, object)
/* fcntl(F_ADD_SEALS). */
#define FIELDS_seal(F)                                                                                                 \
	F(fd, fd)                                                                                                      \
	F(flags, seals)                                                                                                \
	F(error, error)                                                                                                \
	F(id, object)
/* One event for each tracked descriptor that SCM_RIGHTS carried. */
#define FIELDS_sendmsg(F)                                                                                              \
	F(fd, socket)                                                                                                  \
	F(fd, fd)                                                                                                      \
	F(error, error)                                                                                                \
	F(id, object)
#define FIELDS_recvmsg(F)                                                                                              \
	F(fd, socket)                                                                                                  \
	F(fd, fd)                                                                                                      \
	F(id, object)                                                                                                  \
	F(size, size)
/* symbol tells ftruncate from truncate; fd is -1 for the latter. size_before: st_size before the call. */
#define FIELDS_ftruncate(F)                                                                                            \
	F(symbol, symbol)                                                                                              \
	F(fd, fd)                                                                                                      \
	F(off, length)                                                                                                 \
	F(error, error)                                                                                                \
	F(id, object)                                                                                                  \
	F(size, size_before)                                                                                           \
	F(size, size)
#define FIELDS_fallocate(F)                                                                                            \
	F(symbol, symbol)                                                                                              \
	F(fd, fd)                                                                                                      \
	F(flags, mode)                                                                                                 \
	F(off, offset)                                                                                                 \
	F(off, length)                                                                                                 \
	F(error, error)                                                                                                \
	F(id, object)                                                                                                  \
	F(size, size_before)                                                                                           \
	F(size, size)
#define FIELDS_chmod(F)                                                                                                \
	F(symbol, symbol)                                                                                              \
	F(fd, fd)                                                                                                      \
	F(mode, mode)                                                                                                  \
	F(error, error)                                                                                                \
	F(id, object)
#define FIELDS_chown(F)                                                                                                \
	F(symbol, symbol)                                                                                              \
	F(fd, fd)                                                                                                      \
	F(user, uid)                                                                                                   \
	F(user, gid)                                                                                                   \
	F(error, error)                                                                                                \
	F(id, object)
#define FIELDS_mmap(F)                                                                                                 \
	F(addr, addr)                                                                                                  \
	F(size, length)                                                                                                \
	F(prot, prot)                                                                                                  \
	F(flags, flags)                                                                                                \
	F(fd, fd)                                                                                                      \
	F(off, offset)                                                                                                 \
	F(addr, result)                                                                                                \
	F(error, error)                                                                                                \
	F(id, object)                                                                                                  \
	F(size, size)
/* Also emitted before a MAP_FIXED mapping that replaces tracked ones; addr and length are then the new mapping's. */
#define FIELDS_munmap(F)                                                                                               \
	F(addr, addr)                                                                                                  \
	F(size, length)                                                                                                \
	F(id, object)
/* mremap is emitted before the real call (the old range may be reused at once), mremapped after it; of: its seq. */
#define FIELDS_mremap(F)                                                                                               \
	F(addr, addr)                                                                                                  \
	F(size, length)                                                                                                \
	F(size, new_length)                                                                                            \
	F(flags, flags)                                                                                                \
	F(addr, new_addr)                                                                                              \
	F(id, object)
#define FIELDS_mremapped(F)                                                                                            \
	F(id, of)                                                                                                      \
	F(addr, result)                                                                                                \
	F(error, error)
#define FIELDS_mprotect(F)                                                                                             \
	F(addr, addr)                                                                                                  \
	F(size, length)                                                                                                \
	F(prot, prot)                                                                                                  \
	F(error, error)                                                                                                \
	F(id, object)
#define FIELDS_madvise(F)                                                                                              \
	F(addr, addr)                                                                                                  \
	F(size, length)                                                                                                \
	F(flags, advice)                                                                                               \
	F(error, error)                                                                                                \
	F(id, object)
/* mlock, mlock2, munlock; mlockall has addr and length 0 and object 0. */
#define FIELDS_mlock(F)                                                                                                \
	F(symbol, symbol)                                                                                              \
	F(addr, addr)                                                                                                  \
	F(size, length)                                                                                                \
	F(flags, flags)                                                                                                \
	F(error, error)                                                                                                \
	F(id, object)
/* A process-shared mutex was made in an object. */
#define FIELDS_mutex(F)                                                                                                \
	F(addr, addr)                                                                                                  \
	F(bool, robust)                                                                                                \
	F(id, object)
/* The first time that a process made or used a means of this kind to take turns with others; addr: where it is, or 0. */
#define FIELDS_sync(F)                                                                                                 \
	F(symbol, symbol)                                                                                              \
	F(addr, addr)                                                                                                  \
	F(id, object)
/* exec: before the real call, in a process that is being recorded; a `failed` event follows where it comes back. */
#define FIELDS_exec(F) F(text, path)
#define FIELDS_spawn(F)                                                                                                \
	F(text, path)                                                                                                  \
	F(pid, child)                                                                                                  \
	F(error, error)
#define FIELDS_wait(F)                                                                                                 \
	F(pid, child)                                                                                                  \
	F(status, status)
/*
 * status: as given to exit(3) or _exit(2). A process that ended otherwise has no such event. The stack is 0, but where a
 * signal handler made that call after a SIGBUS.
 */
#define FIELDS_exit(F) F(status, status)
/* Takes back the event with sequence number `of`: a release, an exec. */
#define FIELDS_failed(F)                                                                                               \
	F(id, of)                                                                                                      \
	F(error, error)

/*
 * A rule was broken by the call whose event has the number `of`; its stack is this event's. The numbers are those of the
 * rule's arithmetic: [offset, offset + length) of the object or the new size as length, size the object had at that
 * moment, limit: room, quota or the mapping's end that it collides with; rules that are not about sizes give them the
 * meaning that stands beside their check. other: the process concerned, 0 if none or unknown. Severity may be lower than
 * the rule's. error: the errno that the call had or was given. name: as the call gave it, "" if it gave none.
 */
#define FIELDS_finding(F)                                                                                              \
	F(rule, rule)                                                                                                  \
	F(severity, severity)                                                                                          \
	F(response, response)                                                                                          \
	F(id, of)                                                                                                      \
	F(id, object)                                                                                                  \
	F(off, offset)                                                                                                 \
	F(size, length)                                                                                                \
	F(size, size)                                                                                                  \
	F(size, limit)                                                                                                 \
	F(pid, other)                                                                                                  \
	F(error, error)                                                                                                \
	F(text, name)
/*
 * A SIGBUS, told from its handler. ip: of the faulting instruction; code: si_code. addr: the touched one; of a signal that
 * was sent, that of the fault whose handler sent it, or 0. start, length: the mapping that was
 * touched, offset: of the touched byte in the object; size: the object's now; available: bytes left on its file system
 * (huge pages: bytes free in the pool), UINT64_MAX: no limit known. survived: a zero page was put there and the program
 * goes on.
 */
#define FIELDS_fault(F)                                                                                                \
	F(cause, cause)                                                                                                \
	F(flags, code)                                                                                                 \
	F(addr, addr)                                                                                                  \
	F(addr, ip)                                                                                                    \
	F(id, object)                                                                                                  \
	F(addr, start)                                                                                                 \
	F(size, length)                                                                                                \
	F(off, offset)                                                                                                 \
	F(size, size)                                                                                                  \
	F(size, available)                                                                                             \
	F(bool, survived)                                                                                              \
	F(access, access)

/*
 * parent_seq: the parent's sequence number at the fork, 0 after exec; its definitions and holdings up to there are
 * inherited. argv: the words, blanks and backslashes in them escaped by a backslash, a newline as \n.
 */
#define FIELDS_process(F)                                                                                              \
	F(began, began)                                                                                                \
	F(pid, parent)                                                                                                 \
	F(id, parent_seq)                                                                                              \
	F(user, uid)                                                                                                   \
	F(user, gid)                                                                                                   \
	F(user, euid)                                                                                                  \
	F(number, mount_namespace)                                                                                     \
	F(number, ipc_namespace)                                                                                       \
	F(text, exe)                                                                                                   \
	F(text, argv)
/* base: load bias as in dl_phdr_info; size: bytes from base to the end of the last segment. build_id: hexadecimal or "". */
#define FIELDS_module(F)                                                                                               \
	F(addr, base)                                                                                                  \
	F(size, size)                                                                                                  \
	F(text, build_id)                                                                                              \
	F(text, path)
#define FIELDS_module_gone(F) F(addr, base)
/* id is the process's own, and stays valid in its forked children. */
#define FIELDS_stack_definition(F)                                                                                     \
	F(id, id)                                                                                                      \
	F(frames, frames)
/* An object as this process first saw it. name: as the program gave it, or as /proc/self/fd names it; "" if unknown. */
#define FIELDS_object(F)                                                                                               \
	F(id, id)                                                                                                      \
	F(kind, kind)                                                                                                  \
	F(number, dev)                                                                                                 \
	F(number, ino)                                                                                                 \
	F(size, size)                                                                                                  \
	F(mode, mode)                                                                                                  \
	F(user, uid)                                                                                                   \
	F(user, gid)                                                                                                   \
	F(text, name)
/* Events that could not be recorded since the last such event. */
#define FIELDS_lost(F) F(number, events)

#define EVENTS(X)                                                                                                      \
	X(shm_open, calls)                                                                                             \
	X(open, calls)                                                                                                 \
	X(memfd_create, calls)                                                                                         \
	X(sem_open, calls)                                                                                             \
	X(sem_close, calls)                                                                                            \
	X(unlink, calls)                                                                                               \
	X(rename, calls)                                                                                               \
	X(link, calls)                                                                                                 \
	X(close, calls)                                                                                                \
	X(dup, calls)                                                                                                  \
	X(seal, calls)                                                                                                 \
	X(sendmsg, calls)                                                                                              \
	X(recvmsg, calls)                                                                                              \
	X(ftruncate, calls)                                                                                            \
	X(fallocate, calls)                                                                                            \
	X(chmod, calls)                                                                                                \
	X(chown, calls)                                                                                                \
	X(mmap, calls)                                                                                                 \
	X(munmap, calls)                                                                                               \
	X(mremap, calls)                                                                                               \
	X(mremapped, calls)                                                                                            \
	X(mprotect, calls)                                                                                             \
	X(madvise, calls)                                                                                              \
	X(mlock, calls)                                                                                                \
	X(mutex, calls)                                                                                                \
	X(failed, calls)                                                                                               \
	X(finding, state)                                                                                              \
	X(fault, state)                                                                                                \
	X(exec, state)                                                                                                 \
	X(spawn, state)                                                                                                \
	X(wait, state)                                                                                                 \
	X(exit, state)                                                                                                 \
	X(process, state)                                                                                              \
	X(module, state)                                                                                               \
	X(module_gone, state)                                                                                          \
	X(stack_definition, state)                                                                                     \
	X(object, state)                                                                                               \
	X(lost, state)                                                                                                 \
	X(sync, state)

enum event_id {
#define EVENT_ENUMERATOR(event, channel) EVENT_##event,
	EVENTS(EVENT_ENUMERATOR)
#undef EVENT_ENUMERATOR
	EVENT_COUNT
};

#define FIELD_MEMBER(kind, name) TYPE_##kind name;

/* The common initial sequence of every event's struct. */
struct event_head {
	FIELDS_HEAD(FIELD_MEMBER)
};

#define EVENT_STRUCT(event, channel)                                                                                   \
	struct event##_event {                                                                                         \
		FIELDS_HEAD(FIELD_MEMBER)                                                                              \
		FIELDS_##event(FIELD_MEMBER)                                                                           \
	};
EVENTS(EVENT_STRUCT)
#undef EVENT_STRUCT

/* Any event; `head` may be read whatever the event is (C11 6.5.2.3, common initial sequence). */
union any_event {
	struct event_head head;
#define EVENT_MEMBER(event, channel) struct event##_event event;
	EVENTS(EVENT_MEMBER)
#undef EVENT_MEMBER
};

#endif
