#!/usr/bin/env bats
# Calls that a program's libraries make in their constructors, and the program in its preinit_array: before any of its own.

bats_require_minimum_version 1.5.0

load helpers
load unchanged

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	cat >makes.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void make(int argc, char **argv, char **environment)
		{
			int fd = shm_open("/constructors", O_CREAT | O_EXCL | O_RDWR, 0666);
			char text[100];
			(void)argc;
			(void)argv;
			(void)environment;
			write(1, text, (size_t)snprintf(text, sizeof(text), "%d %d\n", fd, ftruncate(fd, 8192)));
			if (access("child", X_OK) == 0) {
				pid_t child = fork();
				if (child == 0)
					execle("./child", "child", NULL, (char *[]){"X=1", NULL});
				waitpid(child, NULL, 0);
			}
		}
	END
	cat makes.c - >library.c <<-'END'
		__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
		{
			make(argc, argv, environment);
		}
		int in_library;
	END
	cat makes.c - >preinit.c <<-'END'
		__attribute__((section(".preinit_array"), used)) static void (*const start)(int, char **, char **) = make;
		int main(void)
		{
			return 0;
		}
	END
	cat >global.cc <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		#include <cstdio>
		static struct ring {
			int fd = shm_open("/constructors", O_CREAT | O_EXCL | O_RDWR, 0666);
			ring()
			{
				printf("%d %d\n", fd, ftruncate(fd, 8192));
				fflush(stdout);
			}
		} ring;
		int in_library;
	END
	printf 'extern int in_library;\nint main(void)\n{\n\treturn in_library;\n}\n' >main.c
	cc -w -shared -fPIC -o liblibrary.so library.c
	c++ -shared -fPIC -o libglobal.so global.cc
	cc -o library main.c ./liblibrary.so
	cc -o global main.c ./libglobal.so
	cc -w -o preinit preinit.c
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	umask 0
	cp "$BATS_FILE_TMPDIR"/{liblibrary.so,libglobal.so,library,global,preinit} .
}

teardown()
{
	rm -f /dev/shm/constructors /dev/shm/constructors-child
}

@test "a policy holds for what constructors make" {
	local program
	printf '%s\n' '[default]' 'names = /other' 'name-not-allowed = deny' >names.ini
	chmod 600 names.ini
	for program in library global preinit; do
		LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=safe ./$program >out 3>&-
		[ "$(cat out)" = "3 0" ]
		[ "$(stat -c %a /dev/shm/constructors)" = 660 ]
		rm /dev/shm/constructors
		LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_POLICY=$PWD/names.ini ./$program >out 3>&-
		[ "$(cat out)" = "-1 -1" ]
		[ ! -e /dev/shm/constructors ]
		./$program >out 3>&-
		[ "$(cat out)" = "3 0" ]
		rm /dev/shm/constructors
	done
}

@test "what a constructor executes with an environment of its own keeps the policy" {
	local program
	cat >child.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			return shm_open("/constructors-child", O_CREAT | O_EXCL | O_RDWR, 0666) < 0;
		}
	END
	cc -o child child.c
	for program in library preinit; do
		./$program >out 3>&-
		[ "$(stat -c %a /dev/shm/constructors-child)" = 666 ]
		rm /dev/shm/constructors /dev/shm/constructors-child
		LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=safe ./$program >out 3>&-
		[ "$(stat -c %a /dev/shm/constructors-child)" = 660 ]
		rm /dev/shm/constructors /dev/shm/constructors-child
	done
}

@test "what constructors make is recorded, and the program is as bare" {
	local program
	for program in library global preinit; do
		unchanged sh -c "./$program; rm /dev/shm/constructors"
		holds '.trace.lost == 0 and .unseen == [] and (.objects | length == 1 and .[0].created_by != null and .[0].size == 8192)'
		if [ $program = preinit ]; then
			# Nothing that walks stacks is there yet.
			holds 'any(.findings[]; .rule == "world-writable")'
		else
			holds 'any(.findings[]; .rule == "world-writable" and (.stacks[0].frames | length) > 0)'
		fi
		rm -rf recording
	done
}

@test "a program that has an environment of its own, and a name, is guarded and recorded" {
	cat >own.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		char **environ, *program_invocation_name;
		int main(int argc, char **argv)
		{
			if (argc > 1)
				return printf("%s\n", getenv("OWN")) < 0;
			printf("%d %s\n", shm_open("/constructors", O_CREAT | O_EXCL | O_RDWR, 0666), getenv("OWN"));
			fflush(stdout);
			execl(argv[0], argv[0], "child", NULL);
			return 1;
		}
	END
	cc -o own own.c
	OWN=here LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=strict ./own >out 3>&-
	same out <(printf '%s\n' '-1 here' here)
	OWN=here unchanged sh -c './own; rm /dev/shm/constructors'
	holds '.trace.lost == 0 and .unseen == [] and (.objects | length == 1 and .[0].created_by != null)'
}

@test "a preinit_array that also sets variables, or forks, is as bare" {
	cat >sets.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void make(int argc, char **argv, char **environment)
		{
			(void)argc;
			(void)argv;
			(void)environment;
			setenv("SET", "early", 1);
			close(shm_open("/constructors", O_CREAT | O_RDWR, 0600));
			if (fork() == 0)
				_exit(0);
			wait(NULL);
			close(shm_open("/constructors", O_RDWR, 0));
		}
		__attribute__((section(".preinit_array"), used)) static void (*const start)(int, char **, char **) = make;
		int main(void)
		{
			return shm_unlink("/constructors");
		}
	END
	cc -o sets sets.c
	unchanged sh -c './sets; echo $?'
	holds '.trace.lost == 0 and .unseen == [] and ([.objects[] | select(.created_by != null and .unlinked_by != null)] | length == 1)'
}
