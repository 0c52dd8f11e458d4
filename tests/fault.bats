#!/usr/bin/env bats
# A SIGBUS is explained in the trace, and the program does what it does without us: the same output, the same end.

load helpers
load fault
bats_require_minimum_version 1.5.0

setup_file()
{
	local use
	cd "$BATS_FILE_TMPDIR" || return 1
	sed -n 's/^\tunchanged //p' "$BATS_TEST_FILENAME" | while read -r use; do
		echo "$use $(program_of "$use") $use"
	done >uses
	one_after_another bare
	record_uses
}

unchanged() # USE: recorded as bare
{
	cp "$BATS_FILE_TMPDIR/$1.bare" bare
	[ "$(wc -l <bare)" -ge 1 ]
	recorded_together "$1"
	same bare recorded
}

# The notes of faults: cause, offset, size, survived, name.
fault_notes()
{
	"$PYTHON" - "$1" <<-'END'
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		at = 0
		while at < len(data):
		    magic, size, kind = struct.unpack_from("<IHH", data, at)
		    assert magic == 0x31474e53
		    if kind == 9:
		        rule, severity, offset, length, room, limit, dev, ino, other, survived, access = \
		            struct.unpack_from("<IIqQQQQQiHH", data, at + 56)
		        texts = data[at + 128:at + size].split(b"\0")
		        print(rule, severity, offset, length, room, survived, access, texts[0].decode(), texts[1].decode())
		    at += size
	END
}

# The innermost frames of the only fault's stack, as function names.
fault_stack()
{
	local id frames
	id=$(sed 's/.*, stack = \([0-9]*\),.*/\1/' faults)
	frames=$(sed -n "s/.*stack_definition: .* id = $id, .*frames = \[\(.*\)\] }/\1/p" events)
	base=$(sed -n 's/.*shmguard:module: .* base = \(0x[0-9A-F]*\),.*programs\/sigbus" }/\1/p' events)
	sed 's/\[[0-9]*\] = //g; s/, /\n/g' <<<"$frames" | while read -r frame; do
		[ "$((frame - base))" -lt 0 ] || [ "$((frame - base))" -gt 1000000 ] ||
			addr2line -f -e "$BUILD/tests/programs/sigbus" "$(printf '0x%x' $((frame - base)))" | head -n 1
	done
}

@test "without a handler: the same death, explained" {
	unchanged default
	grep -qx 'status 135' recorded
	faults 1 'cause = \( "past_end" .* code = 0x2, .* length = 16384, offset = 4196, size = 4096, .* survived = 0'
}

@test "the stack is that of the faulting instruction" {
	recorded_together default
	fault_stack >stack
	cat stack
	[ "$(sed -n 1p stack)" = touch ]
	[ "$(sed -n 2p stack)" = touch_past_end ]
	grep -qx main stack
	ip=$(sed 's/.* ip = \(0x[0-9A-F]*\),.*/\1/' faults)
	# As a return address: the instruction lies before it.
	ip=$(printf '0x%X' $((ip + 1)))
	grep -q "stack_definition: .*frames = \[ \[0\] = $ip," events
}

@test "the wait status of the death is the same, core flag included" {
	cat >status.py <<-'END'
		import os, resource, sys
		pid = os.fork()
		if pid == 0:
		    os.execv(sys.argv[1], sys.argv[1:])
		print(hex(os.waitpid(pid, 0)[1]))
	END
	"$PYTHON" status.py "$BUILD/tests/programs/sigbus" default >bare
	"$SHMGUARD" run --quiet --report=none -o trace -- "$PYTHON" status.py "$BUILD/tests/programs/sigbus" default >recorded
	same bare recorded
	grep -qE '^0x(7|87)$' bare
}

@test "the death is noted too, with the object's name" {
	mkdir notes
	: >notes/file
	env SHMGUARD_RECORDING=00000abc SHMGUARD_NOTES="$PWD/notes/file" LD_PRELOAD="$BUILD/libshmguard.so" \
		LTTNG_HOME="$PWD" LTTNG_UST_REGISTER_TIMEOUT=0 "$BUILD/tests/programs/sigbus" default || true
	fault_notes notes/file >told
	cat told
	grep -qxE "0 2 4196 16384 4096 0 2 /shmguard-sigbus\.[0-9]+ $BUILD/tests/programs/sigbus" told
	[ "$(wc -l <told)" -eq 1 ]
}

@test "a handler that jumps out: fields, masks and dispositions are the program's" {
	unchanged recover
	grep -q 'on_fault, flags' recorded
	faults 3 'past_end'
}

@test "a handler that was there before the first object" {
	unchanged recover_early
	faults 1 'past_end'
}

@test "the handler's stack is the one that the program asked for" {
	unchanged stack
	grep -q 'alternate stack: yes' recorded
	grep -q 'alternate stack: no' recorded
	faults 2 'past_end'
}

@test "an alternate stack of 1 KiB more than the kernel takes suffices" {
	unchanged small_alternate_stack
	grep -qx 'went on' recorded
	faults 1 'past_end'
}

@test "a handler of one argument by signal(3)" {
	unchanged simple
	faults 2 'past_end'
}

@test "a handler that grows the object: the instruction is done" {
	unchanged grow
	grep -qx 'stored 7' recorded
	faults 1 'past_end'
}

@test "SA_RESETHAND and SA_NODEFER" {
	unchanged once
	grep -q 'after one: SIG_DFL' recorded
	faults 2 'past_end'
}

@test "SIG_IGN: a sent one is ignored, a fault kills without a handler" {
	unchanged ignored
	grep -qx 'status 135' recorded
	faults 0 ''
}

@test "SIG_IGN survives exec, also where the program began with it" {
	unchanged ignored_exec
	grep -q 'at start: SIG_IGN' recorded
}

@test "a handler does not survive exec" {
	unchanged handled_exec
	grep -q 'at start: SIG_DFL' recorded
}

@test "an ordinary file's SIGBUS is passed on untouched" {
	unchanged file
	grep -qx 'status 135' recorded
	faults 1 'cause = \( "not_ours" .* object = 0,'
}

@test "a sent one: the handler sees who sent it and what; SIG_DFL dies" {
	unchanged sent
	grep -q 'value 42' recorded
	grep -qx 'status 135' recorded
}

@test "killed by a sent one" {
	unchanged killed
	faults 1 'cause = \( "sent" .* code = 0x0'
}

@test "a thread with a stack of 16 KiB" {
	unchanged small_stack
	grep -qx 'status 135' recorded
	faults 1 'past_end'
}

@test "a handler that maps on the stack of a thread that has 16 KiB" {
	unchanged small_stack_repaired
	grep -qx 'repaired' recorded
	grep -qx 'status 0' recorded
	faults 1 'past_end'
}

@test "sixteen threads that fault at once" {
	unchanged threads
	grep -qx 'status 135' recorded
	[ "$(grep -c past_end faults)" -ge 1 ]
}

@test "sixteen threads that fault and recover fifty times each" {
	unchanged threads_recover
	grep -qx 'recovered 800 times' recorded
	faults 800 'past_end'
}

@test "inside a signal handler" {
	unchanged in_handler
	faults 2 'past_end'
}

@test "in a child after fork" {
	unchanged fork
	faults 2 'past_end'
	[ "$(sed 's/.* pid = \([0-9]*\),.*/\1/' faults | sort -u | wc -l)" -eq 2 ]
}

@test "in a vfork child, whose dispositions are its own" {
	unchanged vfork
	grep -qx 'status 135' recorded
	grep -q 'at start: SIG_IGN' recorded
	[ "$(grep -c 'parent: SIG_DFL' recorded)" -eq 2 ]
	faults 1 'past_end'
}

@test "a child of posix_spawn starts with SIG_DFL" {
	unchanged spawn
	grep -q 'at start: SIG_DFL' recorded
}

@test "our own reading of the program's memory faults: the handler may jump out of it" {
	unchanged name
	grep -qx 'went on' recorded
	grep -qx 'status 135' recorded
	faults 4 'past_end.* offset = 4196,'
	[ "$(grep -c ' shmguard:munmap: ' events)" -eq 1 ]
	[ "$(grep -c ' shmguard:lost: ' events)" -eq 0 ]
}

@test "a blocked one kills without a handler" {
	unchanged blocked
	grep -qx 'status 135' recorded
	faults 0 ''
}

@test "an object that was shrunk: its size now is told" {
	unchanged shrunk
	faults 1 'past_end.* offset = 8200, size = 5000,'
}

@test "an object without name and descriptor: its size is found out" {
	unchanged unreachable
	faults 1 'past_end.* offset = 12289, size = 8192,'
}

@test "the same, as an ordinary user" {
	make_nobody_build
	as_nobody timeout 60 "$NOBODY_BUILD/shmguard" run --quiet --report=none -o "$NOBODY_HOME/trace" -- \
		"$NOBODY_BUILD/tests/programs/sigbus_objects" unreachable 2>/dev/null || [ $? -eq 135 ]
	babeltrace2 "$NOBODY_HOME/trace/trace" >events
	remove_nobody_build
	[ "$(grep -c 'shmguard:fault:.*past_end.* offset = 12289, size = 8192,' events)" -eq 1 ]
}

@test "a memfd" {
	unchanged memfd
	faults 1 'past_end.* offset = 12288, size = 8192, available = 18446744073709551615,'
}

@test "broken memory" {
	unchanged hardware
	grep -qx 'status 135' recorded
	faults 1 '"hardware".* offset = 100, size = 4096,.* survived = 0'
}

@test "a full tmpfs" {
	unshare -m true || skip "no mount namespaces here"
	local small=(unshare -m sh -c 'mount -t tmpfs -o size=2m,mode=1777 tmpfs /dev/shm; exec "$@"' sh)
	recorded full "${small[@]}"
	grep -qx 'status 135' recorded
	faults 1 'tmpfs_full.* size = 268435456, available = 0, survived = 0'
}

@test "without /proc" {
	unshare -m true || skip "no mount namespaces here"
	local hidden=(unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' sh)
	recorded shrunk "${hidden[@]}"
	grep -qx 'status 135' recorded
	faults 1 'past_end.* offset = 8200, size = 5000,'
	rm -r trace
	recorded survivor "${hidden[@]}" env SHMGUARD_ON_SIGBUS=survive
	grep -qx 'status 0' recorded
	faults 3 'past_end.* survived = 1'
}

@test "a handler that ends the process, where there is no libunwind" {
	: >libunwind.so.8
	cat >ends.py <<-'END'
		import ctypes, os, _posixshmem
		libc = ctypes.CDLL(None)
		libc.mmap.restype = ctypes.c_void_p
		fd = _posixshmem.shm_open("/shmguard-sigbus.ends", os.O_RDWR | os.O_CREAT, mode=0o600)
		os.ftruncate(fd, 4096)
		address = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0))
		libc.signal(7, libc._exit)
		ctypes.string_at(address + 4096, 1)
	END
	run -7 "$SHMGUARD" run --quiet --report=none -o trace -- env LD_LIBRARY_PATH="$PWD" "$PYTHON" ends.py
	own_events >events
	see_faults
	faults 1 'past_end'
	[ "$(grep -c ' shmguard:exit: .* stack = [1-9].* status = 7 ' events)" -eq 1 ]
}

@test "a handler that never helps does not fill the trace" {
	unchanged stubborn
	faults 1000 'past_end'
}
