/* sendmsg and recvmsg: descriptors that travel by SCM_RIGHTS (unix(7)). */
#include <string.h>
#include <sys/uio.h>

#include "preload/enforce_size.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/wrap.h"

enum { CONTROL_LIMIT = 1 << 20 };

/* Calls `each` with every descriptor in the message's control data, which is written to only where it changes one. */
static void each_descriptor(struct msghdr *message, void (*each)(int *fd, void *context), void *context)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		/* The kernel refuses what says to be longer than the data. */
		if (part->cmsg_len > message->msg_controllen - (size_t)((char *)part - (char *)message->msg_control))
			break;
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS || part->cmsg_len < CMSG_LEN(0))
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int was, fd;
			memcpy(&was, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
			fd = was;
			each(&fd, context);
			if (fd != was)
				memcpy(CMSG_DATA(part) + i * sizeof fd, &fd, sizeof fd);
		}
	}
}

struct carrying {
	struct visit *visit;
	int socket;
};

static void sent(int *fd, void *context)
{
	struct carrying *c = context;
	struct identity identity;

	if (identity_of_fd(*fd, &identity))
		RECORD(c->visit, sendmsg, &identity, .socket = c->socket, .fd = *fd);
}

static void received(int *fd, void *context)
{
	struct carrying *c = context;
	struct identity identity;

	if (identity_of_fd(*fd, &identity))
		RECORD(c->visit, recvmsg, &identity, .socket = c->socket, .fd = *fd);
}

static void hide(int *fd, void *context)
{
	(void)context;
	*fd = own_fd_hide(*fd);
}

struct sharing {
	struct enforce_message message;
	const void *caller;
	bool denied, fixes;
};

static void shared(int *fd, void *context)
{
	struct sharing *s = context;
	struct identity identity;

	if (s->denied || !identity_of_fd(*fd, &identity))
		return;
	enum enforce_verdict verdict = enforce_share(&s->message, *fd, &identity, s->caller);
	s->denied = verdict == VERDICT_deny;
	s->fixes |= verdict == VERDICT_fix;
}

static void named(int *fd, void *ours)
{
	*(bool *)ours |= own_fd(*fd);
}

/* Most messages lie there, and need no system call that asks. */
#define PAGE_OF_FRAME ((uintptr_t)__builtin_frame_address(0) & -(uintptr_t)KERNEL_PAGE)

/* Is there control data, all of which can be read? What cannot is the kernel's to refuse. */
static bool carries(const struct msghdr *message, uintptr_t *page)
{
	if (!kernel_page_readable(message, page) || !message->msg_controllen || message->msg_controllen > CONTROL_LIMIT)
		return false;
	const char *control = message->msg_control;
	for (size_t at = 0; at < message->msg_controllen; at += KERNEL_PAGE)
		if (!kernel_readable(control + at))
			return false;
	return kernel_readable(control + message->msg_controllen - 1);
}

/* Is there anything that would keep a message from being sent? */
static bool looked_into(const void *caller)
{
	return (enforce_on || own_fd_next(0, ~0u) >= 0) && !own_caller(caller);
}

/* Does the policy, or that a descriptor in it is ours, keep the message from being sent? errno is set then. */
static bool withheld(const struct enforce_message *m, uintptr_t *page, const void *caller)
{
	struct sharing s = {*m, caller, false, false};
	bool ours = false;

	if (!carries(m->header, page))
		return false;
	struct msghdr copy = *m->header;
	each_descriptor(&copy, named, &ours);
	if (ours)
		errno = EBADF;
	else if (enforce_on)
		each_descriptor(&copy, shared, &s);
	s.message.allowed = !s.denied;
	if (s.message.allowed && s.fixes)
		each_descriptor(&copy, shared, &s);
	return ours || s.denied;
}

/* It is readable: the kernel has just read it. */
static void went(int socket, const struct msghdr *message, const void *caller)
{
	struct visit visit;

	if (!message->msg_controllen || !observe_enter(&visit, caller))
		return;
	struct msghdr copy = *message;
	each_descriptor(&copy, sent, &(struct carrying){&visit, socket});
	observe_leave(&visit);
}

EXPORT ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
	uintptr_t page = PAGE_OF_FRAME;

	socket = wrap_given(socket, CALLER);
	if (looked_into(CALLER) &&
	    withheld(&(struct enforce_message){socket, flags, message, true, false}, &page, CALLER))
		return -1;
	ssize_t result = REAL(sendmsg)(socket, message, flags);
	if (result >= 0)
		went(socket, message, CALLER);
	return result;
}

/* As the kernel has it: what fails after the first message ends the call, and is told by the next. */
EXPORT int sendmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags)
{
	bool looked = looked_into(CALLER);
	uintptr_t page = PAGE_OF_FRAME;
	unsigned allowed = 0;

	socket = wrap_given(socket, CALLER);
	if (count > UIO_MAXIOV)
		count = UIO_MAXIOV;
	while (looked && allowed < count && kernel_page_readable(&messages[allowed], &page) &&
	       !withheld(&(struct enforce_message){socket, flags, &messages[allowed].msg_hdr, !allowed, false}, &page,
			 CALLER))
		allowed++;
	if (looked && count && !allowed && kernel_page_readable(messages, &page))
		return -1;
	int result = REAL(sendmmsg)(socket, messages, looked && allowed ? allowed : count, flags);
	for (int i = 0; i < result; i++)
		went(socket, &messages[i].msg_hdr, CALLER);
	return result;
}

/* Waits for data first: what arrives with it must be hidden before the program can close anything. */
static ssize_t receive_ours(int socket, struct msghdr *message, int flags, const void *caller)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr first = {.msg_iov = &part, .msg_iovlen = 1};

	for (;;) {
		if (REAL(recvmsg)(socket, &first, MSG_PEEK | (flags & MSG_DONTWAIT)) < 0)
			return -1;
		bool changing = own_changing(caller);
		long result = kernel_call(SYS_recvmsg, socket, (long)message, flags | MSG_DONTWAIT, 0, 0, 0);
		if (result >= 0)
			each_descriptor(message, hide, NULL);
		own_changed(changing);
		if (result >= 0)
			return result;
		errno = (int)-result;
		if (result != -EAGAIN || (flags & MSG_DONTWAIT))
			return -1;
	}
}

/* Does not come back where the program has ended meanwhile. False: nobody is there who would send anything. */
static bool wait_for_ours(int socket)
{
	int status;

	enum awaited awaited = recorder_last_wait(socket, &status);
	if (awaited != AWAITED_end)
		return awaited == AWAITED_message;
	own_at_work(false);
	wrap_leaving(status);
	kernel_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
	return false;
}

static void came(int socket, struct msghdr *message, const void *caller)
{
	struct visit visit;

	if (!message->msg_controllen || !observe_enter(&visit, caller))
		return;
	each_descriptor(message, received, &(struct carrying){&visit, socket});
	observe_leave(&visit);
}

EXPORT ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
	if (own_caller(CALLER) && message->msg_controllen)
		return receive_ours(socket, message, flags, CALLER);
	if (own_caller(CALLER) && !flags && !wait_for_ours(socket))
		return 0;
	socket = wrap_given(socket, CALLER);
	ssize_t result = REAL(recvmsg)(socket, message, flags);
	if (result >= 0)
		came(socket, message, CALLER);
	return result;
}

EXPORT int recvmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit)
{
	socket = wrap_given(socket, CALLER);
	int result = REAL(recvmmsg)(socket, messages, count, flags, limit);
	for (int i = 0; i < result; i++)
		came(socket, &messages[i].msg_hdr, CALLER);
	return result;
}
