#!/usr/bin/env bats
# What a finding is known by from one recording to the next.

bats_require_minimum_version 1.5.0

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# prints RECORDING: rules and fingerprints of the findings.
prints()
{
	"$SHMGUARD" report --format=json "$1" | jq -r '.findings[] | .rule + " " + .fingerprint' | sort
}

# mappers: ./mappers OBJECT ORDER..., three who map it at one time, one after another in this order; the first two remove it.
mappers()
{
	cat >mappers.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static const char *name;
		static int fd, turn[4][2], home[2];
		static void maps(size_t pages) { *(char *)mmap(0, pages << 12, 3, MAP_SHARED, fd, 0) = 1; }
		__attribute__((noinline)) void alpha(void) { maps(1); __asm__(""); }
		__attribute__((noinline)) void beta(void) { maps(2); __asm__(""); }
		__attribute__((noinline)) void gamma_(void) { maps(3); __asm__(""); }
		__attribute__((noinline)) void zero_removes(void) { shm_unlink(name); __asm__(""); }
		__attribute__((noinline)) void one_removes(void) { shm_unlink(name); __asm__(""); }
		int main(int argc, char **argv)
		{
			static void (*const work[])(void) = {alpha, beta, gamma_};
			char byte;
			name = argv[1];
			fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			if (posix_fallocate(fd, 0, 16 << 12) || pipe(home))
				return 1;
			for (int i = 0; i < 3; i++) {
				int number = atoi(argv[2 + i]);
				if (pipe(turn[i]))
					return 1;
				if (fork() == 0) {
					work[number]();
					write(home[1], "", 1);
					read(turn[i][0], &byte, 1);
					if (number < 2)
						(number ? one_removes : zero_removes)();
					write(home[1], "", 1);
					read(turn[i][0], &byte, 1);
					_exit(0);
				}
				read(home[0], &byte, 1);
			}
			for (int i = 0; i < 3; i++) {
				write(turn[i][1], "", 1);
				read(home[0], &byte, 1);
			}
			for (int i = 0; i < 3; i++) {
				write(turn[2 - i][1], "", 1);
				wait(0);
			}
			return 0;
		}
	END
	gcc -g -O1 -w mappers.c -o mappers
}

@test "of two equal parties it does not matter which comes first: not for fingerprints, suppressions or what is told" {
	local order rule
	mappers
	for order in "0 1 2" "0 2 1" "1 0 2" "1 2 0" "2 0 1" "2 1 0"; do
		# shellcheck disable=SC2086
		record recording ./mappers "/mappers-$$" $order
		report recording >"report$order.json"
		jq -r '.findings[] | .rule + " " + .fingerprint' "report$order.json" | sort >"prints$order"
		jq -r '.findings[] | select(.rule == "size-disagreement" or .rule == "unsynchronised-sharing") | .rule,
			(.message | gsub("pid [0-9]+"; "pid")), (.stacks[] | .role, (.frames[] | .function))' \
			"report$order.json" >"told$order"
		"$SHMGUARD" report --gen-suppressions recording | grep -E '^(size|unsync|double)' | sort >"lines$order"
		mv recording "recording$order"
		grep -q size-disagreement "prints$order"
		grep -q unsynchronised-sharing "prints$order"
		grep -q double-unlink "prints$order"
		same "prints0 1 2" "prints$order"
		same "told0 1 2" "told$order"
		same "lines0 1 2" "lines$order"
		for rule in size-disagreement unsynchronised-sharing double-unlink; do
			"$SHMGUARD" report --rule=$rule --suppress="lines0 1 2" --fail-on=note "recording$order" >left
		done
	done
	run -0 "$SHMGUARD" diff --fail-on=note "recording0 1 2" "recording2 1 0"
	jq -e '[.findings[] | select(.rule == "size-disagreement") | .stacks[].frames[1].function] |
		map(select(. == "alpha" or . == "gamma_")) == ["alpha", "gamma_"]' "report2 0 1.json"
}

@test "two pairs of equal parties are two findings" {
	cat >pairs.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		__attribute__((noinline)) void *shorter(int fd) { void *a = mmap(0, 4096, 3, MAP_SHARED, fd, 0); __asm__(""); return a; }
		__attribute__((noinline)) void *longer(int fd) { void *a = mmap(0, 8192, 3, MAP_SHARED, fd, 0); __asm__(""); return a; }
		__attribute__((noinline)) void *longest(int fd) { void *a = mmap(0, 12288, 3, MAP_SHARED, fd, 0); __asm__(""); return a; }
		int main(int argc, char **argv)
		{
			char name[64];
			for (int i = 0; i < 2; i++) {
				int fd;
				sprintf(name, "%s-%d", argv[1], i);
				fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
				if (posix_fallocate(fd, 0, 16384))
					return 1;
				shorter(fd);
				if (fork() == 0) {
					(i ? longer : longest)(fd);
					_exit(0);
				}
				wait(0);
				shm_unlink(name);
			}
			return 0;
		}
	END
	gcc -g -O1 -w pairs.c -o pairs
	record recording ./pairs "/pairs-$$"
	report recording >report.json
	holds '[.findings[] | select(.rule == "size-disagreement") | .count] == [1, 1]'
	holds '[.findings[] | select(.rule == "size-disagreement") | .fingerprint] | unique | length == 2'
}

@test "a separate debug file that one machine has changes no fingerprint; a file's own symbols are names as ever" {
	cat >library.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static inline __attribute__((always_inline)) int sized(int fd) { int r = ftruncate(fd, 4096); __asm__(""); return r; }
		static __attribute__((noinline)) int inner(const char *name)
		{
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0666);
			return sized(fd) ? -1 : fd;
		}
		int outer(const char *name) { int fd = inner(name); __asm__(""); return fd; }
	END
	echo 'int outer(const char *); int main(int c, char **v) { return outer(v[1]) < 0; }' >program.c
	gcc -g -O1 -shared -fPIC library.c -o libwhole.so
	mkdir lib lib/.debug
	objcopy --only-keep-debug libwhole.so lib/.debug/library.debug
	strip --strip-unneeded libwhole.so -o lib/library.so
	(cd lib/.debug && objcopy --add-gnu-debuglink=library.debug ../library.so)
	gcc -g -w program.c lib/library.so -Wl,-rpath,'$ORIGIN/lib' -o program
	record with env LD_LIBRARY_PATH=lib ./program "/debug-$$"
	rm -f "/dev/shm/debug-$$"
	mv lib/.debug away
	record without env LD_LIBRARY_PATH=lib ./program "/debug-$$"
	rm -f "/dev/shm/debug-$$"
	"$SHMGUARD" report --verbose with | grep -q 'inner (library.c:'
	run -1 grep -q 'inner (library.c:' <("$SHMGUARD" report --verbose without)
	prints with >prints.with
	prints without >prints.without
	grep -q segment-leak prints.with
	same prints.with prints.without
	run -0 "$SHMGUARD" diff --fail-on=note with without
	cp libwhole.so lib/library.so
	record whole env LD_LIBRARY_PATH=lib ./program "/debug-$$"
	rm -f "/dev/shm/debug-$$"
	prints whole >prints.whole
	run -1 cmp -s prints.with prints.whole
}
