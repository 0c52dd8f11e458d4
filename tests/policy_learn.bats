#!/usr/bin/env bats
# shmguard policy learn: what it makes of recordings.

load helpers
load policy
bats_require_minimum_version 1.5.0

# learn NAME...: what policy learn makes of the recordings, as ./learned.ini; checked.
learn()
{
	local dirs=() name
	for name; do
		dirs+=("$BATS_TEST_TMPDIR/$name")
	done
	"$SHMGUARD" policy learn "${dirs[@]}" >learned.ini
	cat learned.ini
	"$SHMGUARD" policy check learned.ini
}

# allows EXE NAME: under ./learned.ini.
allows()
{
	"$SHMGUARD" policy explain learned.ini --exe="$1" --name="$2" | grep -qx 'The name is one that the program may use.'
}

@test "policy learn limits a program to what it did, random names and all" {
	local exe
	exe=$(readlink -f "$PYTHON")
	cat >program.py <<-'END'
		import os
		from multiprocessing import shared_memory
		one = shared_memory.SharedMemory(name="psm_1a2b3c4d", create=True, size=8192)
		two = shared_memory.SharedMemory(name=f"fixed.{os.getpid():06}", create=True, size=4096)
		for memory in one, two:
		    memory.close()
		    memory.unlink()
	END
	record first "$PYTHON" program.py
	learn first
	grep -qxF "exe = $exe" learned.ini
	grep -qxF 'names = /fixed.[0-9]*' learned.ini
	grep -qxF 'max-mode = 0600' learned.ini
	grep -qxF 'max-size = 8192' learned.ini
	grep -qxF 'max-objects = 2' learned.ini
	allows "$exe" /psm_deadbeef
	no allows "$exe" /psm_deadbeef1
	allows "$exe" /fixed.99999
	no allows "$exe" /fixed
	no allows "$exe" /other
	no allows /usr/bin/other /fixed.99999
}

@test "policy learn denies what a program did not do, and only warns of what it did" {
	record first "$BUILD/tests/rules/map-beyond-end"
	learn first
	sed -n '/^\[map-beyond-end\]/,$p' learned.ini >section
	grep -qx 'map-beyond-end = deny' learned.ini
	grep -qx 'map-beyond-end = warn' section
	no grep -q 'resize-by-attacher' section
}

@test "policy learn gives no name what another object did, however many came and went before that" {
	cat >program.py <<-'END'
		import os
		from _posixshmem import shm_open, shm_unlink
		os.umask(0)
		def use(name, mode):
		    os.close(shm_open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=mode))
		    shm_unlink(name)
		for i in range(4300):
		    use("/learnt-%d" % i, 0o600)
		use("/learnt-open", 0o666)
	END
	record first "$PYTHON" program.py
	learn first
	sed -n '/^\[python[^,]*\]/,/^$/p' learned.ini >section
	grep -qx 'max-mode = 0600' section
	grep -qx 'max-mode = 0666' learned.ini
}

@test "policy learn adds recordings up, whatever their order, and says the same each time" {
	record first "$BUILD/tests/rules/map-beyond-end"
	record second "$BUILD/tests/rules/partial-unmap"
	learn first second
	grep -v '^# Learned' learned.ini >one
	learn second first
	grep -v '^# Learned' learned.ini >two
	same one two
	[ "$(grep -c '^exe = ' one)" -eq 2 ]
}

@test "policy learn says what it could not read, on the terminal and in the policy" {
	local stream
	cp -r "$ROOT/tests/traces/leaks" leaks
	stream=$(grep -l server leaks/trace/ust/uid/*/*/events_*)
	"$SHMGUARD" policy learn leaks >whole.ini 2>told-whole
	truncate -s 2000 "$stream"
	"$SHMGUARD" policy learn leaks >cut.ini 2>told
	cat told
	grep -q '^shmguard: leaks: .*bytes' told
	grep -qx 'shmguard: not all was seen: the policy may be too tight' told
	[ "$(sed -n 's/^#   //p' cut.ini)" = "$(sed -n 's/^shmguard: leaks:/leaks:/p' told)" ]
	"$SHMGUARD" policy check cut.ini
	[ "$(wc -l <told)" -gt "$(wc -l <told-whole)" ]
}

@test "policy learn of what is no recording says so" {
	mkdir empty
	run "$SHMGUARD" policy learn empty
	[ "$status" -eq 3 ]
	[[ $output == shmguard:*empty* ]]
	run "$SHMGUARD" policy learn missing
	[ "$status" -eq 3 ]
	run "$SHMGUARD" policy learn
	[ "$status" -eq 2 ]
}

@test "policy learn lets a mapping of huge pages in part be made again, whether the pool has them or not" {
	pool_is_empty
	cat >program.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None)
		libc.mmap.restype = ctypes.c_void_p
		fd = os.memfd_create("h", os.MFD_CLOEXEC | os.MFD_HUGETLB)
		os.ftruncate(fd, 4 << 20)
		address = libc.mmap(None, ctypes.c_size_t((2 << 20) + int(sys.argv[1])), 3, 0x4001, fd, ctypes.c_long(0))
		sys.exit(address == ctypes.c_void_p(-1).value)
	END
	record misaligned "$PYTHON" program.py 4096
	learn misaligned
	grep -qx 'huge-page-unbacked = warn.*' learned.ini
	"$SHMGUARD" run --quiet --report=none -o again --policy=learned.ini -- "$PYTHON" program.py 4096
	record aligned "$PYTHON" program.py 2097152
	learn aligned
	grep -qx 'huge-page-misaligned = deny.*' learned.ini
}

@test "policy learn lets what breaks several rules of huge pages at one mapping be made again, whatever of them was told" {
	local of
	pool_is_empty
	cat >huge.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None)
		libc.mmap.restype = ctypes.c_void_p
		size, fails, length, prot, flags, later = (int(word, 0) for word in sys.argv[1:])
		fd = os.memfd_create("h", os.MFD_CLOEXEC | os.MFD_HUGETLB | 21 << 26)
		os.ftruncate(fd, size)
		if fails:
		    try: os.ftruncate(fd, 5)
		    except OSError: pass
		address = libc.mmap(None, ctypes.c_size_t(length), prot, flags | 0x4000, fd, ctypes.c_long(0))
		if address == ctypes.c_void_p(-1).value or later and libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(length), later):
		    sys.exit(1)
		print(os.fstat(fd).st_size)
	END
	while read -r of; do
		# shellcheck disable=SC2086 # words
		"$SHMGUARD" run --quiet --report=none -o "first$of" -- "$PYTHON" huge.py $of >bare
		learn "first$of"
		# shellcheck disable=SC2086
		env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/learned.ini" "$PYTHON" huge.py $of | same bare /dev/stdin
		grep -q 'huge-page-unbacked = warn' learned.ini
		# What the mapping makes longer, as one to be written does, has no end that it could pass.
		[[ $of == *" 1 1 "* || $of == *" 0 1 "* ]] || grep -qx 'map-beyond-end = deny.*' learned.ini
	done <<-'END'
		0 0 4096 3 1 0
		0x200000 0 0x401000 3 1 0
		0x200000 1 0x400000 3 1 0
		0x200000 0 0x401000 3 2 0
		0x200000 0 4096 3 2 0
		0x200000 0 0x400000 1 1 0
		0x200000 0 0x401000 1 1 0
		0x200000 1 0x401000 1 1 0
		0x200000 0 0x400000 0 1 1
	END
}

@test "policy learn knows a short pid in a name, whose it is among those the program descends from" {
	needs_root "a pid namespace"
	cat >aged.py <<-'END'
		import os, subprocess, sys
		# In a young container pids are short: the name is made of one, and used by children of children.
		name = "/dev/shm/aged-%s.%d" % (sys.argv[1], os.getpid())
		script = 'sh -c "cat $0 >/dev/null; true"; rm $0; true'
		open(name, "w").close()
		sys.exit(subprocess.run(["sh", "-c", script, name]).returncode)
	END
	unshare --pid --fork --mount-proc bash -c '"$@"; exit $?' - "$SHMGUARD" run --quiet --report=none -o once -- "$PYTHON" aged.py $$
	"$SHMGUARD" policy learn once >learned.ini
	grep '^names' learned.ini
	run ! grep -qE '^names = .*aged-[0-9]+\.[0-9]+$' learned.ini
	[ "$(grep -cE '^names = .*aged-.*[*]' learned.ini)" -ge 3 ]
}
