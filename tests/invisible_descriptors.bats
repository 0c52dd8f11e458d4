#!/usr/bin/env bats
# For the program the descriptors of LTTng do not exist, by whatever call it names them.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

@test "descriptors of LTTng are not sent, given to a spawned child, or taken by syscall(2); the program's own are" {
	cat >naming.c <<-'END'
		#define _GNU_SOURCE
		#include <errno.h>
		#include <fcntl.h>
		#include <spawn.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/file.h>
		#include <sys/mman.h>
		#include <sys/socket.h>
		#include <sys/stat.h>
		#include <sys/syscall.h>
		#include <sys/wait.h>
		#include <unistd.h>

		extern char **environ;
		static char text[8192], first[8192];

		static void tell(const char *what, long result)
		{
			int error = result < 0 ? errno : 0;
			sprintf(text + strlen(text), "%s %ld %s\n", what, result, error ? strerrorname_np(error) : "");
		}
		#define TELL(call) tell(#call, call)

		static int ends[2];
		static struct message {
			struct msghdr header;
			struct iovec bytes;
			union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr part; } control;
		} messages[3];

		static struct msghdr *carrying(int at, int one, int other)
		{
			struct message *m = &messages[at];
			int both[2] = {one, other};
			*m = (struct message){.bytes = {"x", 1}};
			m->header = (struct msghdr){.msg_iov = &m->bytes, .msg_iovlen = 1, .msg_control = m->control.bytes,
						    .msg_controllen = sizeof m->control};
			m->control.part = (struct cmsghdr){CMSG_LEN(sizeof both), SOL_SOCKET, SCM_RIGHTS};
			memcpy(CMSG_DATA(&m->control.part), both, sizeof both);
			return &m->header;
		}

		static int came(void)
		{
			char byte, control[64];
			struct iovec bytes = {&byte, 1};
			struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
			if (recvmsg(ends[1], &m, MSG_DONTWAIT) < 0)
				return -1;
			int both[2] = {-1, -1};
			memcpy(both, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof both);
			return close(both[0]) + close(both[1]);
		}

		static int several(int fd, int from, int count)
		{
			struct mmsghdr all[3] = {{*carrying(0, 0, 1)}, {*carrying(1, 0, fd)}, {*carrying(2, 0, 1)}};
			return sendmmsg(ends[0], all + from, count, 0);
		}

		/* The child's status, or its errno. */
		static int spawn(int made, int fd)
		{
			char *arguments[] = {"sh", "-c", "[ -e /proc/self/fd/20 ]", NULL};
			posix_spawn_file_actions_t actions;
			pid_t child;
			int status = 0;
			posix_spawn_file_actions_init(&actions);
			if (made >= 0)
				posix_spawn_file_actions_adddup2(&actions, made, fd);
			posix_spawn_file_actions_adddup2(&actions, fd, 20);
			errno = posix_spawn(&child, "/bin/sh", &actions, NULL, arguments, environ);
			posix_spawn_file_actions_destroy(&actions);
			if (errno)
				return -1;
			waitpid(child, &status, 0);
			return status;
		}

		static void look(int fd)
		{
			text[0] = 0;
			TELL(dup(fd));
			TELL(sendmsg(ends[0], carrying(0, 0, fd), 0));
			TELL(came());
			TELL(several(fd, 1, 2));
			TELL(came());
			TELL(several(fd, 0, 3));
			TELL(came());
			TELL(came());
			TELL(spawn(-1, fd));
			TELL(dup3(0, fd, O_APPEND));
			TELL(dup3(fd, fd, O_CLOEXEC));
			TELL(dup3(fd, 100, O_APPEND));
			TELL(syscall(SYS_dup, fd));
			TELL(syscall(SYS_dup3, fd, 100, 0));
			TELL(syscall(SYS_fcntl, fd, F_GETFD));
			TELL(syscall(SYS_fcntl, fd, F_DUPFD, 0));
			TELL(syscall(SYS_flock, fd, LOCK_SH));
			TELL(syscall(SYS_fchmod, fd, 0600));
			TELL(syscall(SYS_fallocate, fd, 0, 0, 1));
			TELL(syscall(SYS_openat, fd, "x", O_RDONLY));
			TELL(syscall(SYS_unlinkat, fd, "x", 0));
			TELL(syscall(SYS_renameat2, AT_FDCWD, "naming.c", fd, "x", 0));
			TELL(syscall(SYS_sendmsg, fd, carrying(0, 0, 1), MSG_DONTWAIT));
			TELL(syscall(SYS_recvmsg, fd, carrying(0, 0, 1), MSG_DONTWAIT));
		}

		int main(void)
		{
			int fd = memfd_create("naming", 0), looked = 0;
			char link[64], path[64];
			struct message *nowhere = (void *)16;

			ftruncate(fd, 4096);
			socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
			for (int ours = 150; ours < 250; ours++) {
				sprintf(link, "/proc/self/fd/%d", ours);
				if (readlink(link, path, sizeof path) < 0)
					continue;
				look(ours);
				if (looked++ && strcmp(text, first))
					printf("of %d:\n%s", ours, text);
				strcpy(first, text);
			}
			if (!looked++)
				look(200);
			printf("%s", text);
			look(fd);
			TELL(spawn(fd, 200));
			TELL(sendmsg(ends[0], &nowhere->header, 0));
			TELL(sendmmsg(ends[0], (struct mmsghdr *)16, 1, 0));
			messages[0].header.msg_control = nowhere;
			TELL(sendmsg(ends[0], &messages[0].header, 0));
			printf("%s", text);
			fprintf(stderr, "%d\n", looked);
			return 0;
		}
	END
	gcc -w naming.c -o naming
	ulimit -n 256
	./naming >bare 2>looked
	[ "$(tail -n 1 looked)" -eq 1 ]
	grep -q 'spawn(-1, fd) -1 EBADF' bare
	grep -q 'spawn(-1, fd) 0' bare
	grep -q 'spawn(fd, 200) 0' bare
	"$SHMGUARD" run --quiet --report=none -o recording -- ./naming >recorded 2>looked
	[ "$(tail -n 1 looked)" -gt 3 ]
	same bare recorded
	report recording >report.json
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and (.objects | length) == 1'
}

# exhausted PROGRAM...: what the program does when it has no descriptor left, which it then frees by free().
exhausted()
{
	cat >exhausted.py <<-'END'
		import os, resource
		hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
		taken = []
		def limit(soft):
		    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
		def attempt():
		    try:
		        os.memfd_create("too-early")
		    except OSError as error:
		        print(error.errno, flush=True)
		def take():
		    try:
		        while True:
		            taken.append(os.dup(0))
		    except OSError:
		        pass
		def free():
		    while taken:
		        os.close(taken.pop())
	END
	printf '%s\n' "$@" >>exhausted.py
	rm -rf recording
	unchanged "$PYTHON" exhausted.py
}

@test "a process that has no descriptor left at its first call is told of as not recorded, whether it has one later or not" {
	local told='[.unseen[].reason | startswith("its limit of open files (RLIMIT_NOFILE)")] == [true]'
	exhausted 'limit(80); take(); attempt()' 'os._exit(0)'
	holds "$told"
	exhausted 'limit(3); attempt(); limit(80)'
	holds "$told"
	exhausted 'limit(0); attempt(); limit(80); take(); os._exit(0)'
	holds "$told"
	exhausted 'limit(0); attempt(); limit(hard); os._exit(0)'
	holds "$told"
	exhausted 'limit(0); attempt(); os._exit(0)'
	holds '[.unseen[].reason | test("limit of open files [(]RLIMIT_NOFILE[)] of none, it may have lost the way to tell")] == [true]'
}

@test "a process that has descriptors again is recorded from then on, and its children by fork are in any case" {
	exhausted 'import time' 'limit(80); take(); attempt(); free(); time.sleep(1)' 'os.close(os.memfd_create("again"))'
	holds '[.unseen[].reason | test("until it leaves more nothing is recorded")] == [true] and .trace.lost == 0
		and [.objects[].names[0]] == ["memfd:again"]'
	exhausted 'limit(80); take(); attempt(); free(); child = os.fork()' 'os.close(os.memfd_create("again%d" % bool(child)))' \
		'if child: os.wait()'
	holds '(.unseen | length) == 1 and ([.objects[].names[0]] | index("memfd:again0") != null)'
	exhausted 'limit(80); take(); attempt(); child = os.fork()' 'attempt(); free()' 'if child: os.wait()'
	holds '[.unseen[].reason | startswith("its limit of open files")] == [true, true]'
}
