#!/usr/bin/env bats
# Programs whose limits, or what they have taken of what a process has, leave too little for LTTng: they go on as bare, and why
# they are not recorded is told.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

# too_little LIMIT REASON: with `ulimit LIMIT` the program runs as bare, and at once; why it is not recorded is told.
too_little()
{
	local began=$SECONDS
	unchanged sh -c "ulimit $1; exec \"\$0\" plain" "$PROGRAMS/hostile_processes"
	[ $((SECONDS - began)) -lt 20 ]
	holds --arg reason "its limit of $2" '.trace.lost == 0 and ([.unseen[] | .reason | startswith($reason)] == [true])'
}

@test "a limit of 8, 12 and 16 descriptors: not recorded, without a wait, which is told" {
	for limit in 8 12 16; do
		rm -rf recording
		too_little "-n $limit" "open files (RLIMIT_NOFILE)"
	done
}

@test "a limit of 60,000, 180,000 and 200,000 KiB of address space: not recorded, without a wait, which is told" {
	for limit in 60000 180000 200000; do
		rm -rf recording
		too_little "-v $limit" "address space (RLIMIT_AS)"
	done
}

@test "a limit of 600, 1,500 and 20,000 KiB of data: not recorded, without a wait, which is told" {
	for limit in 600 1500 20000; do
		rm -rf recording
		too_little "-d $limit" "data (RLIMIT_DATA)"
	done
}

@test "a limit of 1 and 2 processes: not recorded, without a wait, which is told; of 3 it is" {
	local threads
	needs_root "a user without other processes"
	make_nobody_build
	chmod 755 "$NOBODY_HOME"
	for threads in 1 2 3; do
		local began=$SECONDS
		rm -rf recording
		SHMGUARD=$NOBODY_BUILD/shmguard unchanged setpriv --reuid=$((77000 + threads)) --regid=65534 --clear-groups \
			prlimit --nproc="$threads" "$NOBODY_BUILD/tests/programs/hostile_processes" plain
		[ $((SECONDS - began)) -lt 20 ]
		[ "$threads" -eq 3 ] || holds '.trace.lost == 0 and ([.unseen[] | .reason | startswith("its limit of processes")] == [true])'
	done
	holds '.trace.lost == 0 and .unseen == [] and (.objects | length) == 1'
	remove_nobody_build
}

# few_keys LEFT: a program that has made all keys of pthread_key_create but so many, and looks at all that its threads find.
few_keys()
{
	cat >keys.c <<-'END'
		#include <limits.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static pthread_key_t keys[PTHREAD_KEYS_MAX];
		static int made;
		static void *work(void *begins)
		{
			int fd = memfd_create("keys", 0), found = 0;
			ftruncate(fd, 4096);
			munmap(mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096);
			for (int i = 0; i < made; i++)
				found += pthread_getspecific(keys[i]) != 0;
			/* One that had none before: the first of all, which the program has not made itself. */
			if (!begins)
				found += pthread_getspecific(0) != 0;
			printf("%d found\n", found);
			return 0;
		}
		int main(int argc, char **argv)
		{
			pthread_t thread;
			while (pthread_key_create(&keys[made], 0) == 0)
				made++;
			for (int i = 0; i < atoi(argv[1]); i++)
				pthread_key_delete(keys[--made]);
			work(argv);
			pthread_create(&thread, 0, work, 0);
			pthread_join(thread, 0);
			return 0;
		}
	END
	gcc -w -g -D_GNU_SOURCE keys.c -o keys
	unchanged ./keys "$1"
}

@test "no, one and two keys of threads' data left: not recorded, which is told; with three it is" {
	local left
	for left in 0 1 2 3; do
		rm -rf recording
		few_keys "$left"
		[ "$left" -eq 3 ] || holds '.trace.lost == 0 and ([.unseen[] | .reason | startswith("it has made so many keys")] == [true])'
	done
	holds '.trace.lost == 0 and .unseen == [] and (.objects | length) == 2'
}

@test "a malloc(3) of the program's that gives nothing at its first call: not recorded, which is told" {
	cat >allocator.c <<-'END'
		#include <errno.h>
		#include <stddef.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static char arena[16 << 20] __attribute__((aligned(16)));
		static size_t used;
		static int fails;
		void *malloc(size_t bytes)
		{
			if (fails)
				return errno = ENOMEM, NULL;
			return arena + __atomic_fetch_add(&used, (bytes + 15) & ~15ul, __ATOMIC_RELAXED);
		}
		void free(void *block) {}
		void *calloc(size_t count, size_t bytes) { return malloc(count * bytes); }
		void *realloc(void *block, size_t bytes)
		{
			void *new = malloc(bytes);
			return new && block ? memcpy(new, block, bytes) : new;
		}
		int main(void)
		{
			fails = 1;
			int fd = memfd_create("allocator", 0);
			if (ftruncate(fd, 4096) == 0 && mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED)
				write(1, "went on\n", 8);
			return 0;
		}
	END
	gcc -w -fno-builtin -D_GNU_SOURCE allocator.c -o allocator
	unchanged ./allocator
	holds '.trace.lost == 0 and ([.unseen[] | .reason | startswith("its malloc(3)")] == [true])'
}
