#!/usr/bin/env bats
# The calls of a recording as a log, and its objects at a moment.

bats_require_minimum_version 1.5.0

load helpers
load forms

@test "log: every call in strace's notation, a failed release with its error" {
	"$SHMGUARD" log leaks >got
	same leaks/expected.log got
	grep -qF '100     1.000017 shm_open("/seg", O_RDWR|O_CREAT|O_EXCL, 0600) = 3 /* /seg, 0 bytes */' got
	grep -qF '100     1.049028 shm_unlink("/gone") = -1 ENOENT (No such file or directory)' got
}

@test "log: what a clock puts before the start has a minus sign, once" {
	local metadata=leaks/trace/ust/uid/65534/64-bit/metadata offset
	offset=$(LC_ALL=C sed -nE 's/.*offset = ([0-9]+);.*/\1/p' "$metadata")
	sed -i "s/offset = $offset/offset = $((offset - 3600500000000))/" "$metadata"
	"$SHMGUARD" log leaks >got
	head -n 1 got | grep -qE '^[0-9]+ +-[0-9]+\.[0-9]{6} '
	run ! grep -qE '^[^ ]+ +-?[0-9]+\.-' got
	grep -qF ' -3599.499982 shm_open("/seg"' got
}

@test "log: filters and stacks" {
	"$SHMGUARD" log --pid=101 --object=/gone leaks >got
	[ "$(sed 's/^[^ ]* *[^ ]* \([a-z_]*\).*/\1/' got | paste -sd ' ')" = "shm_open close shm_unlink" ]
	[ "$("$SHMGUARD" log --since=1.002 --until=1.01 leaks | wc -l)" -eq 2 ]
	[ "$("$SHMGUARD" log --pid=101 --object=/gone --stacks leaks | grep -c '^    > server+0x')" -eq 9 ]
	run -2 "$SHMGUARD" log
	run -2 "$SHMGUARD" log --since=x leaks
	run -3 "$SHMGUARD" log nowhere
	run -3 bash -c "'$SHMGUARD' log leaks 2>&1 >/dev/full"
}

@test "log --object: all calls of what has the name at any time, and those that give it in vain" {
	local name=/asked-$$ asked
	cat >asked.py <<-'END'
		import _posixshmem, os, sys
		one, two, three = [sys.argv[1] + end for end in ("-one", "-two", "-three")]
		fd = _posixshmem.shm_open(one, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		os.ftruncate(fd, 4096)
		os.rename("/dev/shm" + one, "/dev/shm" + two)
		os.unlink("/dev/shm" + two)
		for call in (lambda: _posixshmem.shm_open(three, os.O_RDWR, 0), lambda: os.open("/dev/shm" + three, os.O_RDONLY),
			     lambda: os.unlink("/dev/shm" + three), lambda: _posixshmem.shm_unlink(three)):
		    try:
		        call()
		    except OSError:
		        pass
	END
	"$SHMGUARD" run --quiet --report=none -o asked -- "$PYTHON" asked.py "$name"
	calls()
	{
		"$SHMGUARD" log "$@" asked | sed -nE 's/^[^ ]* *[^ ]* ([a-z_]*)[0-9]*\(.*/\1/p' | paste -sd ' '
	}
	for asked in "$name-one" "$name-two" "$name-[ot]?[eo]"; do
		[ "$(calls --object="$asked")" = "shm_open ftruncate rename unlink" ]
	done
	[ "$(calls --object="$name-three")" = "shm_open open unlink shm_unlink" ]
	[ "$(calls --object="$name")" = "" ]
}

@test "log: the calls of CPython by the names it calls them" {
	cat >segment.py <<-'END'
		from multiprocessing import shared_memory
		try:
		    shared_memory.SharedMemory("nowhere-at-all")
		except FileNotFoundError:
		    pass
		segment = shared_memory.SharedMemory(create=True, size=5000)
		segment.close()
		segment.unlink()
	END
	"$SHMGUARD" run --quiet --report=none -o python -- "$PYTHON" segment.py
	"$SHMGUARD" log python | sed 's/^[0-9]* *[0-9.]* //; s/psm_[0-9a-f]*/psm/g; s/0x[0-9a-f]*/ADDRESS/g' >got
	grep -qE '^shm_open\("/nowhere-at-all", O_RDWR, 0[0-7]*\) = -1 ENOENT \(No such file or directory\)' got
	grep -qE '^ftruncate(64)?\([0-9]+, 5000\) = 0 /\* /psm, 5000 bytes \*/$' got
	grep -qE '^mmap\(NULL, 5000, PROT_READ\|PROT_WRITE, MAP_SHARED, [0-9]+, 0\) = ADDRESS /\* /psm, 5000 bytes' got
	grep -qF 'shm_unlink("/psm") = 0 /* /psm, 5000 bytes */' got
}

@test "log and objects: what a program calls its objects is harmless on a terminal" {
	hostile "$(printf '/forms-%s-"\033[1m\377' $$)"
	"$SHMGUARD" log hostile >got
	"$SHMGUARD" objects hostile >>got
	run -1 grep -P '[\x00-\x08\x0b-\x1f\x7f]' got
	grep -qF '\x1b[1m\xff' got
	iconv -f UTF-8 -t UTF-8 got >/dev/null
}

@test "objects: at the end, and at a moment" {
	run -0 "$SHMGUARD" objects leaks
	[ "${lines[0]}" = "/seg" ]
	[ "${#lines[@]}" -eq 2 ]
	run -0 "$SHMGUARD" objects --at=1.01 leaks
	[ "$(grep -c 'process 100 server: maps \[0, 40960) at 0x' <<<"$output")" -eq 3 ]
	[[ $output == *"memfd:pool"*"process 100 server: descriptor 4"* ]]
	run -0 "$SHMGUARD" objects --at=0 leaks
	[ "$output" = "no object" ]
	run -0 "$SHMGUARD" objects --all --object=/gone leaks
	[ "${lines[0]}" = "/gone (removed)" ]
	run -2 "$SHMGUARD" objects --at=soon leaks
	run -3 "$SHMGUARD" objects nowhere
}

@test "objects --at: nothing that came later, and all that came by then" {
	local count=0 at name=/steps-$$
	cd "$BATS_TEST_TMPDIR"
	record steps "$PROGRAMS/steps" "$name"
	"$SHMGUARD" log steps | sed -nE 's/^[0-9]+ +([0-9.]+) (mmap|ftruncate)(64)?\(.*/\1 \2/p' >calls
	[ "$(wc -l <calls)" -eq 7 ]
	# The first is the ftruncate that makes it 16 pages long. Behind each call, and between it and the next.
	while read -r at _; do
		for later in 1 50000; do
			at=${at%.*}.$(printf %06d $((10#${at#*.} + later)))
			[[ $at =~ ^[0-9]+\.[0-9]{6}$ ]] || continue
			"$SHMGUARD" objects --at="$at" steps >world
			[ "$(grep -c ': maps \[' world)" -eq $((count > 3 ? 3 : count)) ]
			[ "$(grep -oE '\([0-9]+ bytes\)' world)" = "($(((count > 3 ? 13 + count : 16) * 4096)) bytes)" ]
		done
		count=$((count + 1))
	done <calls
	# Asleep after its last call, it has everything still; at the end it has not.
	at=$("$SHMGUARD" log steps | sed -nE 's/^[0-9]+ +([0-9.]+) shm_unlink.*/\1/p')
	run -0 "$SHMGUARD" objects --at="$(awk "BEGIN { print $at + 0.2 }")" steps
	[ "$(grep -c ': maps \[' <<<"$output")" -eq 3 ]
	[[ ${lines[0]} == "$name (removed)" ]]
	run -0 "$SHMGUARD" objects --at=3600 steps
	[ "$output" = "no object" ]
}

@test "a time is decimal, everywhere, and one line says so of what is not" {
	local time command
	for time in 1e3 0x10 inf nan +1 -1 ' 1' 1,5 1. . '' 1m '1 s' 1000000000 99999999999999999999999; do
		for command in "objects --at" "log --since" "report --until"; do
			run --separate-stderr -2 "$SHMGUARD" "${command% *}" "${command#* }=$time" leaks
			# shellcheck disable=SC2154 # run sets it
			[[ -z $output && $stderr == "shmguard: '$time' is no time: seconds after the start, as 2 or 1.5, or 200ms, 3us"* ]]
		done
		[[ $time == [+-]* ]] || run -2 "$SHMGUARD" report --clock-offset="vm=$time" leaks
		run -2 "$SHMGUARD" top --once --delay="$time"
	done
	for time in 1.010 1.0100000009 1010ms 1010.0ms 01.01s 1010000us 1010000000ns; do
		"$SHMGUARD" objects --at=$time leaks >got
		grep -q /seg got
		"$SHMGUARD" objects --at=1.01 leaks | cmp - got
	done
	"$SHMGUARD" objects --at=.999 leaks >/dev/null
}

@test "log: what the program called, and nothing that it did not" {
	cd "$BATS_TEST_TMPDIR"
	cat >called.py <<-'END'
		import ctypes, errno, fcntl, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		def path(name): return f"/dev/shm/called-{os.getpid()}-{name}"
		memory = libc.memfd_create(b"sealed", 2)
		os.ftruncate(memory, 8192)
		fcntl.fcntl(memory, 1033, 2)
		fd = os.open(path("u"), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
		os.posix_fallocate(fd, 0, 4096)
		os.truncate(path("u"), 8192)
		os.dup2(fd, 20)
		libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
		at = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0))
		libc.mremap(ctypes.c_void_p(at), ctypes.c_size_t(8192), ctypes.c_size_t(1 << 46), 0)
		os.link(path("u"), path("v"))
		os.unlink(path("v"))
		os.unlink(path("u"))
		if os.fork() == 0:
		    os._exit(3)
		os.wait()
	END
	"$SHMGUARD" run --quiet --report=none -o called -- "$PYTHON" called.py
	"$SHMGUARD" log called | sed 's/^[0-9]* *[0-9.]* //; s/called-[0-9]*-/called-/g; s/0x[0-9a-f]\{5,\}/ADDRESS/g' >got
	grep -qE '^fcntl\([0-9]+, F_ADD_SEALS, F_SEAL_SHRINK\) = 0' got
	grep -qE '^posix_fallocate(64)?\([0-9]+, 0, 4096\) = 0' got
	grep -qE '^truncate(64)?\(\.\.\., 8192\) = 0' got
	grep -qE '^dup\([0-9]+, \.\.\.\) = 20 ' got
	grep -qE '^mremap\(ADDRESS, 8192, [0-9]+, 0\) = -1 (ENOMEM|EFAULT|EINVAL) .* /\* [^ ]*called-u, ' got
	grep -qE '^unlink\("/dev/shm/called-u"\) = 0 /\* [^ ]*called-u, ' got
	grep -qE '^wait\(\.\.\., \[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 3\}\], \.\.\.\) = [0-9]+$' got
}

@test "log and objects say when a stream of the trace is gone" {
	cd "$BATS_TEST_TMPDIR"
	record whole "$PROGRAMS/story" grown >/dev/null
	"$SHMGUARD" log whole 2>errors >out && "$SHMGUARD" objects whole 2>>errors >>out
	"$SHMGUARD" objects --at=0.001 whole 2>>errors >>out
	[ ! -s errors ]
	cp -r whole uncalled
	cp -r whole unread
	find whole/trace -name 'state_*' -not -name '*.idx' -type f -size +0 | head -n 1 | xargs rm
	local verb dir
	for verb in log objects; do
		"$SHMGUARD" $verb whole 2>errors >out
		grep -q '^shmguard: [0-9]* of the [0-9]* bytes that were recorded are gone: streams of the trace were deleted or cut$' errors
	done
	# What the report refuses they refuse, with its one line.
	find uncalled/trace -name 'calls_*' -not -name '*.idx' -type f -size +0 -exec sh -c 'printf \\0\\0\\0\\0 | dd of="$1" conv=notrunc status=none' sh '{}' ';'
	find unread/trace -name metadata -exec truncate -s 4000 '{}' ';'
	for dir in uncalled unread; do
		run -3 --separate-stderr "$SHMGUARD" report $dir
		[ -z "$output" ]
		[[ $stderr != *$'\n'* ]]
		printf '%s\n' "$stderr" >expected
		for verb in log objects 'objects --at=0' 'objects --at=0.001' 'log --until=0.001' 'profile --apparmor'; do
			# shellcheck disable=SC2086
			run -3 --separate-stderr "$SHMGUARD" $verb $dir
			[ -z "$output" ]
			same expected <(printf '%s\n' "$stderr")
		done
	done
	run -3 "$SHMGUARD" report unread
	[[ $output == *"its metadata is cut short" ]]
	run -3 "$SHMGUARD" report uncalled
	[[ $output == *"there is no call in what is left" ]]
}

@test "a call that fails after its event is one line with its error, and no moment of any form" {
	cd "$BATS_TEST_TMPDIR"
	cat >refused.py <<-'END'
		import ctypes, os, time
		libc = ctypes.CDLL(None, use_errno=True)
		name = f"/refused-{os.getpid()}"
		fd = os.open("/dev/shm" + name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
		os.ftruncate(fd, 4096)
		libc.fallocate(fd, 2, ctypes.c_long(0), ctypes.c_long(4096))
		if os.fork() == 0:
		    os.setuid(65534)
		    libc.shm_unlink(name.encode())
		    time.sleep(0.2)
		    os._exit(0)
		os.wait()
		libc.shm_unlink(name.encode())
	END
	record refused "$PYTHON" refused.py
	"$SHMGUARD" log '--object=*refused-*' refused | sed 's/^[0-9]* *[0-9.]* //; s/refused-[0-9]*/refused/g' >got
	run ! grep -q '<\.\.\.' got
	grep -qE '^fallocate(64)?\([0-9]+, FALLOC_FL_PUNCH_HOLE, 0, 4096\) = -1 EOPNOTSUPP \(Operation not supported\) /\*' got
	[ "$(grep -oE '^shm_unlink\("/refused"\) = (0|-1 E(PERM|ACCES)).*, 4096 bytes' got | grep -c .)" -eq 2 ]
	grep -qE '^shm_unlink\("/refused"\) = -1 E(PERM|ACCES) \(' got
	"$SHMGUARD" report --format=timeline refused >timeline.json || true
	[ "$(jq '[.traceEvents[] | select(.name | test("unlink"))] | length' timeline.json)" -eq 1 ]
	local at
	at=$("$SHMGUARD" log refused | sed -nE 's/^[0-9]+ +([0-9.]+) shm_unlink.* = -1 .*/\1/p')
	"$SHMGUARD" objects --at="${at%.*}.$(printf %06d $((10#${at#*.} + 1)))" refused >world
	run ! grep -q removed world
}

@test "log, objects: a time as the log prints it is that of the call and what was so after it; how long a message was is not recorded" {
	cd "$BATS_TEST_TMPDIR"
	cat >timed.py <<-'END'
		import array, os, socket
		fd = os.open("/dev/shm/timed", os.O_RDWR | os.O_CREAT, 0o600)
		for size in range(1, 21): os.ftruncate(fd, size * 4096)
		a, b = socket.socketpair()
		a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
		b.recvmsg(10, 100)
		os.unlink("/dev/shm/timed")
	END
	"$SHMGUARD" run --quiet --report=none -o timed -- "$PYTHON" timed.py
	"$SHMGUARD" log timed >printed
	[ "$(grep -cE ' (send|recv)msg\(.*\) = \.\.\. /' printed)" -eq 2 ]
	local at
	at=$(awk '/, 77824\)/ { print $2 }' printed)
	"$SHMGUARD" objects --at="$at" timed | grep -F '(77824 bytes)'
	[ "$("$SHMGUARD" log --until="$at" timed | grep -c ftruncate)" -eq 19 ]
}

@test "log, objects --at and timeline: no size is told of an object while it grew by what is not recorded" {
	local name=/grown-$$ at form
	cat >grown.py <<-'END'
		import _posixshmem, mmap, os, sys
		name = sys.argv[1]
		fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		told = _posixshmem.shm_open(name + "-told", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		def grow(to):
		    os.pwrite(fd, b"x", to - 1)
		def look():
		    os.fchmod(fd, 0o600)
		    os.fchmod(told, 0o640)
		look()
		grow(5000)
		os.ftruncate(told, 4096)
		look()
		first = mmap.mmap(fd, 5000)
		look()
		second = mmap.mmap(fd, 5000)
		grow(9000)
		look()
		os.ftruncate(fd, 9000)
		look()
		os.ftruncate(fd, 9000)
		grow(20000)
		os.ftruncate(told, 8192)
		look()
		os.ftruncate(fd, 100)
		look()
		third = mmap.mmap(fd, 100)
		grow(50000)
		look()
		third.close()
		_posixshmem.shm_unlink(name + "-told")
		if len(sys.argv) > 2:
		    os.kill(os.getpid(), 9)
	END
	sizes()
	{
		"$SHMGUARD" log grown | sed -nE "s:.* $1\(.* = 0 /\* $2(, ([0-9]+) bytes)? \*/\$:\2-:p" | paste -sd ' '
	}
	run -137 "$SHMGUARD" run --quiet --report=none -o grown -- "$PYTHON" grown.py "$name" killed
	[ "$(sizes fchmod "$name")" = "- - 5000- - 9000- - 100- -" ]
	[ "$(sizes fchmod "$name-told")" = "0- 4096- 4096- 4096- 4096- 8192- 8192- 8192-" ]
	[ "$(sizes munmap "$name") $(sizes ftruncate64 "$name")" = "- 9000- 9000- 100-" ]
	[ "$(sizes shm_unlink "$name-told")" = "8192-" ]
	# What the log and the objects of one moment tell is the same.
	for at in $("$SHMGUARD" log --object="$name" grown | sed -nE 's/^[0-9]+ +([0-9.]+) (fchmod|munmap).*/\1/p'); do
		"$SHMGUARD" objects --object="$name" --at="$at" grown | sed -n 2p
	done >moments
	[ "$(grep -c 'its size since then not known' moments)" -eq 6 ]
	[ "$(grep -cE '\((5000|9000|100) bytes\), mode' moments)" -eq 3 ]
	"$SHMGUARD" objects --object="$name" --at="$at" grown >one
	grep -qE '100 B \(100 bytes\) at [0-9.]+ s, its size since then not known, mode' one
	for at in 1000 ''; do
		"$SHMGUARD" objects --object="$name" ${at:+--at="$at"} grown >one
		grep -qF '(50000 bytes), mode' one
	done
	for form in timeline html; do
		"$SHMGUARD" report --format=$form:told.$form grown
	done
	jq -e --arg name "$name" '[.traceEvents[] | select(.args.object? == $name and .name == "unmap") | .args.size] == [null]' told.timeline
	rm "/dev/shm$name"
}
