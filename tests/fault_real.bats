#!/usr/bin/env bats
# Programs that we did not write, whose runtime handles SIGBUS itself.

load helpers
load fault

# compared COMMAND...: output and status recorded as bare.
compared()
{
	local status=0
	timeout 60 "$@" >bare 2>bare.errors 3>&- 4>&- || status=$?
	echo "status $status" >>bare
	status=0
	timeout 90 "$SHMGUARD" run --quiet --report=none -o trace -- "$@" >recorded 2>recorded.errors 3>&- 4>&- || status=$?
	echo "status $status" >>recorded
	cat recorded
	same bare recorded
	own_events | grep ' shmguard:fault: ' >faults
}

@test "CPython's faulthandler, which dies by a signal of its own" {
	cat >cut_short.py <<-'END'
		import faulthandler, mmap, os
		faulthandler.enable()
		fd = os.memfd_create("frames")
		os.ftruncate(fd, 8192)
		frames = mmap.mmap(fd, 8192)
		os.ftruncate(fd, 0)
		frames[5000]
	END
	compared "$PYTHON" cut_short.py
	grep -qx 'status 135' recorded
	grep -q 'Fatal Python error: Bus error' recorded.errors
	grep -q 'cut_short.py", line 7' recorded.errors
	[ "$(grep -c 'past_end.* offset = 5000, size = 0,' faults)" -eq 1 ]
}

@test "OpenJDK, which makes an exception of it, under load" {
	command -v javac || skip "no JDK is installed"
	compared java "$ROOT/tests/programs/Faults.java"
	[ "$(grep -c '^cut short: true' recorded)" -eq 1 ]
	grep -qx 'status 0' recorded
	[ "$(grep -c 'past_end.* offset = 8000, size = 4096,' faults)" -ge 1 ]
}
