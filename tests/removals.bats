#!/usr/bin/env bats
# A name that is removed while it is being made: the remover's own look found nothing there yet, and the call did.

load helpers
load enforce
bats_require_minimum_version 1.5.0

# removals HOW ROUNDS [DIRECTORY]: what it removed, and nothing else, is in the log by CALL, and gone in the model.
removals()
{
	rm -rf recording
	recorded removals "$1" "$2" "/$NAME" "${3:-/dev/shm}/$NAME"
	[ "$(cat out)" -eq "$2" ]
	"$SHMGUARD" log recording >calls
	run -1 compgen -G "/dev/shm/*$NAME*"
}

# told CALL COUNT: so many of these calls succeeded.
told()
{
	[ "$(grep -cE " $1\(.*\) = 0( |\$)" calls)" -eq "$2" ] || {
		grep -cE " $1\(.*\) = 0( |\$)" calls
		return 1
	}
}

# gone COUNT: so many objects, none of which has a name. A semaphore that is gone before its maker looks is not one of them.
gone()
{
	holds --argjson count "$1" '(.objects | length <= $count and (length == $count or any(.[]; .semaphore)) and
			all(.[]; .unlinked_by != null and (.leaked | not))) and
		all(.findings[]; .rule != "name-vanished" and .rule != "segment-leak")'
	"$SHMGUARD" objects recording >listed
	run -1 grep -F "$NAME" listed
}

@test "a name that is removed as soon as it is there: every removal is told, and nothing is left" {
	for how in shm_unlink sem_unlink unlink unlinkat remove; do
		removals "$how" 1000
		told "$how" 1000
		gone 1000
	done
}

@test "a name that is removed once it is known to be there" {
	for how in shm_unlink sem_unlink unlink unlinkat remove; do
		removals "$how-told" 50
		told "$how" 50
		gone 50
	done
}

@test "what is renamed as soon as it is there" {
	for how in rename rename-told; do
		removals "$how" 600
		told rename 600
		told unlink 600
		gone 600
	done
}

@test "what something is renamed over as soon as it is there" {
	for how in over over-told; do
		removals "$how" 600
		told rename 600
		told unlink 600
		holds '(.objects | length > 600 and all(.[]; .unlinked_by != null and (.leaked | not))) and
			all(.findings[]; .rule != "name-vanished" and .rule != "segment-leak")'
	done
}

# missing HOW: what removes names that are not there, by every call, and says so itself where a result or errno is another.
missing()
{
	cat >missing.c <<-'END'
		#define _GNU_SOURCE
		#include <errno.h>
		#include <fcntl.h>
		#include <semaphore.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/stat.h>
		#include <unistd.h>
		#define FAILS(call) \
			do { \
				errno = 0; \
				if ((call) != -1 || errno != ENOENT) \
					printf("%s: %s\n", #call, strerror(errno)); \
			} while (0)
		static char path[200], other[220], below[240];
		static void make(const char *at)
		{
			close(open(at, O_CREAT | O_EXCL | O_RDWR, 0600));
		}
		static void again(const char *name, int shm)
		{
			make(path);
			unlink(path);
			FAILS(unlink(path));
			FAILS(unlinkat(shm, name, 0));
			FAILS(remove(path));
			FAILS(unlink(name));
			FAILS(shm_unlink(name));
			mkdir(other, 0700);
			make(below);
			remove(below);
			FAILS(unlink(below));
			rmdir(other);
			FAILS(remove(below));
		}
		static void innocent(const char *name, int shm, const char *elsewhere)
		{
			FAILS(unlink(path));
			FAILS(unlinkat(shm, name, 0));
			FAILS(sem_unlink(name));
			FAILS(rename(path, other));
			FAILS(renameat(shm, name, shm, "other"));
			FAILS(unlink(""));
			FAILS(unlink(below));
			FAILS(unlink(elsewhere));
			make(path);
			rename(path, other);
			FAILS(unlink(path));
			unlink(other);
			make(path);
			unlink(path);
			FAILS(unlink(path));
			make(path);
			unlink(path);
		}
		int main(int count, char **arguments)
		{
			int shm = open("/dev/shm", O_DIRECTORY);
			sprintf(path, "/dev/shm/%s", arguments[2]);
			sprintf(other, "%s-other", path);
			sprintf(below, "%s/below", other);
			fchdir(shm);
			if (strcmp(arguments[1], "again") == 0)
				again(arguments[2], shm);
			else
				innocent(arguments[2], shm, arguments[3]);
			return 0;
		}
	END
	gcc -w missing.c -o missing
	rm -rf recording
	record recording ./missing "$1" "$NAME" "$PWD/$NAME" >out
	diff /dev/null out
	report recording >report.json
	holds '.trace.lost == 0 and .trace.complete and .unseen == []'
	"$SHMGUARD" log recording >calls
}

# failed CALL COUNT: so many of these calls found nothing.
failed()
{
	[ "$(grep -cE " $1\(.*\) = -1 ENOENT" calls)" -eq "$2" ] || {
		cat calls
		return 1
	}
}

@test "what is removed once more by its path is told, and found, as by shm_unlink" {
	missing again
	failed unlink 3
	failed unlinkat 1
	failed remove 2
	failed shm_unlink 1
	holds '[.findings[] | select(.rule == "double-unlink")] | (map(.count) | add) == 7 and all(.[]; .uncertain | not)'
	[ "$(grep -c "\"/dev/shm/$NAME\") = -1 ENOENT" calls)" -eq 4 ]
	[ "$(grep -c "\"/dev/shm/$NAME-other/below\") = -1 ENOENT" calls)" -eq 2 ]
}

@test "a name that never was, has moved, or is made again, is removed in vain without a finding" {
	missing innocent
	failed unlink 4
	failed unlinkat 1
	failed sem_unlink 1
	failed rename 1
	failed renameat 1
	holds 'all(.findings[]; .rule != "double-unlink")'
	run -1 grep -F "(\"$PWD/" calls
}

@test "a file elsewhere that is removed as soon as it is there is nobody's business" {
	removals unlink 300 "$PWD"
	told unlink 0
	holds '.objects == []'
	removals remove 300 "$PWD"
	told remove 0
}

@test "for a file elsewhere the kernel is asked for no more than one look before its removal" {
	# A file for each thread: in one for all a call that another comes between has two lines.
	record recording strace -ff -qq -o calls -e 'trace=!sched_yield' -e signal=none \
		"$PROGRAMS/removals" unlink-told 20 "/$NAME" "$PWD/$NAME" >out
	sed -n "/newfstatat(AT_FDCWD, \"$NAME\", {/,\$p" "$(grep -l "unlink(\"$NAME\"" calls.*)" | grep -v 'exit' >asked
	[ "$(grep -c "unlink(\"$NAME\") *= 0" asked)" -eq 20 ]
	[ "$(head -40 asked | grep -c "\"$NAME\"")" -eq 40 ]
}

# unlinks CODE: errno, and how many unlinks the kernel was asked for.
unlinks()
{
	program "$1"
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" \
		strace -f -qq -o calls -e trace=unlink,rename -e signal=none "$PYTHON" program.py >out
	echo "$(tr '\n' ' ' <out)$(grep -c "$NAME" calls || true)"
}

@test "what a policy is to know before it goes is not removed where nothing was: the kernel might find it by now" {
	local calls='attempt(shm_unlink, NAME); attempt(os.unlink, PATH); attempt(os.rename, PATH, PATH + "-new")'
	for rule in 'zero = on-unlink' 'secret = yes' 'unlink-by-stranger = deny'; do
		policy "[known]" "name = /$NAME" "$rule"
		[ "$(unlinks "$calls")" = "ENOENT ENOENT ENOENT 0" ]
	done
	run -1 grep -F "$NAME" audit.log
	policy "[known]" 'name = /another' 'secret = yes' 'unlink-by-stranger = deny'
	[ "$(unlinks "$calls")" = "ENOENT ENOENT ENOENT 3" ]
	policy 'mode = audit' "[known]" "name = /$NAME" 'zero = on-unlink'
	[ "$(unlinks "$calls")" = "ENOENT ENOENT ENOENT 3" ]
}

@test "a policy with wipes lets go what is removed as soon as it is there" {
	policy 'create-without-excl = off' 'predictable-name = off' "[wiped]" "name = /$NAME*" 'zero = on-unlink'
	for how in shm_unlink unlink unlinkat remove rename; do
		[ "$(SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/removals" "$how" 300 "/$NAME" \
			"/dev/shm/$NAME")" -eq 300 ]
		run -1 compgen -G "/dev/shm/*$NAME*"
	done
}
