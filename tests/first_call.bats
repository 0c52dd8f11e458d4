#!/usr/bin/env bats
# A program's first call of an object: LTTng comes up in it, and others go on meanwhile. What the call is for is what they leave.

load helpers

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return
	# The loading of our provider is told to descriptor 90, and goes on once 91 answers.
	cat >slow.c <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <string.h>
		#include <unistd.h>
		void *dlopen(const char *name, int flags)
		{
			void *(*next)(const char *, int) = dlsym(RTLD_NEXT, "dlopen");
			char byte = 0;
			if (name && strstr(name, "libshmguard-tracepoints") && !(flags & RTLD_NOLOAD) &&
			    write(90, &byte, 1) == 1 && read(91, &byte, 1) < 0)
				_exit(9);
			return next(name, flags);
		}
	END
	gcc -shared -fPIC -o slow.so slow.c
	# first HOW: the child makes that call of /first; the parent does its part while LTTng is loaded there.
	cat >first.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		#define PATH "/dev/shm/first"
		static int is(const char *how, const char *name)
		{
			return strcmp(how, name) == 0;
		}
		static int call(const char *how)
		{
			if (is(how, "shm_unlink"))
				return shm_unlink("/first");
			if (is(how, "unlink"))
				return unlink(PATH);
			if (is(how, "rename"))
				return rename(PATH, PATH "-2");
			if (is(how, "ftruncate"))
				return ftruncate(80, 4096);
			if (is(how, "truncate"))
				return truncate(PATH, 4096);
			if (is(how, "fallocate"))
				return fallocate(80, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
			if (is(how, "open"))
				return open(PATH, O_RDONLY) < -1;
			return mmap(NULL, 4096, PROT_READ, MAP_SHARED, 80, 0) == MAP_FAILED;
		}
		static int made(void)
		{
			int fd = shm_open("/first", O_CREAT | O_EXCL | O_RDWR, 0600);
			return fd < 0 || ftruncate(fd, 16384) ? -1 : fd;
		}
		static void meanwhile(const char *how, int fd)
		{
			if (is(how, "shm_unlink") || is(how, "unlink") || is(how, "rename") || is(how, "open")) {
				shm_unlink("/first");
				if (!is(how, "open") && made() < 0)
					_exit(3);
			} else if (ftruncate(fd, 8192)) {
				_exit(4);
			}
		}
		int main(int argc, char **argv)
		{
			int ask[2], answer[2], fd, status;
			char byte, preload[8192];
			if (argc == 3)
				return call(argv[2]) ? 5 : 0;
			if ((fd = made()) < 0 || pipe(ask) || pipe(answer))
				return 2;
			pid_t child = fork();
			if (child == 0) {
				dup2(fd, 80);
				dup2(ask[1], 90);
				dup2(answer[0], 91);
				snprintf(preload, sizeof preload, "%s:%s", getenv("LD_PRELOAD"), getenv("SLOW"));
				setenv("LD_PRELOAD", preload, 1);
				close(fd);
				close(ask[1]);
				close(answer[1]);
				execl(argv[0], argv[0], "call", argv[1], NULL);
				_exit(6);
			}
			close(ask[1]);
			if (read(ask[0], &byte, 1) != 1)
				return 7;
			meanwhile(argv[1], fd);
			if (write(answer[1], &byte, 1) != 1 || waitpid(child, &status, 0) != child)
				return 8;
			return WEXITSTATUS(status);
		}
	END
	gcc -o first first.c
	export FIRST=$PWD/first SLOW=$PWD/slow.so
}

first()
{
	rm -rf recording /dev/shm/first /dev/shm/first-2
	"$SHMGUARD" run --quiet --report=none -o recording -- "$FIRST" "$1"
	"$SHMGUARD" report --format=json recording >report.json
	"$SHMGUARD" objects recording >listed
	"$SHMGUARD" log recording >calls
	cat listed calls
}

@test "what removes a name first of all removes the object that has it by then" {
	for how in shm_unlink unlink; do
		first "$how"
		[ ! -e /dev/shm/first ]
		holds '(.objects | length) == 2 and all(.objects[]; .unlinked_by != null)'
		[ "$(grep -c '/first' listed)" -eq 0 ]
	done
}

@test "what renames first of all renames the object that has the name by then" {
	first rename
	[ -e /dev/shm/first-2 ]
	rm /dev/shm/first-2
	holds '[.objects[] | select(.unlinked_by == null) | .name] == ["/dev/shm/first-2"] or
		[.objects[] | select(.unlinked_by == null) | .names[-1]] == ["/first-2"]'
}

@test "what is opened first of all gets no name back that was removed meanwhile" {
	first open
	[ ! -e /dev/shm/first ]
	holds '(.objects | length) == 1 and .objects[0].unlinked_by != null'
	[ "$(grep -c '/first' listed)" -eq 0 ]
}

@test "the size that the first call finds is the one that it has by then" {
	for how in ftruncate truncate fallocate mmap; do
		first "$how"
		rm /dev/shm/first
		babeltrace2 recording/trace | grep -E " shmguard:($how|ftruncate): .*(\"truncate\"|fd = 80)" | tail -n 1 >event
		cat event
		[[ $(cat event) == *" size_before = 8192"* || ($how == mmap && $(cat event) == *" size = 8192"*) ]]
	done
}

# The C library waits until each thread has handled a signal of its own, with a lock that the loader takes as well.
@test "threads make the first calls while another one changes the user of all of them" {
	cat >users.c <<-'END'
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void *serve(void *which)
		{
			char name[32];
			sprintf(name, "/users-%ld", (long)which);
			for (int i = 0; i < 3; i++) {
				int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
				if (fd < 0 || ftruncate(fd, 8192))
					exit(2);
				char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
				if (map == MAP_FAILED)
					exit(3);
				map[1] = 1;
				if (munmap(map, 8192) || close(fd) || shm_unlink(name))
					exit(4);
			}
			return NULL;
		}
		int main(int argc, char **argv)
		{
			pthread_t threads[4];
			for (int round = 0; round < 40; round++) {
				for (long i = 0; i < 4; i++)
					pthread_create(&threads[i], NULL, serve, (void *)i);
				usleep(atoi(argv[argc - 1]));
				if (seteuid(geteuid()) || setegid(getegid()))
					return 5;
				for (int i = 0; i < 4; i++)
					pthread_join(threads[i], NULL);
			}
			return 0;
		}
	END
	gcc -o users users.c
	for pause in 0 500 2000 6000 12000; do
		rm -rf recording
		timeout -k 1 20 "$SHMGUARD" run --quiet --report=none -o recording -- ./users "$pause"
		"$SHMGUARD" report --format=json recording >report.json
		holds '.trace.lost == 0 and (.objects | length) == 480 and all(.objects[]; .unlinked_by != null)'
	done
}
