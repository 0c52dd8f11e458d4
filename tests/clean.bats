#!/usr/bin/env bats
# shmguard clean: what it takes for a ghost, what it leaves alone, and that nothing live is lost.

load helpers
load machine

setup()
{
	needs_root "a machine of its own"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# The machine of a test is a pid namespace of its own, which is what --force is for.
clean()
{
	"$SHMGUARD" clean --force "$@" 2>err.txt
}
export -f clean

@test "clean: ghosts are shown first, and with --yes removed, each with what was freed" {
	in_machine '
		zoo live
		head -c 100000 /dev/zero >/dev/shm/ghost
		touch /dev/shm/sem.ghost
		mkdir /dev/shm/build && touch /dev/shm/build/file
		clean --older=0 >show.txt
		ls -A /dev/shm >before.txt
		clean --older=0 --yes >yes.txt
		ls -A /dev/shm >after.txt'
	tr -s ' \n' ' ' <show.txt | grep -qE 'would remove /ghost \(shm, 100K, of root, touched [0-9]+s ago\): no process has it open or mapped'
	grep -q '^2 objects, 100K: --yes removes them$' show.txt
	[ "$(tr '\n' ' ' <before.txt)" = 'build ghost live sem.ghost ' ]
	grep -qx 'removed /ghost: 100K freed' yes.txt
	grep -qx 'removed /sem.ghost: 0 freed' yes.txt
	grep -qx '2 objects removed, 100K freed' yes.txt
	[ "$(tr '\n' ' ' <after.txt)" = 'build live ' ]
}

@test "clean: ghosts in directories, on other file systems and in other namespaces are told of; --below takes a directory's" {
	in_machine '
		zoo elsewhere
		mkdir -p "/dev/shm/a b/deep"; mkdir /dev/shm/link
		head -c 5000 /dev/zero >"/dev/shm/a b/one"; touch "/dev/shm/a b/two" "/dev/shm/a b/deep/three" /dev/shm/top
		ln -s "a b" /dev/shm/l
		unshare -m sh -c "mount -t tmpfs tmpfs /dev/shm && touch /dev/shm/theirs && echo ready && exec sleep 60" >inner & inner=$!
		until grep -q ready inner; do sleep 0.05; done
		clean --older=0 --yes >all.txt
		clean --older=0 --below=/dev/shm/a\ b/ >shown.txt
		clean --older=0 --below="a b" --yes >below.txt
		clean --older=0 --below=l --yes >link.txt || echo $? >link.status
		clean --older=0 --below=../run 2>dots.txt || echo $? >dots.status
		(cd /dev/shm && find . -type f | sort) >left.txt
		ls /run/plain >>left.txt
		kill $inner'
	tr -s ' \n' ' ' <all.txt >all
	grep -q 'does not remove 2 files, 8.0K, in the directory /dev/shm/a b: .* --below=./a b. takes them' all
	grep -q 'does not remove 1 file, 0, in the directory /dev/shm/a b/deep' all
	grep -qE 'does not remove 1 file, 0, of /dev/shm in the mount namespace of process [0-9]+: .nsenter' all
	grep -qE 'does not remove [0-9]+ files?, [^ ]+, on /run: nothing there tells' all
	grep -qx 'removed /top: 0 freed' all.txt
	grep -q '^would remove /a b/one ' shown.txt
	grep -qx 'removed /a b/one: 8.0K freed' below.txt
	grep -qx 'removed /a b/two: 0 freed' below.txt
	[ "$(cat link.status)" -eq 3 ]
	[ "$(cat dots.status)" -eq 2 ]
	[ "$(tr '\n' ' ' <left.txt)" = './a b/deep/three /run/plain ' ]
}

@test "clean: too recent, kept by name, kept by design, another user's" {
	in_machine '
		touch /dev/shm/recent /dev/shm/wanted-1 /dev/shm/jack-shm-registry /dev/shm/theirs
		chown 65534 /dev/shm/theirs
		clean --yes >recent.txt
		clean --yes --older=0 --keep="/recent" --keep="wanted*" >kept.txt
		ls /dev/shm >kept.ls
		clean --yes --older=0 --all >all.txt
		ls /dev/shm >all.ls
	'
	tr -s ' \n' ' ' <recent.txt >recent
	grep -qE 'keeps /recent \(.*\): that is too recent: --older' recent
	grep -qE 'keeps /theirs \([^)]*\): it is another user' recent
	grep -qE "keeps /jack-shm-registry .*JACK's registry" recent
	[ "$(tr '\n' ' ' <kept.ls)" = 'jack-shm-registry recent theirs wanted-1 ' ]
	[ "$(tr '\n' ' ' <all.ls)" = 'jack-shm-registry ' ]
	grep -qx 'removed /theirs: 0 freed' all.txt
}

@test "clean: an ordinary user removes his own and may not ask for others'" {
	make_nobody_build
	in_machine '
		touch /dev/shm/mine /dev/shm/roots
		chown 65534 /dev/shm/mine; chmod 666 /dev/shm/roots
		as_user "$NOBODY_BUILD/shmguard" clean --force --older=0 --yes >out.txt 2>err.txt
		ls /dev/shm >left.txt
		as_user "$NOBODY_BUILD/shmguard" clean --all >all.txt 2>&1 || echo $? >status'
	remove_nobody_build
	grep -qx 'removed /mine: 0 freed' out.txt
	[ "$(cat left.txt)" = roots ]
	[ "$(cat status)" -eq 2 ]
	grep -q -- '--all is for root' all.txt
}

@test "clean: where processes cannot be seen it refuses, and --force names them" {
	in_machine '
		touch /dev/shm/ghost
		"$SHMGUARD" clean --older=0 --yes >out.txt 2>err.txt || echo $? >status
		ls /dev/shm >left.txt
		"$SHMGUARD" clean --older=0 --yes --force >forced.txt 2>forced.err'
	[ "$(cat status)" -eq 3 ]
	[ "$(cat left.txt)" = ghost ]
	tr -s ' \n' ' ' <err.txt | grep -qE 'not all processes can be seen: this is the pid namespace [0-9]+, those outside of it are not listed'
	grep -q 'removed /ghost' forced.txt
	tr -s ' \n' ' ' <forced.err | grep -qE -- '--force, although not all processes can be seen: this is the pid namespace'
}

@test "clean: hidepid makes it refuse" {
	make_nobody_build
	in_machine '
		mount -t proc -o hidepid=2 proc /proc
		touch /dev/shm/mine; chown 65534 /dev/shm/mine
		as_user "$NOBODY_BUILD/shmguard" clean --older=0 --yes 2>err.txt || echo $? >status
		ls /dev/shm >left.txt'
	remove_nobody_build
	[ "$(cat status)" -eq 3 ]
	[ "$(cat left.txt)" = mine ]
	tr -s ' \n' ' ' <err.txt | grep -q 'hidepid, which leaves out those of other users'
}

@test "clean: what only the kernel knows to be in use stays: a descriptor on its way through a socket" {
	in_machine '
		"$PYTHON" -c "
import os, socket, time
one, other = socket.socketpair()
fd = os.open(\"/dev/shm/travels\", os.O_RDWR | os.O_CREAT, 0o600)
socket.send_fds(one, [b\"x\"], [fd])
os.close(fd)
print(\"ready\", flush=True)
time.sleep(60)" >ready & travelling=$!
		until grep -q ready ready; do sleep 0.05; done
		"$SHMGUARD" ls --older=0 --json >ls.json
		clean --older=0 --yes >out.txt || echo $? >status
		ls -A /dev/shm >left.txt
		kill $travelling'
	[ "$(object /travels .state)" = ghost ]
	grep -q '^kept /travels: somebody has it open or mapped' out.txt
	[ "$(cat status)" -eq 1 ]
	[ "$(cat left.txt)" = travels ]
}

@test "clean: who attaches between the lease and the move has his object, and the name leads to it" {
	in_machine '
		echo contents >/dev/shm/wanted
		echo contents >/dev/shm/other
		strace -qq -o strace.txt -e trace=renameat2 -e inject=renameat2:delay_enter=700000:when=2 \
			"$SHMGUARD" clean --force --older=0 --yes --zero >out.txt 2>err.txt & cleaner=$!
		# The first of both is aside, the lease on the second is taken.
		until [ ! -e /dev/shm/other ]; do sleep 0.01; done
		sleep 0.1
		"$PYTHON" -c "
import os
fd = os.open(\"/dev/shm/wanted\", os.O_RDWR)
assert os.stat(\"/dev/shm/wanted\").st_ino == os.fstat(fd).st_ino, \"the name leads elsewhere\"
assert os.read(fd, 100) == b\"contents\n\""
		wait $cleaner || echo $? >status
		ls -A /dev/shm >left.txt'
	grep -q '^kept /wanted: somebody opened it just now' out.txt
	grep -q '^removed /other: wiped' out.txt
	[ "$(cat status)" -eq 1 ]
	[ "$(cat left.txt)" = wanted ]
}

@test "clean: a name that leads to another object since the look is left alone" {
	in_machine '
		echo old >/dev/shm/name
		strace -qq -o strace.txt -e trace=renameat2 -e inject=renameat2:delay_enter=700000:when=1 \
			"$SHMGUARD" clean --force --older=0 --yes >out.txt 2>err.txt & cleaner=$!
		until compgen -G "/dev/shm/.shmguard-clean.*" >/dev/null; do sleep 0.01; done
		sleep 0.1
		rm /dev/shm/name; echo new >/dev/shm/name
		wait $cleaner || true
		cat /dev/shm/name >name.txt
		ls -A /dev/shm >left.txt'
	[ "$(cat name.txt)" = new ]
	[ "$(cat left.txt)" = name ]
	grep -q '^kept /name: the name leads to another object now' out.txt
}

@test "clean: a cleaner that was killed loses nothing: the next moves the names back" {
	in_machine '
		echo one >/dev/shm/one; echo two >/dev/shm/two
		strace -qq -o strace.txt -e trace=unlinkat -e inject=unlinkat:delay_enter=5000000:when=1 \
			"$SHMGUARD" clean --force --older=0 --yes >/dev/null 2>&1 & strace=$!
		until [ ! -e /dev/shm/one ] && [ ! -e /dev/shm/two ]; do sleep 0.01; done
		kill -KILL $(cat "/proc/$strace/task/$strace/children")
		wait || true
		mkdir /dev/shm/aside; touch /dev/shm/aside/busy
		clean --yes >out.txt
		cat /dev/shm/one /dev/shm/two >contents.txt
		ls -A /dev/shm >left.txt'
	grep -q 'a cleaner was killed: 2 of its names are back' err.txt
	[ "$(tr '\n' ' ' <contents.txt)" = 'one two ' ]
	[ "$(tr '\n' ' ' <left.txt)" = 'aside one two ' ]
}

@test "clean: where no inode is left it works as well, and what a killed one left comes back" {
	in_machine '
		mount -t tmpfs -o nr_inodes=8,mode=1777 tmpfs /dev/shm
		for i in 1 2 3 4 5 6 7; do echo $i >/dev/shm/g$i; done
		! touch /dev/shm/more 2>/dev/null || echo room for more
		exec 8</dev/shm/g3
		strace -qq -o strace.txt -e trace=unlinkat -e inject=unlinkat:delay_enter=5000000:when=1 \
			"$SHMGUARD" clean --force --older=0 --yes >/dev/null 2>&1 & strace=$!
		until [ ! -e /dev/shm/g7 ]; do sleep 0.01; done
		ls -A /dev/shm >meanwhile.txt
		kill -KILL $(cat "/proc/$strace/task/$strace/children")
		wait || true
		clean --older=10m --yes >out.txt
		cat /dev/shm/g? >contents.txt
		clean --older=0 --yes >out.txt
		ls -A /dev/shm >left.txt'
	[ "$(grep -cE '^\.shmguard-clean\.[0-9a-f]{16}\.g[1-7]$' meanwhile.txt)" -eq 6 ]
	[ "$(tr -d '\n' <contents.txt)" = 1234567 ]
	grep -q '^6 objects removed, 24K freed$' out.txt
	[ "$(cat left.txt)" = g3 ]
}

@test "clean: 1,000 objects that are attached to while two cleaners run: nothing live is lost" {
	in_machine '"$PROGRAMS/clean_race" "$SHMGUARD" 1000 >race.txt' || { cat race.txt; false; }
	cat race.txt
	grep -qE '^1000 races: [1-9][0-9]* attached, [0-9]+ made anew, [1-9][0-9]* found nothing, [0-9]+ waited, [0-3] overtaken, 0 lost$' race.txt
}

@test "clean --zero: wiped before the name goes; another name keeps the contents" {
	in_machine '
		head -c 10000 /dev/urandom >/dev/shm/twice; ln /dev/shm/twice /dev/shm/build 2>/dev/null
		mkdir /dev/shm/dir; mv /dev/shm/build /dev/shm/dir/build
		head -c 10000 /dev/urandom >/dev/shm/once
		strace -qq -o strace.txt -e trace=fallocate,unlinkat "$SHMGUARD" clean --force --older=0 --yes --zero >out.txt 2>&1 ||
			echo $? >status
		wc -c </dev/shm/dir/build >size.txt'
	grep -q '^removed /once: wiped, 12K freed' out.txt
	grep -q '^kept /twice: it has another name' out.txt
	[ "$(cat status)" -eq 1 ]
	[ "$(cat size.txt)" -eq 10000 ]
	# Rounded up to the page, before the unlink.
	[ "$(grep -oE '^(fallocate|unlinkat).*' strace.txt | sed -n '1s/, \?/ /gp' | grep -c 'PUNCH_HOLE 0 12288')" -eq 1 ]
}

@test "clean: System V is only explained" {
	in_machine '
		id=$(ipcmk -M 4096 | grep -o "[0-9]*$")
		clean --older=0 >out.txt
		clean --older=0 --yes >>out.txt
		ipcs -m -i "$id" >ipcs.txt'
	[ "$(tr -s ' \n' ' ' <out.txt | grep -oE 'nobody has it attached: ipcrm -m [0-9]+' | wc -l)" -eq 2 ]
}

@test "clean --show-keep: the list by name, process and reason" {
	run "$SHMGUARD" clean --show-keep --keep='/my-*'
	[ "$status" -eq 0 ]
	for name in /jack-shm-registry '/pulse-shm-\*' '/lttng-ust-wait-\*' '/PostgreSQL.\*'; do
		grep -q "^$name  " <<<"$output"
	done
	grep -q '^/PostgreSQL.\*  *postgres ' <<<"$output"
	grep -q '^/my-\*  *-  *--keep' <<<"$output"
}

@test "clean: options and operands" {
	run "$SHMGUARD" clean everything
	[ "$status" -eq 2 ]
	run "$SHMGUARD" clean --older=yesterday
	[ "$status" -eq 2 ]
	[[ $output == *'an age is a number of seconds'* ]]
}
