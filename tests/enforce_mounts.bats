#!/usr/bin/env bats
# The policy where other file systems are mounted below /dev/shm, and where /dev/shm is none of its own.
load helpers
load enforce
bats_require_minimum_version 1.5.0

# mounted COMMANDS CODE: runs Python under the policy after the shell's commands, in a mount namespace of its own.
mounted()
{
	needs_root "a mount"
	program 'def made(path, mode=0o600, size=None):
    try:
        fd = os.open(path, RWC, mode)
        if size: os.ftruncate(fd, size)
        print(path, "made")
    except OSError as e:
        print(path, errno.errorcode[e.errno])
'"$2"
	# shellcheck disable=SC2016
	unshare -m sh -c 'set -e; eval "$1"; SHMGUARD_POLICY="$2" LD_PRELOAD="$3" "$4" program.py; [ ! -e after ] || cat after | sh' \
		sh "$1" "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" >out
}

unguarded_lines()
{
	grep 'action=unguarded' audit.log | cut -d ' ' -f 4- | sort
}

@test "what is mounted below /dev/shm is held as a directory of it is, and what is mounted elsewhere is not" {
	policy 'world-writable = deny' 'names = /h/ok*' 'name-not-allowed = deny' 'max-size = 4M' 'object-too-large = deny' \
		'[secret]' 'name = /h/ok-s' 'secret = yes' 'secret-left = fix'
	mkdir other
	# shellcheck disable=SC2028 # tr's own escape
	echo 'tr -d "\0" </dev/shm/h/ok-s | wc -c' >after
	mounted 'mount -t tmpfs tmpfs /dev/shm; mkdir /dev/shm/h; mount -t tmpfs tmpfs /dev/shm/h; mount -t tmpfs tmpfs other' '
made("/dev/shm/h/s"); made("/dev/shm/h/ok-w", 0o666); made("/dev/shm/h/ok-large", 0o600, 8 << 20); made("/dev/shm/h/ok", 0o600, 4096)
os.chdir("/dev/shm/h"); made("s"); made("ok-2"); attempt(os.rename, "ok-2", "s"); attempt(os.link, "ok-2", "s"); attempt(os.link, "ok-2", "../s"); os.chdir(sys.path[0])
made("other/w", 0o666, 8 << 20)
fd = os.open("/dev/shm/h/ok-s", RWC, 0o600); os.pwrite(fd, b"K" * 8192, 0)'
	cat out audit.log
	same out <(printf '%s\n' '/dev/shm/h/s EACCES' '/dev/shm/h/ok-w EACCES' '/dev/shm/h/ok-large EFBIG' '/dev/shm/h/ok made' \
		's EACCES' 'ok-2 made' EACCES EACCES EXDEV 'other/w made' 0)
	grep -q 'rule=name-not-allowed object=/h/s action=denied' audit.log
	grep -q 'rule=object-too-large object=/h/ok-large action=denied' audit.log
	grep -q 'rule=secret-left object=/h/ok-s action=fixed' audit.log
	run -1 grep action=unguarded audit.log
}

@test "what is mounted below /dev/shm and cannot be held is let go, and told at the start" {
	policy 'world-writable = deny' 'names = /ok*' 'name-not-allowed = deny' 'max-size = 4M' 'object-too-large = deny'
	mkdir disk shared
	mounted 'mount -t tmpfs tmpfs /dev/shm; mkdir /dev/shm/disk /dev/shm/shared /dev/shm/part; mount --bind disk /dev/shm/disk
mount -t tmpfs tmpfs shared; mkdir shared/part; mount --bind shared /dev/shm/shared; mount --bind shared/part /dev/shm/part' '
for path in "disk/", "shared/", "shared/part/", "/dev/shm/disk/", "/dev/shm/shared/", "/dev/shm/part/": made(path + "w", 0o666, 8 << 20)
made("/dev/shm/s"); made("/dev/shm/ok")'
	cat out audit.log
	[ "$(grep -c made out)" -eq 7 ]
	[ "$(tail -n 2 out | xargs)" = '/dev/shm/s EACCES /dev/shm/ok made' ]
	unguarded_lines | same /dev/stdin <(printf 'rule=- object=/%s action=unguarded errno=0 at=start why=%s\n' \
		disk not-tmpfs part mounted-elsewhere shared mounted-elsewhere)
}

@test "where /dev/shm is a directory of a disk, what is made in it is held, that it is told, and the disk is left alone" {
	policy 'world-writable = deny' 'names = /ok*' 'name-not-allowed = deny' 'symlink-or-special = deny'
	mkdir -p disk/d elsewhere/d
	ln -s d elsewhere/l
	chown -h 1234 elsewhere/l
	mounted 'mount --bind disk /dev/shm' '
for path in "/dev/shm/s", "/dev/shm/ok", "/dev/shm/d/s", "elsewhere/s", "elsewhere/l/s", os.getcwd() + "/elsewhere/ok": made(path)
made("/dev/shm/ok-w", 0o666); made("elsewhere/w", 0o666); attempt(os.unlink, "elsewhere/w"); attempt(os.unlink, "/dev/shm/ok")'
	cat out audit.log
	sed "s,$PWD/,," out | same /dev/stdin <(printf '%s\n' '/dev/shm/s EACCES' '/dev/shm/ok made' '/dev/shm/d/s EACCES' 'elsewhere/s made' \
		'elsewhere/l/s made' 'elsewhere/ok made' '/dev/shm/ok-w EACCES' 'elsewhere/w made' 'ok None' 'ok None')
	unguarded_lines | same /dev/stdin <(echo 'rule=- object=/dev/shm action=unguarded errno=0 at=start why=not-tmpfs')
}

@test "where /dev/shm is a directory of a larger tmpfs, no name of the rest of that is refused" {
	policy 'world-writable = deny' 'names = /ok*' 'name-not-allowed = deny'
	mkdir large
	mounted 'mount -t tmpfs tmpfs large; mkdir large/shm large/shm/d large/d; mount --bind large/shm /dev/shm' '
for path in "/dev/shm/s", "/dev/shm/ok", "/dev/shm/d/s", "large/s", "large/d/s", "large/shm/s", "large/shm/ok2": made(path)
made("/dev/shm/ok-w", 0o666)'
	cat out audit.log
	same out <(printf '%s\n' '/dev/shm/s EACCES' '/dev/shm/ok made' '/dev/shm/d/s EACCES' 'large/s made' 'large/d/s made' \
		'large/shm/s EACCES' 'large/shm/ok2 made' '/dev/shm/ok-w EACCES')
	run -1 grep action=unguarded audit.log
}

@test "below a root whose /dev/shm is a directory of its disk that is held, and the rest of the disk is left alone" {
	policy 'world-writable = deny' 'names = /ok*' 'name-not-allowed = deny'
	mkdir -p jail/dev/shm jail/d
	mounted 'mount --bind jail jail' '
os.chroot("jail"); os.chdir("/")
for path in "/s", "d/s", "/dev/s", "/dev/shm/s", "dev/shm/s", "/dev/shm/ok": made(path)'
	cat out audit.log
	same out <(printf '%s\n' '/s made' 'd/s made' '/dev/s made' '/dev/shm/s EACCES' 'dev/shm/s EACCES' '/dev/shm/ok made')
	grep -q 'rule=name-not-allowed object=/s action=denied' audit.log
}
