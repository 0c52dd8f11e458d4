#!/usr/bin/env bats
# shmguard explain: the reason that it finds is the one for which the call fails.

load helpers
load machine

setup_file()
{
	[ "$(id -u)" -ne 0 ] || make_nobody_build
}

teardown_file()
{
	[ "$(id -u)" -ne 0 ] || remove_nobody_build
}

setup()
{
	needs_root "a machine of its own"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	regular_back
}

# call PYTHON: the errno, by its name, with which a call fails for nobody.
call()
{
	as_user "$PYTHON" -c "
import errno, os, _posixshmem
try:
    $1
    print('none')
except OSError as error:
    print(errno.errorcode[error.errno])"
}

# explained ERRNO [NAME]: as nobody, on one line.
explained()
{
	as_user env COLUMNS=200 "$NOBODY_BUILD/shmguard" explain "$@" || echo "status $?"
}
export -f call explained

@test "explain EACCES: the mode, the sticky directory, an access control list" {
	in_machine '
		touch /dev/shm/closed /dev/shm/read /dev/shm/listed
		chmod 600 /dev/shm/closed; chmod 664 /dev/shm/read; chmod 666 /dev/shm/listed
		setfacl -m u:65534:--- /dev/shm/listed
		call "_posixshmem.shm_open(\"/closed\", os.O_RDONLY)"; explained EACCES /closed >closed.txt
		call "_posixshmem.shm_open(\"/read\", os.O_RDWR)"; explained EACCES /read >read.txt
		call "_posixshmem.shm_unlink(\"/read\")"
		call "_posixshmem.shm_open(\"/listed\", os.O_RDONLY)"; explained EACCES listed >listed.txt' >errnos
	[ "$(tr '\n' ' ' <errnos)" = 'EACCES EACCES EACCES EACCES ' ]
	grep -q '^YES .*mode refuses it: the object has mode 0600, of root: to you, as others, reading and writing is refused' closed.txt
	grep -q '^YES .*mode 0664, of root: to you, as others, writing (O_RDWR, O_TRUNC) is refused' read.txt
	grep -q "^YES .*shm_unlink() of another user's object: /dev/shm is sticky: only the object's owner, root" read.txt
	grep -q '^YES .*an access control list refuses it' listed.txt
	grep -q "^no .*the object's mode refuses it" listed.txt
	grep -q '^no .*an access control list refuses it' closed.txt
}

@test "explain EACCES: fs.protected_regular" {
	regular_is 1
	in_machine '
		touch /dev/shm/theirs; chown 1234 /dev/shm/theirs; chmod 666 /dev/shm/theirs
		call "_posixshmem.shm_open(\"/theirs\", os.O_RDWR | os.O_CREAT)"; explained EACCES /theirs >out.txt' >errnos
	[ "$(cat errnos)" = EACCES ]
	grep -q "^YES .*O_CREAT on another user's object in a sticky directory: fs.protected_regular is" out.txt
}

@test "explain EACCES: nothing is wrong now" {
	in_machine '
		touch /dev/shm/open; chmod 666 /dev/shm/open; chown 65534 /dev/shm/open
		call "_posixshmem.shm_open(\"/open\", os.O_RDWR | os.O_CREAT)"; explained EACCES /open >out.txt' >errnos
	[ "$(cat errnos)" = none ]
	run grep '^YES' out.txt
	[ -z "$output" ]
	grep -q '^no .*mode refuses it$' out.txt
}

@test "explain: names that are not there, are there, are bad, too long, links" {
	in_machine '
		touch /dev/shm/there /dev/shm/sem.only; ln -s there /dev/shm/link
		long=$(printf "n%.0s" {1..256})
		call "_posixshmem.shm_open(\"/only\", os.O_RDONLY)"; explained ENOENT /only >enoent.txt
		call "_posixshmem.shm_open(\"/there\", os.O_RDWR | os.O_CREAT | os.O_EXCL)"; explained EEXIST /there >eexist.txt
		call "_posixshmem.shm_open(\"/a/b\", os.O_RDONLY)"; explained EINVAL /a/b >einval.txt
		call "_posixshmem.shm_open(\"/$long\", os.O_RDONLY)"; explained ENAMETOOLONG "/$long" >long.txt
		call "_posixshmem.shm_open(\"/link\", os.O_RDONLY)"; explained ELOOP /link >eloop.txt' >errnos
	[ "$(tr '\n' ' ' <errnos)" = 'ENOENT EEXIST EINVAL ENAMETOOLONG ELOOP ' ] ||
		[ "$(tr '\n' ' ' <errnos)" = 'ENOENT EEXIST EINVAL EINVAL ELOOP ' ]
	grep -q '^YES .*no object of this name.*there is a semaphore of this name' enoent.txt
	grep -q "^YES .*the object exists: it is root's, idle" eexist.txt
	grep -q '^YES .*it has a slash inside' einval.txt
	grep -q '^YES .*it has 256 bytes without its slashes; 255 are allowed' long.txt
	grep -q '^YES .*symbolic link' eloop.txt
}

@test "explain ENOENT: another mount namespace has the name" {
	in_machine '
		as=(unshare --mount sh -c "mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec \"\$@\"" sh)
		zoo private
		COLUMNS=200 "$SHMGUARD" explain ENOENT /private >out.txt'
	grep -qE '^YES .*process [0-9]+ has one in the /dev/shm of its own mount namespace' out.txt
}

@test "explain ENOSPC and EFBIG: space, inodes, limits" {
	in_machine '
		explained ENOSPC >empty.txt
		mount -t tmpfs -o mode=1777,size=1m,nr_inodes=5 tmpfs /dev/shm
		head -c 1M /dev/zero >/dev/shm/fill
		explained ENOSPC >full.txt
		touch /dev/shm/{1,2,3}
		explained ENOSPC >inodes.txt
		ulimit -f 1024
		explained EFBIG >efbig.txt'
	grep -q '^None of the reasons holds now' empty.txt
	grep -q '^status 1' empty.txt
	grep -q '^YES .*/dev/shm is full: 0 of 1.0M are left' full.txt
	grep -q '^YES .*no inode left: 0 of 5' inodes.txt
	grep -q '^maybe .*RLIMIT_FSIZE (ulimit -f) is 1.0M here' efbig.txt
}

@test "explain: a rule is what rules says of it; nonsense is refused, and names are safe" {
	"$SHMGUARD" explain segment-leak >one
	"$SHMGUARD" rules segment-leak >other
	same one other
	run "$SHMGUARD" explain segment-lea
	[ "$status" -eq 2 ]
	[[ $output == *"is it 'segment-leak'"* ]]
	run "$SHMGUARD" explain
	[ "$status" -eq 2 ]
	run "$SHMGUARD" explain eacces $'/\e[31mred\n'
	[[ $output == *'EACCES (Permission denied) of /\x1b[31mred\n, for root'* ]]
	run "$SHMGUARD" explain EPIPE
	[ "$status" -eq 1 ]
}
