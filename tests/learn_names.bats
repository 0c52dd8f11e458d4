#!/usr/bin/env bats
# What is learned is as tight as it can be: of certain names, owners and removals, and nothing beside them.

load helpers
load policy
load learn
bats_require_minimum_version 1.5.0

teardown()
{
	rm -f /dev/shm/shmguard-learn-*
}

# section NAME N: the keys of Python's Nth section in NAME.ini, 1 being the one for all of its names.
section()
{
	awk -v RS= -v wanted="$2" -v exe="exe = $(readlink -f "$PYTHON")" 'index($0 "\n", exe "\n") && ++number == wanted' "$1.ini" |
		grep '^[^#[]' || true
}

# under NAME PROGRAM: runs the Python program under what was learned.
under()
{
	env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/$1.ini" "$PYTHON" -c "$PRELUDE$2"
}

@test "a wide mode is learned for the names that had it, and for no others" {
	unchanged modes '
os.umask(0)
wide, tight = say(shm, "wide", 0o666), say(shm, "tight")
bits(wide); bits(tight)
say(os.fchmod, wide, 0o666)
shm_unlink("/shmguard-learn-wide"); shm_unlink("/shmguard-learn-tight")'
	[ "$(section modes 1 | grep -c '^world-\|^max-mode = 0666')" -eq 0 ]
	section modes 1 | grep -qx 'max-mode = 0600'
	section modes 2 >second
	diff second - <<-END
		exe = $(readlink -f "$PYTHON")
		name = /shmguard-learn-wide
		max-mode = 0666
		world-writable = warn
		world-readable = warn
	END
	[ -z "$(section modes 3)" ]
	run under modes '
os.umask(0)
say(shm, "tight", 0o666)
say(shm, "tight", 0o640)
fd = say(shm, "tight")
say(os.fchmod, fd, 0o604)
say(os.rename, BASE + "tight", BASE + "wide")
say(os.fchmod, fd, 0o606)
shm_unlink("/shmguard-learn-wide")'
	echo "$output"
	[ "$output" = "shm Permission denied
shm Permission denied
shm done
fchmod Permission denied
rename done
fchmod done" ]
}

@test "names that were alike share a section, and what all had is the program's" {
	local program='
for name in "one", "two", "three", "four":
    fd = say(shm, name, 0o640 if name in ("one", "three") else 0o600)
    os.ftruncate(fd, 4096)
    bits(fd)
    if name in ("one", "three"):
        os.close(say(shm, name, 0o600, os.O_RDWR | os.O_CREAT))
        say(map, fd, 1 << 16)
    shm_unlink("/shmguard-learn-" + name)'
	unchanged alike "$program"
	section alike 2 >second
	diff second - <<-END
		exe = $(readlink -f "$PYTHON")
		name = /shmguard-learn-one
		name = /shmguard-learn-three
		max-mode = 0640
		map-beyond-end = warn
		create-without-excl = warn
	END
	[ -z "$(section alike 3)" ]
	"$SHMGUARD" policy learn alike | cmp - alike.ini

	unchanged all "${program//in (\"one\", \"three\")/}"
	[ -z "$(section all 2)" ]
	section all 1 | grep -qx 'map-beyond-end = warn'
	grep -qxF '# It did so, 4 times, with /shmguard-learn-four, /shmguard-learn-one and 2 more: to refuse it would change the program.' all.ini
	run under alike 'fd = say(shm, "two"); os.ftruncate(fd, 4096); say(map, fd, 1 << 16); shm_unlink("/shmguard-learn-two")'
	[ "$output" = $'shm done\nmap No such device or address' ]
}

@test "a size is learned for the names that had it" {
	unchanged sizes '
for name, size in ("small", 100), ("large", 1 << 20), ("other", 1 << 20):
    fd = say(shm, name)
    say(os.ftruncate, fd, size)
    shm_unlink("/shmguard-learn-" + name)'
	section sizes 1 | grep -qx 'max-size = 100'
	[ "$(section sizes 2 | grep -c '^name = ')" -eq 2 ]
	section sizes 2 | grep -qx 'max-size = 1048576'
	run under sizes 'fd = say(shm, "small"); say(os.ftruncate, fd, 101); shm_unlink("/shmguard-learn-small")'
	[ "$output" = $'shm done\nftruncate File too large' ]
}

@test "what more sizes and modes need than anybody would read is learned for all names" {
	unchanged many '
for i, word in enumerate("ant bee cat dog eel fox gnu hen owl pig ram yak".split()):
    fd = say(shm, word, 0o640 if word == "pig" else 0o600)
    say(os.ftruncate, fd, 100 + i)
    shm_unlink("/shmguard-learn-" + word)'
	section many 1 | grep -qx 'max-size = 111'
	section many 1 | grep -qx 'max-mode = 0600'
	section many 2 | grep -qx 'name = /shmguard-learn-pig'
	[ -z "$(section many 3)" ]
}

@test "what a child does with an object that its parent opened is learned by its name" {
	unchanged forked '
os.umask(0)
wide, tight = say(shm, "wide"), say(shm, "tight")
if os.fork() == 0:
    say(os.ftruncate, wide, 4096)
    say(os.fchmod, wide, 0o640)
    os._exit(0)
os.wait()
shm_unlink("/shmguard-learn-tight"); shm_unlink("/shmguard-learn-wide")'
	section forked 1 | grep -qx 'max-mode = 0600'
	section forked 2 | grep -qx 'name = /shmguard-learn-wide'
	section forked 2 | grep -qx 'max-mode = 0640'
}

@test "what has two names is learned by both" {
	unchanged linked '
os.umask(0)
fd = say(shm, "one"); os.close(say(shm, "three", 0o644))
os.link(BASE + "one", BASE + "two")
say(os.fchmod, fd, 0o666)
bits(fd)
for name in "one", "two", "three": os.unlink(BASE + name)
os.close(say(shm, "tight")); os.unlink(BASE + "tight")'
	section linked 1 | grep -qx 'max-mode = 0600'
	[ "$(section linked 2 | grep -c 'name = .*-\(one\|two\)$')" -eq 2 ]
	section linked 3 | grep -qx 'max-mode = 0644'
}

@test "what has no name, or one that the program never used, is held to what is learned for all" {
	unchanged nameless '
wide, tight = say(shm, "wide"), say(shm, "tight")
shm_unlink("/shmguard-learn-wide"); shm_unlink("/shmguard-learn-tight")
os.umask(0)
say(os.fchmod, wide, 0o666)
bits(wide)'
	# An unlinked one is known by the name that it had; the next time it need not be.
	section nameless 1 | grep -qx 'max-mode = 0666'
	unchanged given '
os.umask(0)
os.close(say(shm, "tight"))
fd = say(os.open, "/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600)
say(os.fchmod, fd, 0o640)
shm_unlink("/shmguard-learn-tight")'
	section given 1 | grep -qx 'max-mode = 0640'
	# Another program renames it meanwhile.
	unchanged renamed '
import subprocess
os.umask(0)
fd = say(shm, "first"); os.close(say(shm, "tight"))
subprocess.run(["mv", BASE + "first", BASE + "second"], check=True)
say(os.fchmod, fd, 0o660)
os.system("rm " + BASE + "second")
shm_unlink("/shmguard-learn-tight")'
	section renamed 1 | grep -qx 'max-mode = 0660'
}

@test "objects of other users are learned by their owners, for the names that were theirs" {
	needs_root "another user's object"
	local program='
def others(*words):
    import subprocess
    subprocess.run(["env", "-i", "PATH=" + os.environ["PATH"], *words], check=True)
others("sh", "-c", "printf 12345 >%sa; chmod 666 %sa; chown 1235 %sa" % (BASE, BASE, BASE))
say(os.close, say(shm, "a", 0, os.O_RDWR))
say(os.close, say(shm, "b"))
shm_unlink("/shmguard-learn-b")
os.system("rm -f " + BASE + "a")'
	unchanged owners "$program"
	run -1 grep -x 'foreign-owner = warn' owners.ini
	section owners 2 >second
	diff second - <<-END
		exe = $(readlink -f "$PYTHON")
		name = /shmguard-learn-a
		foreign-owner = deny
		allow-uid = 1235
	END
	run under owners "${program/1235/4321}"
	echo "$output"
	[[ $output == *"shm Permission denied"* ]]
	: >/dev/shm/shmguard-learn-b
	chown 1235 /dev/shm/shmguard-learn-b
	run under owners 'say(shm, "b", 0, os.O_RDWR)'
	[ "$output" = "shm Permission denied" ]
	rm -f /dev/shm/shmguard-learn-*

	# What it gives away stays given.
	unchanged gives "${program/shm_unlink(/os.chown(BASE + \"b\", 77, -1); os.chown(BASE + \"a\", 78, -1); shm_unlink(}"
	grep -qx 'allow-uid = 78, 1235' gives.ini

	# A policy that only tells says the owner in its own way.
	printf '[default]\nmode = audit\nforeign-owner = deny\nunlink-by-stranger = deny\n' >audit.ini
	unchanged audited "$program" --policy=audit.ini
	[ "$(section audited 2 | grep '^name\|^allow')" = $'name = /shmguard-learn-a\nallow-uid = 1235' ]

	# A policy that refused others of them would let them be.
	printf '[default]\nunlink-by-stranger = deny\n' >deny.ini
	unchanged refused "${program/shm_unlink(/say(os.unlink, BASE + \"a\"); shm_unlink(}" --policy=deny.ini
	grep -qx 'foreign-owner = warn' refused.ini
	run -1 grep '^allow-uid' refused.ini
}

@test "to remove what oneself owns is no reason to let others' objects be removed" {
	unchanged own '
import subprocess
subprocess.run(["env", "-i", "sh", "-c", "echo >%sa" % BASE], check=True)
say(os.unlink, BASE + "a")'
	run -1 grep -x 'unlink-by-stranger = warn' own.ini
	needs_root "another user's object"
	: >/dev/shm/shmguard-learn-a
	chown 1235 /dev/shm/shmguard-learn-a
	run under own 'say(os.unlink, BASE + "a")'
	rm /dev/shm/shmguard-learn-a
	[ "$output" = "unlink Permission denied" ]
	unchanged theirs '
import subprocess
for name in "ab":
    subprocess.run(["env", "-i", "sh", "-c", "echo >%s%s" % (BASE, name)], check=True)
subprocess.run(["env", "-i", "chown", "1235", BASE + "a"], check=True)
say(os.unlink, BASE + "a"); say(os.unlink, BASE + "b")'
	section theirs 2 | grep -qx 'name = /shmguard-learn-a'
	section theirs 2 | grep -qx 'unlink-by-stranger = warn'
	[ "$(section theirs 1 | grep -c unlink-by-stranger)" -eq 0 ]
}
