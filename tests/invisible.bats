#!/usr/bin/env bats
# Programs that are hard on whatever else is in their process, and surroundings that are hard on us: recorded as bare.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

setup_file()
{
	export PROGRAMS=$BUILD/tests/programs LIBRARIES=/usr/lib/x86_64-linux-gnu
}

# with FIRST SECOND COMMAND...: libraries preloaded before and after ours.
with()
{
	local before=$1 after=$2
	shift 2
	"$@" >bare
	timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- sh -c 'LD_PRELOAD=$0:$LD_PRELOAD:$1; shift; exec "$@"' \
		"$before" "$after" "$@" >recorded
	same bare recorded
	report recording >report.json
	holds '.trace.lost == 0 and .trace.complete and (.objects | length == 1) and
		all(.processes[]; .ended | IN("exit", "exec"))'
}

@test "threads with the smallest stack there is" {
	unchanged "$PROGRAMS/hostile_signals" smallest_stacks
	holds '.trace.lost == 0 and .trace.complete'
}

@test "a thread with the smallest stack there is makes the first call of all" {
	unchanged "$PROGRAMS/hostile_signals" smallest_first
	holds '.trace.lost == 0 and .trace.complete and .objects[0].maps == 2'
}

@test "no call allocates, nor does the first of a thread, made by a handler" {
	unchanged "$PROGRAMS/hostile_signals" no_allocation
	holds '.trace.lost == 0 and .trace.complete and (.objects | length > 100 or .[0].maps > 100)'
}

@test "jemalloc before us" {
	with "$LIBRARIES/libjemalloc.so.2" "" "$PROGRAMS/hostile_processes" forks 5
}

@test "jemalloc after us" {
	with "" "$LIBRARIES/libjemalloc.so.2" "$PROGRAMS/hostile_processes" forks 5
}

@test "tcmalloc before us" {
	with "$LIBRARIES/libtcmalloc_minimal.so.4" "" "$PROGRAMS/hostile_processes" forks 5
}

@test "tcmalloc after us" {
	with "" "$LIBRARIES/libtcmalloc_minimal.so.4" "$PROGRAMS/hostile_processes" forks 5
}

# Another interposer of mmap, which counts and says at the end that it was called.
interposer()
{
	cat >other.c <<-'END'
		#include <dlfcn.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static int calls;
		void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
		{
			static void *(*next)(void *, size_t, int, int, int, off_t);
			if (!next)
				next = dlsym(RTLD_NEXT, "mmap");
			calls += (flags & MAP_SHARED) != 0;
			return next(addr, length, prot, flags, fd, offset);
		}
		__attribute__((destructor)) static void end(void)
		{
			if (calls < 2 || write(1, "counted\n", 8) != 8)
				_exit(9);
		}
	END
	gcc -w -D_GNU_SOURCE -shared -fPIC other.c -o other.so
}

# One that looks for the next in every call, for which the loader's lock is needed.
thorough_interposer()
{
	cat >thorough.c <<-'END'
		#include <dlfcn.h>
		#include <fcntl.h>
		#include <stdarg.h>
		#include <sys/mman.h>
		#include <unistd.h>
		#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
		static int calls;
		void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
		{
			calls += (flags & MAP_SHARED) != 0;
			return NEXT(mmap)(addr, length, prot, flags, fd, offset);
		}
		int munmap(void *addr, size_t length)
		{
			return NEXT(munmap)(addr, length);
		}
		int close(int fd)
		{
			return NEXT(close)(fd);
		}
		int open(const char *path, int flags, ...)
		{
			va_list more;
			va_start(more, flags);
			mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
			va_end(more);
			return NEXT(open)(path, flags, mode);
		}
		__attribute__((destructor)) static void end(void)
		{
			if (calls < 2 || write(1, "counted\n", 8) != 8)
				_exit(9);
		}
	END
	gcc -w -D_GNU_SOURCE -shared -fPIC thorough.c -o thorough.so
}

@test "another interposer of the same call, before us and after us" {
	interposer
	thorough_interposer
	interposed "$PWD/other.so:$BUILD/libshmguard.so" "$BUILD/libshmguard.so:$PWD/other.so" \
		"$PWD/thorough.so:$BUILD/libshmguard.so" "$BUILD/libshmguard.so:$PWD/thorough.so"
}

@test "a C++ plugin that a C program loads throws and catches" {
	cat >plugin.cpp <<-'END'
		#include <stdexcept>
		#include <sys/mman.h>
		#include <unistd.h>
		extern "C" int work(int fd)
		{
			try {
				void *map = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
				munmap(map, 4096);
				throw std::runtime_error("thrown");
			} catch (const std::exception &) {
				return 7;
			}
		}
	END
	cat >host.c <<-'END'
		#include <dlfcn.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = memfd_create("plugin", 0), sum = 0;
			ftruncate(fd, 4096);
			for (int i = 0; i < 100; i++) {
				void *plugin = dlopen("libplugin.so", i % 2 ? RTLD_NOW | RTLD_DEEPBIND : RTLD_NOW);
				int (*work)(int) = plugin ? dlsym(plugin, "work") : 0;
				if (!work)
					return puts(dlerror());
				sum += work(fd);
				dlclose(plugin);
			}
			printf("%d\n", sum);
			return 0;
		}
	END
	mkdir libraries
	g++ -shared -fPIC plugin.cpp -o libraries/libplugin.so
	# shellcheck disable=SC2016
	gcc -w -D_GNU_SOURCE host.c -o host -Wl,-rpath,'$ORIGIN/libraries'
	unchanged ./host
	[ "$(head -n 1 recorded)" = 700 ]
	holds '.trace.lost == 0 and .trace.complete and (.objects | length == 1 and .[0].maps >= 50)'
}

@test "a soft limit of 64 descriptors for run: the command has it, LTTng's daemons have what the hard limit allows" {
	local least=$((70 + 13 * $(nproc --all))) limit
	# shellcheck disable=SC2016
	for limit in "-Sn 64" "-n $least"; do
		rm -rf recording
		(
			# shellcheck disable=SC2086
			ulimit $limit
			unchanged sh -c 'ulimit -Sn; ulimit -Hn; exec "$0" plain' "$PROGRAMS/hostile_processes"
		)
		[ "$(head -n 1 recorded)" = "${limit#* }" ]
		holds '.trace.lost == 0 and .trace.complete and .unseen == [] and (.objects | length == 1)'
	done
}

@test "too low a hard limit of descriptors for LTTng's daemons: one line names it, the number that is needed, and 125" {
	local least=$((70 + 13 * $(nproc --all)))
	# shellcheck disable=SC2016
	run -125 sh -c 'ulimit -n 64; exec "$SHMGUARD" run -o recording -- echo ran'
	[ "$output" = "shmguard: RLIMIT_NOFILE (ulimit -Hn) is 64, and LTTng's daemons need $least descriptors on this machine" ]
	[ ! -e recording ]
}

@test "a limit of 64 descriptors" {
	# shellcheck disable=SC2016
	unchanged sh -c 'ulimit -n 64; exec "$0" plain' "$PROGRAMS/hostile_processes"
}

@test "below its soft limit of descriptors every number is the program's own, recorded or held to a policy" {
	local limit
	cat >all.py <<-'END'
		import errno, os, resource, sys
		os.close(os.memfd_create("first"))
		made = []
		try:
		    while True:
		        made.append(os.dup(0))
		except OSError as error:
		    print(made, error.errno)
		for fd in made:
		    os.close(fd)
		print([os.dup2(0, fd) for fd in range(10, resource.getrlimit(resource.RLIMIT_NOFILE)[0])])
		try:
		    os.dup2(0, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
		except OSError as error:
		    print(error.errno)
		os.closerange(10, 1 << 20)
		os.close(os.memfd_create("second"))
		print(resource.getrlimit(resource.RLIMIT_NOFILE))
		if os.fork() == 0:
		    os.close(os.memfd_create("third"))
		    print(resource.getrlimit(resource.RLIMIT_NOFILE), os.dup(0), flush=True)
		    os._exit(0)
		os.wait()
		resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE)[1:] * 2)
		print(resource.getrlimit(resource.RLIMIT_NOFILE), os.dup(0))
	END
	for limit in 40 256 1024; do
		unchanged sh -c "ulimit -Sn $limit; ulimit -Hn 4000; exec \"\$0\" all.py" "$PYTHON"
		holds '.unseen == [] and (.objects | length) == 3'
		rm -rf recording
		printf '%s\n' '[default]' "log = file:$PWD/policy.log" 'predictable-name = warn' >policy.ini
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" \
			sh -c "ulimit -Sn $limit; ulimit -Hn 4000; exec \"\$0\" all.py" "$PYTHON" >policed 2>&1 3>&-
		echo "status 0" >>policed
		same bare policed
	done
}

@test "with few descriptors the program has the numbers that it would have bare, up to those of LTTng" {
	local limit
	[ "$(nproc --all)" -eq 2 ] || skip "the limits are those that two processors need"
	cat >numbers.py <<-'END'
		import os
		os.close(os.memfd_create("first"))
		print([os.dup(0) for _ in range(18)])
	END
	for limit in 50 56 64 80; do
		unchanged sh -c "ulimit -n $limit; exec \"\$0\" numbers.py" "$PYTHON"
		holds '.unseen == [] and (.objects | length) == 1'
		rm -rf recording
	done
}

@test "no descriptor left" {
	cat >exhausted.py <<-'END'
		import mmap, os, resource
		fd = os.memfd_create("before")
		os.ftruncate(fd, 4096)
		resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
		made = []
		try:
		    while True:
		        made.append(os.memfd_create("more"))
		except OSError as error:
		    print(made[0], made[-1], error.errno)
		try:
		    mmap.mmap(fd, 4096)
		except OSError as error:
		    print(error.errno)
		os.close(made.pop())
		mmap.mmap(fd, 4096).close()
		print(os.memfd_create("again"))
	END
	unchanged "$PYTHON" exhausted.py
}

@test "without /proc, and in a chroot" {
	needs_root "to mount and to chroot"
	# shellcheck disable=SC2016
	unchanged unshare -m sh -c 'umount -l /proc && exec "$0" plain' "$PROGRAMS/hostile_processes"
	rm -rf recording
	cat >root.c <<-'END'
		#include <dlfcn.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			chroot("root");
			chdir("/");
			int fd = memfd_create("in a chroot", 0);
			ftruncate(fd, 4096);
			puts(mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? "failed" : "went on");
			puts(dlerror() ? "an error of the loader's" : "none");
			return 0;
		}
	END
	gcc -w -D_GNU_SOURCE root.c -o changes-root
	mkdir root
	./changes-root >bare
	record recording ./changes-root >recorded
	same bare recorded
	report recording >report.json
	holds '[.unseen[].reason] == ["libshmguard-tracepoints.so is not below its root directory (bind its directory there)"]'
}

@test "a /dev/shm that is read-only, or full" {
	needs_root "to mount"
	# shellcheck disable=SC2016
	unchanged unshare -m sh -c 'mount -t tmpfs -o ro tmpfs /dev/shm; exec "$0" plain' "$PROGRAMS/hostile_processes"
	rm -rf recording
	# shellcheck disable=SC2016
	unchanged unshare -m sh -c 'mount -t tmpfs -o size=4k tmpfs /dev/shm; echo full >/dev/shm/all; exec "$0" plain' \
		"$PROGRAMS/hostile_processes"
}

@test "a build by make -j2: the same bytes" {
	mkdir source bare.d recorded.d
	for i in 1 2 3 4 5 6; do
		echo "int part$i(int x) { return x * $i; }" >source/part$i.c
	done
	cat >source/Makefile <<-'END'
		VPATH = ../source
		all.so: $(patsubst %,part%.o,1 2 3 4 5 6); $(CC) -shared -Wl,--build-id $^ -o $@
		%.o: %.c; $(CC) -fPIC -O1 -c $< -o $@
	END
	make -s -j2 -C bare.d -f ../source/Makefile
	record recording make -s -j2 -C recorded.d -f ../source/Makefile
	cmp bare.d/all.so recorded.d/all.so
	report recording >report.json
	holds '.trace.complete and .unseen == [] and .objects == []'
}

@test "stress-ng: shared memory, mappings, memfds and forks" {
	command -v stress-ng || skip "stress-ng is not installed"
	local stressor
	for stressor in "--shm 1 --shm-ops 50" "--memfd 1 --memfd-ops 5" "--fork 1 --fork-ops 30"; do
		rm -rf recording
		# shellcheck disable=SC2086
		timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- stress-ng --quiet --timeout 5 $stressor
	done
}
