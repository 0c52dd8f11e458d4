#!/usr/bin/env bats
# Functions that a program asks a library for by name, as bindings of other languages do.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
	NAME=/lookups-$$
}

teardown()
{
	rm -f "/dev/shm$NAME"
}

@test "what ctypes finds in the C library is recorded, in whichever of its libraries it asks" {
	cat >maker.py <<-'END'
		import ctypes, os, sys
		library = ctypes.CDLL(sys.argv[1])
		fd = library.shm_open(sys.argv[2].encode(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
		library.ftruncate(fd, 8192)
		library.close(fd)
	END
	local library
	for library in librt.so.1 libc.so.6; do
		rm -rf recording "/dev/shm$NAME"
		record recording "$PYTHON" maker.py "$library" "$NAME"
		"$SHMGUARD" log recording >calls.txt
		grep -q "shm_open(\"$NAME\", O_RDWR|O_CREAT|O_EXCL, 0600) = " calls.txt
		grep -q "ftruncate([0-9]*, 8192) = 0" calls.txt
		report recording >report.json
		holds '.findings | any(.rule == "segment-leak" and .severity == "error")'
	done
}

@test "a policy holds for them" {
	printf '[default]\nworld-writable = deny\n' >policy.ini
	cat >maker.py <<-'END'
		import ctypes, os, sys
		library = ctypes.CDLL("librt.so.1", use_errno=True)
		for mode in (0o666, 0o600):
		    made = library.shm_open(sys.argv[1].encode(), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
		    print(made >= 0, ctypes.get_errno())
	END
	umask 0
	run -0 env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" maker.py "$NAME"
	[ "${lines[0]}" = "False 13" ]
	[ "${lines[1]}" = "True 13" ]
	[ "$(stat -c %a "/dev/shm$NAME")" = 600 ]
}

# An interposer that asks the C library itself for what it goes on to.
asking()
{
	cat >asking.c <<-'END'
		#include <dlfcn.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static int calls, depth;
		static void *original(const char *name)
		{
			return dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), name);
		}
		void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
		{
			static void *(*next)(void *, size_t, int, int, int, off_t);
			if (depth > 2 && write(2, "it came back\n", 13))
				_exit(9);
			depth++;
			next = next ? next : original("mmap");
			calls += (flags & MAP_SHARED) != 0;
			void *result = next(addr, length, prot, flags, fd, offset);
			depth--;
			return result;
		}
		__attribute__((destructor)) static void end(void)
		{
			if (calls < 2 || write(1, "counted\n", 8) != 8)
				_exit(9);
		}
	END
	gcc -w -D_GNU_SOURCE -shared -fPIC asking.c -o asking.so
}

@test "an interposer that asks the C library for the original is not led back to itself" {
	asking
	interposed "$PWD/asking.so:$BUILD/libshmguard.so" "$BUILD/libshmguard.so:$PWD/asking.so"
}

@test "what an interposer behind us makes by another call is one object" {
	cat >another.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		int shm_open(const char *name, int flags, mode_t mode)
		{
			char path[300];
			snprintf(path, sizeof path, "/dev/shm%s", name);
			return open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
		}
	END
	gcc -w -D_GNU_SOURCE -shared -fPIC another.c -o another.so
	cat >maker.py <<-'END'
		import os, sys
		from _posixshmem import shm_open, shm_unlink
		for turn in range(3):
		    os.close(shm_open(sys.argv[1], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
		    shm_unlink(sys.argv[1])
	END
	# shellcheck disable=SC2016
	record recording sh -c 'LD_PRELOAD=$LD_PRELOAD:$0 exec "$@"' "$PWD/another.so" "$PYTHON" maker.py "$NAME"
	report recording >report.json
	holds '.objects | length == 3 and all(.created_by != null and .unlinked_by != null)'
	holds '[.findings[].rule] - ["predictable-name", "weak-mount"] == []'
}

# An allocator that looks for mmap in the C library by its first call, and is not to be called amid that.
@test "an allocator that asks amid an allocation is not called again for it" {
	cat >allocator.c <<-'END'
		#include <dlfcn.h>
		#include <stddef.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void *library, *(*map)(void *, size_t, int, int, int, off_t);
		static __thread int amid;
		static char early[1 << 16], *at = early;
		__attribute__((constructor)) static void begin(void)
		{
			library = dlopen("libc.so.6", RTLD_NOW);
		}
		static void *get(size_t bytes)
		{
			char *memory;
			if (amid) {
				(void)!write(2, "called again\n", 13);
				_exit(9);
			}
			amid = 1;
			if (library && !map)
				map = dlsym(library, "mmap");
			amid = 0;
			bytes = (bytes + 31) & -16;
			if (!map && at + bytes < early + sizeof early)
				memory = at, at += bytes;
			else
				memory = (map ? map : mmap)(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			*(size_t *)memory = bytes;
			return memory + 16;
		}
		void *malloc(size_t bytes)
		{
			return get(bytes);
		}
		void *calloc(size_t count, size_t bytes)
		{
			return memset(get(count * bytes), 0, count * bytes);
		}
		void *realloc(void *old, size_t bytes)
		{
			char *memory = get(bytes);
			if (old) {
				size_t had = *(size_t *)((char *)old - 16) - 16;
				memcpy(memory, old, had < bytes ? had : bytes);
			}
			return memory;
		}
		void free(void *memory)
		{
		}
	END
	gcc -w -D_GNU_SOURCE -shared -fPIC allocator.c -o allocator.so
	local order
	for order in "$PWD/allocator.so" "$PWD/allocator.so:$BUILD/libshmguard.so" "$BUILD/libshmguard.so:$PWD/allocator.so"; do
		LD_PRELOAD=$order timeout -k 1 20 /bin/echo well >out
		[ "$(cat out)" = well ]
	done
	# shellcheck disable=SC2016
	timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- sh -c 'LD_PRELOAD=$0:$LD_PRELOAD exec "$@"' \
		"$PWD/allocator.so" "$PROGRAMS/hostile_processes" plain >out
	[ "$(cat out)" = "went on" ]
	report recording >report.json
	holds '.trace.complete and .unseen == [] and .objects[0].maps == 2'
}

@test "who asks for the next, or for any, is who was meant" {
	# What only the library that asks can see: its own, and what it was loaded with.
	printf 'int hidden(void) { return 5; }\n' >below.c
	cat >above.c <<-'END'
		#include <dlfcn.h>
		int hidden(void);
		int shm_unlink(const char *name)
		{
			return 77;
		}
		int found(void)
		{
			int (*any)(void) = dlsym(RTLD_DEFAULT, "hidden");
			int (*next)(const char *) = dlsym(RTLD_NEXT, "shm_unlink");
			return (any ? any() : 0) + (next ? 10 : 0) + (hidden() == 5 ? 100 : 0);
		}
	END
	cat >host.c <<-'END'
		#include <dlfcn.h>
		#include <stdio.h>
		int main(void)
		{
			void *library = dlopen("./above.so", RTLD_NOW | RTLD_LOCAL);
			int (*found)(void) = dlsym(library, "found"), (*own)(const char *) = dlsym(library, "shm_unlink");
			printf("%d %d %d\n", found(), own("/x"), dlsym(RTLD_DEFAULT, "hidden") == NULL);
			return 0;
		}
	END
	gcc -shared -fPIC below.c -o below.so
	gcc -w -D_GNU_SOURCE -shared -fPIC above.c -o above.so -L. -l:below.so -Wl,-rpath,"$PWD"
	gcc -w -D_GNU_SOURCE host.c -o host
	[ "$(./host)" = "115 77 1" ]
	[ "$(LD_PRELOAD=$BUILD/libshmguard.so ./host)" = "115 77 1" ]
	[ "$(record recording ./host)" = "115 77 1" ]
}

@test "an exception passes through who asks, and a debugger's unwinder through dlsym itself" {
	# The wrapper's own frame: the alias of a function that asks is called amid it.
	readelf --debug-dump=frames "$BUILD/libshmguard.so" >frames
	address=$(nm "$BUILD/libshmguard.so" | sed -n 's/^0*\([0-9a-f]*\) T dlsym$/\1/p')
	[ -n "$address" ]
	grep -q "pc=0*$address\.\." frames
}
