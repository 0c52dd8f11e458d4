#!/usr/bin/env bats
# More programs that are hard on whatever else is in their process: those that confine themselves, load code in strange ways
# or leave us no memory. Recorded as bare.

load helpers
load unchanged
load scarce
load machine
bats_require_minimum_version 1.5.0

# confined HOW MAPS: it lives; its MAPS mappings of before are recorded, and the loss of the others is reported.
confined()
{
	unchanged "$PROGRAMS/hostile_confined" "$1"
	holds --argjson maps "$2" '
		(.objects[0].maps // 0) == $maps and ([.processes[] | select(.exe | endswith("hostile_confined"))] | length >= 1) and
		([.unseen[] | select(.reason | startswith("it has a filter of system calls that does not let pass "))] | length == 1)'
	rm -rf recording
}

@test "a filter of system calls that kills: the program lives, and what is lost is told" {
	confined filter 1
	confined early 0
	confined strict 1
}

@test "such a filter for every thread" {
	unchanged "$PROGRAMS/hostile_confined" all
	holds '(.unseen | length == 1) and .objects[0].maps > 0'
}

@test "such a filter, and children and programs that come after it" {
	unchanged "$PROGRAMS/hostile_confined" children
	holds '([.unseen[] | select(.reason | startswith("it has a filter"))] | length == 1) and .objects[0].maps == 1'
}

@test "a filter that kills for what LTTng calls as it comes up: the program lives, and so does what it executes" {
	local name
	for name in socket connect clone3 rseq sched_getaffinity clock_nanosleep get_mempolicy getegid pipe2 set_mempolicy \
		setsockopt; do
		unchanged "$PROGRAMS/hostile_killed" "$name" early
		same recorded <(printf '%s\n' "$name: 0" "status 0")
		holds --arg name "$name" '[.unseen[].reason] == ["it has a filter of system calls that does not let pass " + $name]'
		rm -rf recording
		# What the C library itself calls at the start of a program kills that bare.
		[ "$name" != rseq ] || continue
		unchanged "$PROGRAMS/hostile_killed" "$name" late
		same recorded <(printf '%s\n' "$name: 0" "again: 0" "status 0")
		holds '[.objects[] | .maps] == [1, 1] and (.unseen | length == 1)'
		rm -rf recording
	done
}

@test "a filter that refuses what a recording can do without costs nothing" {
	local name
	for name in get_mempolicy getcwd getegid mincore pipe2 set_mempolicy setsockopt; do
		unchanged "$PROGRAMS/hostile_killed" "$name" refused
		same recorded <(printf '%s\n' "$name: 0" "status 0")
		holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 1'
		rm -rf recording
	done
}

@test "a filter that kills for what a process, or an exec from the working directory, is told with: the program lives" {
	local name
	cp "$PROGRAMS/hostile_killed" .
	for name in getcwd getgid mincore; do
		unchanged ./hostile_killed "$name" late
		holds --arg name "$name" '[.unseen[].reason] == ["it has a filter of system calls that does not let pass " + $name]'
		rm -rf recording
	done
}

@test "a filter that kills for what a recording asks first: the shells that system and popen start live" {
	local name how
	for name in getdents64 fstat statfs fstatfs clock_gettime readlinkat rt_sigpending; do
		for how in f t; do
			forbidden "$name" "$how" "[\"it has a filter of system calls that does not let pass $name\"]"
		done
	done
}

# number NAME: of that system call.
number()
{
	printf '#include <sys/syscall.h>\nSYS_%s\n' "$1" | cpp -P | tail -n 1
}

# forbidden NAME HOW REASON: it lives, with all that it starts, under a filter that kills for the system call of that name.
# REASON: what is told of it, in JSON, a reason for each process.
forbidden()
{
	unchanged "$PROGRAMS/hostile_forbidden" "$(number "$1")" "$2"
	holds --argjson reasons "$3" '.trace.lost == 0 and ([.unseen[].reason] == $reasons)'
	rm -rf recording
}

@test "a filter that kills for what a recording can do without: with a thread or without, it and its children are recorded" {
	local name how
	for name in dup3 getxattr; do
		for how in f t fta; do
			forbidden "$name" "$how" '[]'
		done
	done
}

@test "a filter that kills for what is asked after a vfork: the program ends as bare" {
	unchanged "$PROGRAMS/hostile_forbidden" "$(number getpid)" f
	holds '[.unseen[].reason] == ["it has a filter of system calls that does not let pass getpid"]'
}

@test "a filter that kills for what libunwind asks of memory: the program lives, and what is lost is told" {
	local how
	for how in f t ft; do
		forbidden mincore "$how" '["it has a filter of system calls that does not let pass mincore"]'
	done
}

@test "a filter that a program comes to by an exec, and kills for what is asked with threads alone, kills nobody" {
	local name
	for name in clone close_range sched_yield tgkill; do
		unchanged "$PROGRAMS/hostile_killed" "$name" threads
		same recorded <(printf '%s\n' "again: 0" "status 0")
		holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 1'
		rm -rf recording
		LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=safe "$PROGRAMS/hostile_killed" "$name" threads
	done
}

@test "a filter that lets all of our calls pass costs nothing" {
	unchanged "$PROGRAMS/hostile_confined" wide
	holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 201'
}

@test "a policy stays in force under a filter that lets its calls pass" {
	printf '[default]\nmode = enforce\nname-not-allowed = deny\nnames = /nothing\n' >policy
	chmod 600 policy
	SHMGUARD_POLICY=$PWD/policy LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/hostile_confined" wide
}

@test "a filter that answers a fork with SIGSYS: the program's handler takes it, as bare" {
	unchanged "$PROGRAMS/hostile_trapped" fork
	same recorded <(printf '%s\n' "forked: 0, errno 1, trapped 1" "forked: 0, errno 1, trapped 2" "went on" "status 0")
	holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 5'
	rm -rf recording
	unchanged "$PROGRAMS/hostile_trapped" other
	holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 7'
	run -159 "$SHMGUARD" run --quiet --report=none -o blocked -- "$PROGRAMS/hostile_trapped" blocked
}

@test "a filter that answers what sets SIGBUS's disposition with SIGSYS, recorded and under a policy" {
	unchanged "$PROGRAMS/hostile_trapped" disposition
	holds '[.unseen[].reason] == ["it has a filter of system calls that does not let pass rt_sigaction"]'
	LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=safe "$PROGRAMS/hostile_trapped" disposition
}

@test "names that cannot be read, where flags or a filter refuse the call before the kernel reads them: as bare" {
	local how error
	for how in plain:EINVAL filtered:EPERM; do
		error=${how#*:}
		rm -rf recording /dev/shm/hostile-unreadable
		unchanged "$PROGRAMS/hostile_unreadable" "${how%:*}"
		holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 1'
		"$SHMGUARD" log recording >calls.txt
		# Those whose names can be read are recorded as ever.
		[ "$(grep -c "renameat2(.*\"/dev/shm/hostile-unreadable-other\".* = -1 $error" calls.txt)" -eq 2 ]
		[ "$(grep -c "renameat2(" calls.txt)" -eq 2 ]
		[ "$(grep -c "open(\"/dev/shm/hostile-unreadable\", .*O_TMPFILE.* = -1 EINVAL" calls.txt)" -eq 1 ]
		[ "$(grep -c "memfd_create(\"hostile\", 0x8000) = -1 $error" calls.txt)" -eq 1 ]
		SHMGUARD_PROFILE=safe LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/hostile_unreadable" "${how%:*}" 3>&- >guarded
	done
}

@test "a SIGABRT that the program has blocked stays pending through its calls" {
	unchanged "$PROGRAMS/hostile_trapped" pending
	holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 1'
}

@test "unshare and setns are not refused because of LTTng's threads" {
	needs_root "to enter a mount namespace"
	unchanged "$PROGRAMS/hostile_confined" user
	holds '.unseen == [] and .trace.lost == 0 and .trace.complete and
		([.objects[].maps] | sort) == [1, 200, 201]'
	rm -rf recording
	unchanged "$PROGRAMS/hostile_confined" mount
	holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 201'
}

# plugins <CODE: makes ./host of it, and ./one.so and ./two.so, which differ in the name of their function alone.
plugins()
{
	local name
	for name in one two; do
		cat >plugin.c <<-END_OF_PLUGIN
			#include <sys/mman.h>
			int $name(int fd)
			{
				void *map = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
				return map == MAP_FAILED || munmap(map, 4096);
			}
		END_OF_PLUGIN
		gcc -g -O1 -shared -fPIC plugin.c -o $name.so
	done
	{
		printf '#include <dlfcn.h>\n#include <link.h>\n#include "hostile.h"\n'
		cat
	} >host.c
	gcc -w -g -D_GNU_SOURCE -I"$ROOT/tests/programs" host.c -o host
}

@test "libraries that are loaded in turn at one address: each call's stack has its own" {
	plugins <<-'END'
		int main(void)
		{
			int fd = object(), there = 0;
			void *first = NULL;
			use(fd);
			for (int i = 0; i < 20; i++) {
				Dl_info info;
				void *plugin = dlopen(i % 2 ? "./one.so" : "./two.so", RTLD_NOW);
				int (*work)(int) = dlsym(plugin, i % 2 ? "one" : "two");
				must(dladdr(work, &info) != 0 && work(fd) == 0 && work(fd) == 0, "work");
				first = first ? first : work;
				there += first == (void *)work;
				dlclose(plugin);
			}
			printf("at one address: %d\n", there >= 10);
			return 0;
		}
	END
	unchanged ./host
	same recorded <(printf '%s\n' "at one address: 1" "status 0")
	"$SHMGUARD" log --stacks recording >calls.txt
	[ "$(grep -A 1 ' mmap(' calls.txt | grep -c '> one (')" -eq 20 ]
	[ "$(grep -A 1 ' mmap(' calls.txt | grep -c '> two (')" -eq 20 ]
}

# What a namespace of the loader's own calls is its own C library's, which nobody intercepts.
@test "dlmopen and RTLD_DEEPBIND" {
	plugins <<-'END'
		int main(void)
		{
			int fd = object(), (*work)(int);
			for (int i = 0; i < 3; i++) {
				use(fd);
				void *apart = dlmopen(LM_ID_NEWLM, "./one.so", RTLD_NOW);
				must(apart != NULL, dlerror());
				work = dlsym(apart, "one");
				must(work(fd) == 0 && dlclose(apart) == 0, "dlmopen");
				void *deep = dlopen("./two.so", RTLD_NOW | RTLD_DEEPBIND);
				work = dlsym(deep, "two");
				must(work(fd) == 0 && dlclose(deep) == 0, "RTLD_DEEPBIND");
			}
			puts("went on");
			return 0;
		}
	END
	unchanged ./host
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and .objects[0].maps >= 3'
}

@test "memory, files and libraries that we do not get: the program always goes on" {
	scarce_sweep 9
}

@test "the session daemon, or the consumer daemon, is killed meanwhile" {
	needs_root "a machine of its own"
	rm -f /dev/shm/hostile-usual
	"$PROGRAMS/hostile_usual" >bare
	in_machine "daemon_is KILL sessiond"
	in_machine "daemon_is KILL consumerd"
	holds ".trace.problems | any(contains(\"consumer daemon has ended\"))"
}

@test "the tracing session is stopped and started again by someone else" {
	# LTTng tells who has signed in with it, not their children by fork, who go on.
	cat >loop.py <<-'END'
		import mmap, os, time
		fd = os.memfd_create("loop")
		os.ftruncate(fd, 4096)
		for number in range(30):
		    mmap.mmap(fd, 4096).close()
		    time.sleep(0.1)
	END
	# shellcheck disable=SC2016
	"$SHMGUARD" run --quiet --report=none -o recording -- bash -c '
		session=$(lttng --no-sessiond list | grep -o "shmguard[^ ]*" | head -n 1)
		"$PROGRAMS/rate" 1000 3 2 >rate & /usr/bin/python3 loop.py & sleep 0.5
		lttng --no-sessiond stop "$session" && sleep 0.5
		"$PROGRAMS/hostile_usual" >got && lttng --no-sessiond start "$session"
		"$PROGRAMS/hostile_usual" >again; wait $!' >messages 2>&1
	rm -f /dev/shm/hostile-usual
	rm -f /dev/shm/hostile-usual
	"$PROGRAMS/hostile_usual" >bare
	same bare got
	same bare again
	report recording >report.json
	holds '.trace.lost > 0 and (.trace.complete | not) and
		([.processes[] | select(.exe | endswith("/rate")) | select(.started_by == "fork") | [.events > 1500, .lost]] ==
			[[true, 0], [true, 0]])'
}

@test "who is forked while someone else has the tracing session stopped is told of, with that as the reason" {
	cat >forks.py <<-'END'
		import os, time
		os.memfd_create("early")
		open("ready", "w").close()
		while not os.path.exists("stopped"):
		    time.sleep(0.02)
		child = os.fork()
		if child == 0:
		    os.memfd_create("late")
		    os._exit(0)
		os.waitpid(child, 0)
		print(child)
	END
	# shellcheck disable=SC2016
	"$SHMGUARD" run --quiet --report=none -o recording -- bash -c '
		session=$(lttng --no-sessiond list | grep -o "shmguard[^ ]*" | head -n 1)
		/usr/bin/python3 forks.py >child & until [ -e ready ]; do sleep 0.05; done
		lttng --no-sessiond stop "$session" && touch stopped
		wait $!; lttng --no-sessiond start "$session"' >messages 2>&1
	report recording >report.json
	holds --argjson child "$(cat child)" '[.unseen[] | select(.pid == $child) | .reason] ==
		["LTTng'"'"'s session was stopped when it was forked (lttng stop), or its daemon was gone"]'
}
