#!/usr/bin/env bats
# A program's first calls are made by a thread for which another one waits within dlopen or dlclose: LTTng needs the
# loader, which that one has.

load helpers

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return
	cat >plugin.c <<-'END'
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void must(int fails)
		{
			if (fails)
				_exit(3);
		}
		static void work(const char *name)
		{
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			must(fd < 0 || ftruncate(fd, 8192));
			must(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED || close(fd) || shm_unlink(name));
		}
		static void *serve(void *ends)
		{
			int status;
			work("/busy");
			if (strcmp(ends, "often") == 0)
				for (int i = 0; i < 400; i++)
					work("/busy-again");
			if (strcmp(ends, "user") == 0)
				must(seteuid(geteuid()) || setegid(getegid()));
			if (strcmp(ends, "fork") == 0) {
				pid_t child = fork();
				if (child == 0) {
					work("/busy-child");
					_exit(7);
				}
				must(waitpid(child, &status, 0) != child || status != 7 << 8);
				work("/busy-after");
			}
			if (strcmp(ends, "exec") == 0)
				execl("/bin/true", "true", NULL);
			if (strcmp(ends, "_exit") == 0)
				_exit(0);
			if (strcmp(ends, "kill") == 0)
				kill(getpid(), SIGKILL);
			return NULL;
		}
		static void wait_for_it(void)
		{
			pthread_t thread;
			must(pthread_create(&thread, NULL, serve, getenv("ENDS")) || pthread_join(thread, NULL));
		}
		void (*const at_begin[])(void) __attribute__((section(ARRAY), used)) = {wait_for_it};
	END
	gcc -shared -fPIC -DARRAY='".init_array"' -o dlopen.so plugin.c
	gcc -shared -fPIC -DARRAY='".fini_array"' -o dlclose.so plugin.c
	cat >within.c <<-'END'
		#include <dlfcn.h>
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
			return !library || dlclose(library) ? 2 : 0;
		}
	END
	gcc -o within within.c
}

setup()
{
	cd "$BATS_FILE_TMPDIR" || return
	rm -rf recording
}

# within ENDS [LIBRARY]: is recorded, and ends in time, as it does without.
within()
{
	local status=0 expected=0
	ENDS=$1 timeout -k 1 10 ./within "./${2:-dlopen}.so" || expected=$?
	ENDS=$1 timeout -k 1 10 "$SHMGUARD" run --quiet --report=none -o recording -- ./within "./${2:-dlopen}.so" || status=$?
	echo "bare $expected, recorded $status"
	[ "$status" -eq "$expected" ]
	"$SHMGUARD" report --format=json recording >report.json
	"$SHMGUARD" log recording >calls
	cat calls
}

@test "the program ends as it does without, and its calls are recorded" {
	for library in dlopen dlclose; do
		rm -rf recording
		within returns "$library"
		holds '.trace.lost == 0 and .unseen == [] and (.objects | length) == 1 and .objects[0].size == 8192 and
			.objects[0].unlinked_by != null'
		[ "$(grep -c 'mmap' calls)" -eq 1 ]
		[ "$(grep -c 'unlink-by-stranger' calls)" -eq 0 ]
	done
}

@test "the user of all threads may change meanwhile" {
	within user
	holds '.trace.lost == 0 and .unseen == [] and (.objects | length) == 1 and .objects[0].unlinked_by != null'
}

@test "a child that is forked meanwhile is recorded, and its parent" {
	within fork
	holds '.trace.lost == 0 and .unseen == [] and ([.objects[].names[0]] | sort) ==
		["/busy", "/busy-after", "/busy-child"] and all(.objects[]; .unlinked_by != null)'
}

@test "calls that are more than can be kept are counted as lost" {
	within often
	holds '.unseen == [] and .trace.lost > 0'
}

@test "a process that comes to its end, or to an exec, before the loader is free is told as not seen" {
	for how in exec _exit kill; do
		rm -rf recording
		within "$how"
		holds '(.unseen | length) == 1'
	done
}

# At each moment of LTTng's coming up.
@test "a library that is unloaded amid the first call of its thread lets it end" {
	cat >worker.c <<-'END'
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static pthread_t worker;
		static void *serve(void *unused)
		{
			char name[32];
			sprintf(name, "/busy-%d", (int)getpid());
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			if (fd < 0 || ftruncate(fd, 8192) || close(fd) || shm_unlink(name))
				_exit(3);
			return unused;
		}
		__attribute__((constructor)) static void begin(void)
		{
			if (pthread_create(&worker, NULL, serve, NULL))
				_exit(4);
		}
		__attribute__((destructor)) static void end(void)
		{
			pthread_join(worker, NULL);
		}
	END
	cat >unloads.c <<-'END'
		#include <dlfcn.h>
		#include <stdlib.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
			usleep((useconds_t)atoi(argv[2]));
			return !library || dlclose(library) ? 2 : 0;
		}
	END
	for kind in plain address thread; do
		[ "$kind" = plain ] || sanitizer=-fsanitize=$kind
		gcc ${sanitizer:+"$sanitizer"} -shared -fPIC -o "$kind.so" worker.c
		gcc ${sanitizer:+"$sanitizer"} -o "unloads-$kind" unloads.c
	done
	# shellcheck disable=SC2016 # the inner shell's own
	TSAN_OPTIONS=ignore_noninstrumented_modules=1 timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- \
		sh -c 'for kind in plain address thread; do for pause in 0 500 1000 2000 4000 8000 16000 32000; do
			timeout -k 1 10 "./unloads-$kind" "./$kind.so" "$pause" || echo "$kind $pause: $?"
		done; done' >stuck
	cat stuck
	[ ! -s stuck ]
	"$SHMGUARD" report --format=json recording >report.json
	holds '.trace.lost == 0 and .unseen == [] and (.objects | length) == 24 and all(.objects[]; .unlinked_by != null)'
}

# amid HOW WHY: none of 12 programs dies or hangs, and what each did is recorded, or it is named, why.
amid()
{
	cat >twelve.sh <<-'END'
		for microseconds in 900 1300 1700 2100 2500 2900 3300 3700 4100 4500 4900 5300; do
			timeout -k 1 10 "$1" "$2" "$microseconds"
			[ $? -eq 5 ] || echo "$2 $microseconds" >>died
		done
	END
	record "$1" bash twelve.sh "$PROGRAMS/handler_amid" "$1"
	[ ! -e died ]
	report "$1" >report.json
	holds '.trace.lost == 0'
	holds --arg why "$2" '([.objects[] | select(.names == ["memfd:amid"])] | length) +
		([.unseen[] | select(.reason | contains($why))] | length) == 12'
}

@test "a handler that comes amid malloc makes a process's first calls, and they are told once it is over" {
	amid malloc none
	amid threads none
}

@test "and a handler that comes amid dlopen" {
	amid dlopen none
}

@test "and one in a thread whose first they are, after another's" {
	amid prepared none
}

@test "and one that ends the process, which is named as not seen if they could not be told" {
	amid exit 'amid malloc(3) or dlopen(3)'
}
