#!/usr/bin/env bats
# Programs with sanitizers, whose runtimes intercept as we do: recorded as bare.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

@test "a program with AddressSanitizer" {
	gcc -w -g -D_GNU_SOURCE -fsanitize=address -I"$ROOT" "$ROOT/tests/programs/hostile_processes.c" -o sanitized
	# shellcheck disable=SC2030,SC2031 # each test has its own
	local -x ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0
	unchanged ./sanitized forks 3
	holds '.trace.complete and (.objects | length == 1)'
}

# Its runtime, a library, asks to be the first one, which ours is; nothing else of what it asks for is touched.
@test "AddressSanitizer as a library: linked, preloaded by the user, and preloaded by what is recorded" {
	local runtime words
	runtime=$(gcc -print-file-name=libasan.so)
	gcc -w -g -D_GNU_SOURCE -fsanitize=address -I"$ROOT" "$ROOT/tests/programs/hostile_processes.c" -o sanitized
	# shellcheck disable=SC2030,SC2031 # each test has its own
	local -x ASAN_OPTIONS=detect_leaks=0
	for words in "./sanitized plain" "./sanitized forks 3" "env LD_PRELOAD=$runtime ./sanitized plain" \
		"env LD_PRELOAD=$runtime $PROGRAMS/hostile_processes plain" "env -i LD_PRELOAD=$runtime ./sanitized plain"; do
		rm -rf recording
		# shellcheck disable=SC2086
		unchanged $words
		holds '.trace.complete and .unseen == [] and (.objects | length == 1)'
	done
	rm -rf recording
	run -0 env LD_PRELOAD="$runtime" "$SHMGUARD" run --quiet --report=none -o recording -- ./sanitized plain
	[ "$output" = "went on" ]
	report recording >report.json
	holds '.trace.complete and .unseen == [] and (.objects | length == 1)'
	run -0 env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_PROFILE=safe ./sanitized plain
	[ "$output" = "went on" ]
}

@test "AddressSanitizer as a library: what it finds, and the options of another library before it" {
	cat >options.c <<-'END'
		const char *__asan_default_options(void)
		{
			return "verify_asan_link_order=0:exitcode=57";
		}
	END
	cat >past.c <<-'END'
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char *volatile heap = malloc(10);
			int fd = memfd_create("past", 0);
			ftruncate(fd, 4096);
			mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			return argc > 1 && heap[9 + argc];
		}
	END
	gcc -shared -fPIC options.c -o options.so
	gcc -w -g -D_GNU_SOURCE -fsanitize=address past.c -o past
	unset ASAN_OPTIONS
	for words in "run -1 ./past" "run -57 env LD_PRELOAD=$PWD/options.so ./past"; do
		# shellcheck disable=SC2086
		set -- $words
		"$1" "$2" "${@:3}" one
		rm -rf recording
		"$1" "$2" "$SHMGUARD" run --quiet --report=none -o recording -- "${@:3}" one
		[[ $output == *"heap-buffer-overflow"*"past.c:10"* ]]
		rm -rf recording
		run -0 "$SHMGUARD" run --quiet --report=none -o recording -- "${@:3}"
		[ -z "$output" ]
	done
}

# Its runtime stands between LTTng and us where it comes first; it wants no addresses at random.
@test "a program with ThreadSanitizer, its runtime after us and before us" {
	gcc -w -g -D_GNU_SOURCE -fsanitize=thread -I"$ROOT" "$ROOT/tests/programs/hostile_processes.c" -o sanitized
	unchanged setarch --addr-no-randomize ./sanitized plain
	holds '.trace.complete and .objects[0].maps == 2'
	rm -rf recording
	# shellcheck disable=SC2016
	timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- sh -c 'LD_PRELOAD=$0:$LD_PRELOAD exec "$@"' \
		"$(gcc -print-file-name=libtsan.so)" setarch --addr-no-randomize ./sanitized plain >recorded 2>&1
	[ "$(cat recorded)" = "went on" ]
	report recording >report.json
	holds '.trace.complete and .objects[0].maps == 2'
}

@test "threads of a program with ThreadSanitizer, which has done with them before libunwind has" {
	cat >threads.c <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void *work(void *fd)
		{
			munmap(mmap(0, 4096, PROT_READ, MAP_SHARED, *(int *)fd, 0), 4096);
			return 0;
		}
		static void *idle(void *nothing)
		{
			return nothing;
		}
		int main(void)
		{
			int fd = memfd_create("threads", 0);
			ftruncate(fd, 4096);
			for (int i = 0; i < 8; i++) {
				pthread_t thread;
				pthread_create(&thread, 0, i % 2 ? work : idle, i % 2 ? &fd : 0);
				pthread_join(thread, 0);
			}
			puts("joined");
			return 3;
		}
	END
	gcc -w -g -D_GNU_SOURCE -fsanitize=thread threads.c -o threads
	timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- setarch --addr-no-randomize ./threads >out 2>&1 ||
		[ $? -eq 3 ]
	[ "$(cat out)" = joined ]
	report recording >report.json
	holds '.trace.complete and .objects[0].maps == 4'
	"$SHMGUARD" log --stacks recording | grep -q "work"
}

@test "a program with ThreadSanitizer and a handler of SIGBUS, which its runtime calls" {
	cat >handler.c <<-'END'
		#include <setjmp.h>
		#include <signal.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static sigjmp_buf back;
		static int calls;
		static void count(int number) { calls++; }
		static void leave(int number, siginfo_t *info, void *context) { calls++; siglongjmp(back, 1); }
		int main(int argc, char **argv)
		{
			int early = argc > 1, fd;
			struct sigaction counts = {.sa_handler = count}, leaves = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO};
			if (early)
				sigaction(SIGBUS, &counts, 0);
			fd = memfd_create("handler", 0);
			ftruncate(fd, 100);
			char *map = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			if (!early)
				sigaction(SIGBUS, &counts, 0);
			raise(SIGBUS);
			sigaction(SIGBUS, &leaves, 0);
			if (!sigsetjmp(back, 1))
				map[5000] = 1;
			printf("%d calls\n", calls);
			return 0;
		}
	END
	gcc -w -g -D_GNU_SOURCE -fsanitize=thread handler.c -o handler
	for when in early ""; do
		rm -rf recording
		timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- setarch --addr-no-randomize ./handler $when >out 2>&1
		[ "$(cat out)" = "2 calls" ]
	done
}

@test "a program with ThreadSanitizer and without a race has none when recorded, if libraries are to be left out" {
	cat >races.c <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void *work(void *name)
		{
			for (int i = 0; i < 100; i++) {
				int fd = memfd_create(name, 0);
				ftruncate(fd, 4096);
				munmap(mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096);
				close(fd);
			}
			return 0;
		}
		int main(void)
		{
			static char names[4][2] = {"a", "b", "c", "d"};
			pthread_t threads[4];
			for (int i = 0; i < 4; i++)
				pthread_create(&threads[i], 0, work, names[i]);
			for (int i = 0; i < 4; i++)
				pthread_join(threads[i], 0);
			puts("joined");
			return 0;
		}
	END
	gcc -w -g -D_GNU_SOURCE -fsanitize=thread races.c -o races
	export TSAN_OPTIONS=ignore_noninstrumented_modules=1
	unchanged setarch --addr-no-randomize ./races
	holds '.trace.complete and (.objects | length) == 400'
}

# Its runtime is a part of the program: it makes a thread, with us begun there before it, and stands between libunwind and us.
@test "a program with clang's ThreadSanitizer or MemorySanitizer: threads after its first call, and its descriptors" {
	cat >static.c <<-'END'
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static int share(const char *name)
		{
			int fd = memfd_create(name, 0);
			ftruncate(fd, 4096);
			char *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			map[0] = 1;
			munmap(map, 4096);
			return close(fd), fd;
		}
		static void *work(void *name)
		{
			for (int i = 0; i < 20; i++)
				share(name);
			return name;
		}
		static void *idle(void *nothing)
		{
			return nothing;
		}
		int main(void)
		{
			int status, open = 0, first = share("first"), second = share("second");
			for (int fd = 3; fd < 20; fd++)
				open += fcntl(fd, F_GETFD) >= 0;
			printf("descriptors %d and %d, %d open\n", first, second, open);
			for (int i = 0; i < 8; i++) {
				pthread_t thread;
				pthread_create(&thread, 0, i % 2 ? work : idle, "thread");
				pthread_join(thread, 0);
			}
			puts("joined");
			fflush(stdout);
			if (fork() == 0) {
				pthread_t thread;
				pthread_create(&thread, 0, work, "child");
				pthread_join(thread, 0);
				_exit(3);
			}
			wait(&status);
			printf("child %x\n", status);
			return 0;
		}
	END
	for sanitizer in thread memory; do
		rm -rf recording
		clang -w -g -D_GNU_SOURCE -fsanitize=$sanitizer static.c -o static
		TSAN_OPTIONS=die_after_fork=0 unchanged setarch --addr-no-randomize ./static
		[[ $(head -n 1 recorded) == "descriptors 3 and 3, "* ]]
		holds '.trace.complete and .trace.lost == 0 and (.objects | length) == 102'
		"$SHMGUARD" log --stacks recording | grep -q "work"
	done
}

# What gcc links into a program shows of itself what libraries have as well; its functions are there before it is ready for them.
@test "ThreadSanitizer linked into a program by gcc, and by clang: recorded, and under a policy's file" {
	local compiler
	cat >inside.c <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void *work(void *name)
		{
			int fd = memfd_create(name, 0);
			ftruncate(fd, 4096);
			munmap(mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096);
			close(fd);
			return 0;
		}
		int main(void)
		{
			int status;
			for (int i = 0; i < 8; i++) {
				pthread_t thread;
				pthread_create(&thread, 0, work, "thread");
				pthread_join(thread, 0);
			}
			if (fork() == 0) {
				work("child");
				_exit(3);
			}
			wait(&status);
			printf("joined, %x\n", status);
			return 0;
		}
	END
	printf '[default]\nmode = enforce\n' >policy.ini
	for compiler in "gcc -static-libtsan" clang; do
		rm -rf recording
		$compiler -w -g -D_GNU_SOURCE -fsanitize=thread inside.c -o inside
		TSAN_OPTIONS=ignore_noninstrumented_modules=1 unchanged setarch --addr-no-randomize ./inside
		holds '.trace.complete and .trace.lost == 0 and (.objects | length) == 9'
		run -0 env TSAN_OPTIONS=ignore_noninstrumented_modules=1 LD_PRELOAD="$BUILD/libshmguard.so" \
			SHMGUARD_POLICY="$PWD/policy.ini" setarch --addr-no-randomize ./inside
		[ "$output" = "joined, 300" ]
	done
}
