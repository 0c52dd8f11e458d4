#!/usr/bin/env bats
# A process whose first thread has ended while another goes on, of which /proc/PID has neither mappings nor descriptors.

bats_require_minimum_version 1.5.0

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >goes_on.c <<-'END'
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void *go_on(void *file)
		{
			while (access(file, F_OK) == 0)
				usleep(20000);
			exit(0);
		}
		int main(int argc, char **argv)
		{
			int fd = shm_open("/goes-on", O_CREAT | O_RDWR, 0600);
			pthread_t thread;
			if (argc != 2 || ftruncate(fd, 8192) || mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
				return 1;
			pthread_create(&thread, NULL, go_on, argv[1]);
			pthread_exit(NULL);
		}
	END
	cc -pthread -o goes_on goes_on.c
	touch there
}

teardown()
{
	rm -f there /dev/shm/goes-on
}

# ended PID: waits until its first thread has.
ended()
{
	for _ in {1..100}; do
		grep -q '^State:	Z' "/proc/$1/status" && return
		sleep 0.05
	done
	false
}

@test "whether it is guarded, and by what, is told" {
	LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=safe ./goes_on there 3>&- &
	ended $!
	run -0 "$SHMGUARD" status $!
	[[ $output == *"process  $! $PWD/goes_on"*"guarded  by $BUILD/libshmguard.so"*"profile  safe"*"since "* ]]
	rm there
	wait $!
	run -3 "$SHMGUARD" status $!
}

@test "ls shows what it maps and has open" {
	./goes_on there 3>&- &
	ended $!
	"$SHMGUARD" ls --json /goes-on >ls.json
	jq -e --argjson pid $! '.objects | length == 1 and .[0].state != "ghost" and any(.[0].holders[]; .pid == $pid)' ls.json
	rm there
	wait $!
	"$SHMGUARD" ls --json /goes-on >ls.json
	jq -e '.objects | length == 1 and .[0].holders == []' ls.json
}

@test "what it holds when the recording stops is not leaked" {
	# makes RECORDING: an object, whose program waits for ./attached.
	makes()
	{
		# shellcheck disable=SC2016 # the inner shell's own
		record "$1" sh -c '"$0" -c "import os, _posixshmem
os.close(_posixshmem.shm_open(\"/goes-on\", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))"
touch made; until [ -e attached ]; do sleep 0.05; done' "$PYTHON"
	}
	local recorder
	makes held 3>&- &
	recorder=$!
	until [ -e made ]; do sleep 0.05; done
	./goes_on there 3>&- &
	ended $!
	touch attached
	wait $recorder
	report held >report.json
	holds '[.findings[] | select(.rule == "segment-leak")] == [] and (.objects | length == 1 and .[0].leaked == false)'
	rm there
	wait $!
	rm /dev/shm/goes-on
	makes left
	report left >report.json
	holds '[.findings[] | select(.rule == "segment-leak")] | length == 1'
}
