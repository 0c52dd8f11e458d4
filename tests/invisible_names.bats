#!/usr/bin/env bats
# Programs whose functions, or libraries, have the names of those that a recording needs: recorded as bare, and theirs is
# never called by us.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

# What the libraries of a recording call in libc, but for what no program has for something else.
called_names()
{
	{
		ldd "$BUILD/libshmguard-tracepoints.so" | awk '/liblttng|libnuma/ { print $3 }'
		ldconfig -p | awk '/ (libunwind\.so\.8|liblzma\.so\.5) .*x86-64/ { print $NF }'
		printf '%s\n' "$BUILD/libshmguard-tracepoints.so"
	} | xargs nm -D --undefined-only | sed -n 's/^ *U \([a-z][a-z0-9_]*\)@GLIBC.*/\1/p' | sort -u |
		grep -vxE 'mem[a-z]*|str[a-z_]*|stp[a-z]*|[mc]alloc|realloc|free|stderr|exit|abort|shm_open|ftruncate|mmap|dl_iterate_phdr'
}

# ./program.c: the functions of stdin, and a main() that makes an object and prints how often they were called.
program()
{
	cat >functions.c
	cat functions.c - >program.c <<-'END'
		int printf(const char *, ...), shm_open(const char *, int, int), shm_unlink(const char *), ftruncate(int, long);
		void *mmap(void *, long, int, int, int, long);
		extern int calls;
		int main(void)
		{
			int fd = shm_open("/hostile-names", 0102, 0600), sized = ftruncate(fd, 4096);
			void *map = mmap(0, 4096, 3, 1, fd, 0);
			shm_unlink("/hostile-names");
			printf("%d %d %d, %d calls\n", fd, sized, map != (void *)-1, calls);
			return 0;
		}
	END
}

whole='.trace.lost == 0 and .trace.complete and .unseen == [] and (.objects | length == 1) and .objects[0].maps == 1'

# A program that has a function by each of ./names runs as bare, and none of them is called, recorded, under a profile or under
# a policy of a file.
not_called()
{
	local policy
	{
		echo "int calls;"
		sed 's/.*/long &(void) { calls++; return -77; }/' names
	} | program
	gcc -w -fno-builtin program.c -o own
	unchanged ./own
	[ "$(head -n 1 recorded)" = "3 0 1, 0 calls" ]
	holds "$whole"
	"$SHMGUARD" log --stacks recording | grep -q "main"
	rm -rf recording
	printf '[default]\nmode = enforce\n' >policy.ini
	for policy in PROFILE=safe POLICY="$PWD/policy.ini"; do
		env "SHMGUARD_$policy" LD_PRELOAD="$BUILD/libshmguard.so" ./own 3>&- >guarded
		[ "$(cat guarded)" = "3 0 1, 0 calls" ]
	done
}

@test "functions of the program's named as those that a recording calls" {
	called_names >names
	[ "$(wc -l <names)" -gt 90 ]
	grep -qx connect names
	grep -qx sigfillset names
	not_called
}

# What we call, but for what an allocator and compilers are free to take from the program, and what no program may define.
own_names()
{
	nm -D --undefined-only "$BUILD/libshmguard.so" | sed -n 's/^ *U \([a-z][a-z0-9_]*\)@GLIBC.*/\1/p' |
		grep -vxE 'memcpy|memmove|memset|malloc|realloc|free|environ|dl_iterate_phdr'
	printf '%s\n' open openat close read stat lstat fstat fstatat readlink getxattr geteuid getegid getauxval getenv \
		secure_getenv get_nprocs_conf dladdr1 strerrorname_np memchr memmem mempcpy stpcpy stpncpy \
		strcat strchr strcmp strcpy strcspn strlen strncat strncmp strncpy strnlen strpbrk strrchr strspn strstr strtol strtoul
}

@test "functions of the program's named as those that the preload itself calls" {
	own_names | sort -u >names
	grep -qx strchr names
	grep -qx read names
	not_called
	# A function that traps is not called either.
	sed -i 's/ calls++; return -77; /__builtin_trap(); /' program.c
	gcc -w -fno-builtin program.c -o own
	unchanged ./own
	holds "$whole"
}

# Of those that we wrap, it stands between us and libc, as an interposer does.
@test "functions of a library of the program's named as those that a recording calls" {
	{
		echo "int calls;"
		called_names | grep -vxE 'dlopen|pipe2|pthread_mutex_init|syscall' | sed 's/.*/long &(void) { calls++; return -77; }/'
	} >library.c
	gcc -w -fno-builtin -shared -fPIC library.c -o library.so
	program </dev/null
	gcc -w program.c ./library.so -o linked
	unchanged ./linked
	[ "$(head -n 1 recorded)" = "3 0 1, 0 calls" ]
	holds "$whole"
}

# What libc allocates for LTTng (strdup) is this one's: to free it in libc, or the other way round, ends the process.
@test "an allocator of the program's, which is used by all" {
	program <<-'END'
		typedef unsigned long size_t;
		int calls;
		void *memcpy(void *, const void *, size_t);
		void abort(void);
		static char memory[64 << 20] __attribute__((aligned(64)));
		static size_t used;
		void *malloc(size_t size)
		{
			size_t need = (size + 127) & ~(size_t)63, at = __atomic_fetch_add(&used, need, __ATOMIC_SEQ_CST);
			if (at + need > sizeof memory)
				return 0;
			*(size_t *)(memory + at) = size;
			return memory + at + 64;
		}
		void free(void *old)
		{
			if (old && ((char *)old < memory || (char *)old >= memory + sizeof memory))
				abort();
		}
		void *calloc(size_t count, size_t size)
		{
			return malloc(count * size);
		}
		void *realloc(void *old, size_t size)
		{
			void *made = malloc(size);
			free(old);
			if (old && made)
				memcpy(made, old, ((size_t *)old)[-8] < size ? ((size_t *)old)[-8] : size);
			return made;
		}
		int connect(void) { return ++calls; }
	END
	gcc -w -fno-builtin program.c -o allocates
	unchanged ./allocates
	[ "$(head -n 1 recorded)" = "3 0 1, 0 calls" ]
	holds "$whole"
}

# Its getenv, setenv and others do what libc's do.
@test "a shell whose functions stand for libc's" {
	nm -D --defined-only /bin/bash | grep -q ' getenv$'
	# shellcheck disable=SC2016
	unchanged bash -c 'export A=1; echo text >/dev/shm/hostile-shell; read -r back </dev/shm/hostile-shell; echo "$back $A"'
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and [.objects[].names[]] == ["/hostile-shell"]'
}

@test "a program that has Landlock keep it from every library before its first call is told of with the cause" {
	cat >landlocked.c <<-'END'
		#include <fcntl.h>
		#include <linux/landlock.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/prctl.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(void)
		{
			struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};
			int set = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
			if (set < 0)
				return 77;
			struct landlock_path_beneath_attr shm = {LANDLOCK_ACCESS_FS_READ_FILE, open("/dev/shm", O_PATH)};
			syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &shm, 0);
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			int kept = syscall(SYS_landlock_restrict_self, set, 0);
			close(set);
			close(shm.parent_fd);
			int fd = shm_open("/hostile-landlock", O_CREAT | O_RDWR, 0600);
			printf("%d %d %d\n", kept, fd, shm_unlink("/hostile-landlock"));
			return 0;
		}
	END
	gcc -w -D_GNU_SOURCE landlocked.c -o landlocked
	./landlocked >/dev/null || [ $? -ne 77 ] || skip "this kernel has no Landlock"
	unchanged ./landlocked
	holds '[.unseen[].reason] ==
		["its sandbox (Landlock, or another security module) lets it open no library of LTTng'"'"'s"]'
}

@test "libraries in the program's LD_LIBRARY_PATH named as some that run, and a recording, need" {
	local name
	mkdir libraries
	echo 'int nothing;' >library.c
	for name in liblzma.so.5 liblttng-ust.so.1 liblttng-ctl.so.0 libbabeltrace2.so.0; do
		gcc -shared -fPIC -Wl,-soname,$name library.c -o libraries/$name
	done
	program <<<"int calls;"
	gcc -w program.c -o plain
	export LD_LIBRARY_PATH=$PWD/libraries
	unchanged ./plain
	holds "$whole"
}

@test "an object of the program's named as one that LTTng-UST makes" {
	cat >waits.py <<-'END'
		import ctypes, mmap, os, sys
		from _posixshmem import shm_open, shm_unlink
		if len(sys.argv) > 1:
		    ctypes.CDLL("liblttng-ust.so.1")
		for name in "/lttng-ust-wait-mine", "/lttng-ust-wait-99":
		    fd = shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		    os.ftruncate(fd, 65536)
		    held = mmap.mmap(fd, 65536)
		    held[5] = 7
		    again = shm_open(name, os.O_RDWR, 0)
		    print(fd, again, os.path.exists("/dev/shm" + name), os.pread(again, 1, 5))
		    os.close(fd)
		    os.close(again)
		    shm_unlink(name)
	END
	for how in "" later; do
		unchanged "$PYTHON" waits.py $how
		holds '.trace.lost == 0 and [.objects[].names[0]] == ["/lttng-ust-wait-mine", "/lttng-ust-wait-99"]'
		rm -rf recording
	done
}
