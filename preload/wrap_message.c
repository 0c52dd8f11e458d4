/* sendmsg and recvmsg: descriptors that travel by SCM_RIGHTS (unix(7)). */
#include <string.h>

#include "preload/enforce_size.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/wrap.h"

/* Calls `each` with every descriptor in the message's control data, which is written to only where it changes one. */
static void each_descriptor(struct msghdr *message, void (*each)(int *fd, void *context), void *context)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
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
	const void *caller;
	bool denied;
};

static void shared(int *fd, void *context)
{
	struct sharing *s = context;
	struct identity identity;

	if (identity_of_fd(*fd, &identity) && enforce_share(*fd, &identity, s->caller) == VERDICT_deny)
		s->denied = true;
}

EXPORT ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
	struct visit visit;
	if (enforce_on && !own_caller(CALLER) && kernel_readable(message) && message->msg_controllen) {
		struct msghdr copy = *message;
		struct sharing s = {CALLER, false};
		each_descriptor(&copy, shared, &s);
		if (s.denied)
			return -1;
	}
	ssize_t result = REAL(sendmsg)(socket, message, flags);

	/* The message is readable: the kernel has just read it. */
	if (result >= 0 && message->msg_controllen && observe_enter(&visit, CALLER)) {
		struct msghdr copy = *message;
		each_descriptor(&copy, sent, &(struct carrying){&visit, socket});
		observe_leave(&visit);
	}
	return result;
}

/* Waits for data first: what arrives with it must be hidden before the program can close anything. */
static ssize_t receive_ours(int socket, struct msghdr *message, int flags, const void *caller)
{
	char byte;

	for (;;) {
		if (recv(socket, &byte, 1, MSG_PEEK | (flags & MSG_DONTWAIT)) < 0)
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

/* Does not come back where the program has ended meanwhile. */
static void wait_for_ours(int socket)
{
	int status;

	if (recorder_last_wait(socket, &status))
		return;
	own_at_work(false);
	wrap_leaving(status);
	kernel_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

EXPORT ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
	struct visit visit;

	if (own_caller(CALLER) && message->msg_controllen)
		return receive_ours(socket, message, flags, CALLER);
	if (own_caller(CALLER) && !flags)
		wait_for_ours(socket);
	ssize_t result = REAL(recvmsg)(socket, message, flags);
	if (result < 0 || !message->msg_controllen)
		return result;
	if (observe_enter(&visit, CALLER)) {
		each_descriptor(message, received, &(struct carrying){&visit, socket});
		observe_leave(&visit);
	}
	return result;
}
