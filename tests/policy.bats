#!/usr/bin/env bats
# shmguard policy: what a person is told about a policy before a program is held to it.

load helpers
load policy
bats_require_minimum_version 1.5.0

# check_fails FILE: with status 2, nothing on stdout; what is told is in ./told.
check_fails()
{
	local status=0
	"$SHMGUARD" policy check "$1" >out 2>told || status=$?
	cat told
	[ "$status" -eq 2 ]
	[ ! -s out ]
}

@test "policy check tells every error with file, line, key, what was expected and the nearest name" {
	printf '%s\n' '[default]' 'world-writeable = deny' 'max-mode = 0888' '' '[ours]' 'nonsense' 'segment-leak = fix' \
		'exec-map = dney' 'zero = on-atach' >policy.ini
	printf '[default]\nmode = adit\nlog = syslg\n' >others.ini
	check_fails others.ini
	grep -qF "not 'adit'; did you mean 'audit'?" told
	grep -qF "not 'syslg'; did you mean 'syslog'?" told
	check_fails policy.ini
	[ "$(wc -l <told)" -eq 6 ]
	grep -qF "not 'on-atach'; did you mean 'on-attach'?" told
	grep -qxF "shmguard: policy.ini:2: there is no key 'world-writeable'; did you mean 'world-writable'?" told
	grep -qxF "shmguard: policy.ini:3: 'max-mode' takes an octal mode, 0 to 07777, not '0888'" told
	grep -qxF "shmguard: policy.ini:6: this is neither [a heading] nor key = value" told
	grep -qxF "shmguard: policy.ini:7: 'segment-leak' cannot be fixed: it is off, note or warn" told
	grep -qxF "shmguard: policy.ini:8: 'exec-map' takes off, note, warn, deny or fix, not 'dney'; did you mean 'deny'?" told
}

@test "policy check accepts what is good, and errors of one of several files make it fail" {
	printf '[default]\nworld-writable = deny\n[a]\nname = /a\nsecret = yes\n' >good.ini
	printf '[a]\nname = /a\nsecrets = yes\n' >bad.ini
	run "$SHMGUARD" policy check good.ini
	[ "$status" -eq 0 ]
	[ "$output" = "good.ini: good, 2 sections" ]
	run "$SHMGUARD" policy check good.ini bad.ini
	[ "$status" -eq 2 ]
	[[ $output == *"bad.ini:3: there is no key 'secrets'; did you mean 'secret'?"* ]]
}

@test "every verb of policy tells how it is used, and keeps to itself what is no question" {
	local verb
	for verb in check show learn keys explain; do
		run --separate-stderr "$SHMGUARD" policy "$verb" --help
		[ "$status" -eq 0 ]
		[[ $output == "Usage: shmguard policy "* && -z $stderr ]]
	done
	run -2 "$SHMGUARD" policy check ./--help
	[[ $output == "shmguard: ./--help: cannot be opened"* ]]
}

@test "policy check takes what stands behind -- for a file, and tells of options that there are not" {
	printf '[default]\nworld-writable = deny\n' >--help
	cp -- --help good.ini
	run -0 "$SHMGUARD" policy check -- --help good.ini
	[ "$output" = $'--help: good, 1 section\ngood.ini: good, 1 section' ]
	run -0 "$SHMGUARD" policy check good.ini --
	run -2 "$SHMGUARD" policy check -- --
	[[ $output == "shmguard: --: cannot be opened"* ]]
	run -2 "$SHMGUARD" policy check --
	run -2 "$SHMGUARD" policy check --wrong good.ini
	[[ $output == "shmguard: there is no option '--wrong'"* ]]
	run -0 "$SHMGUARD" policy show -- safe
	run -3 "$SHMGUARD" policy learn -- --help
	[[ $output == *--help* ]]
}

@test "the nearest name is told of words in another case, too" {
	printf '%s\n' '[default]' 'world-writable = FIX' 'Exec-Map = deny' 'mode = AUDIT' 'LOG = none' >policy.ini
	check_fails policy.ini
	[ "$(sed "s/.*did you mean//" told | xargs)" = "fix? exec-map? audit? log?" ]
}

@test "a log that is the policy's own file, or one that it includes, is refused whatever it is called" {
	local name
	printf '[default]\nlog = file:%s/q.ini\n' "$PWD" >q.ini
	check_fails q.ini
	[ "$(cat told)" = "shmguard: q.ini:2: 'log' takes a file of its own, none that the policy is read from, not '$PWD/q.ini'" ]
	run -125 env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/q.ini" true
	[[ $output == "shmguard: $PWD/q.ini:2: 'log' takes a file of its own"* ]]
	[ "$(wc -l <q.ini)" -eq 2 ]
	printf '[default]\nworld-writable = deny\n' >first.ini
	printf '[default]\nexec-map = deny\n' >last.ini
	ln last.ini hard.log
	ln -s first.ini soft.log
	for name in first.ini last.ini hard.log soft.log outer.ini ../"${PWD##*/}"/first.ini; do
		printf '%s\n' '[default]' 'include = first.ini' "log = file:$PWD/$name" 'include = last.ini' >outer.ini
		check_fails outer.ini
		grep -qxF "shmguard: outer.ini:3: 'log' takes a file of its own, none that the policy is read from, not '$PWD/$name'" told
	done
	: >own.log
	for name in own.log missing.log q.ini; do
		sed -i "s,^log = .*,log = file:$PWD/$name," outer.ini
		"$SHMGUARD" policy check outer.ini
	done
	printf '%s\n' '[default]' "log = file:$PWD/overridden.ini" 'include = inner.ini' >overridden.ini
	printf '[default]\nlog = none\n' >inner.ini
	"$SHMGUARD" policy check overridden.ini
}

@test "policy check refuses files that are not there, not files, or not safe from others" {
	check_fails missing.ini
	grep -qxF 'shmguard: missing.ini: cannot be opened: No such file or directory' told
	check_fails .
	grep -qxF 'shmguard: .: is not a regular file' told
	mkfifo fifo
	check_fails fifo
	grep -qF 'is not a regular file' told
	printf '[default]\nsecret = yes\n' >open.ini
	chmod 666 open.ini
	check_fails open.ini
	grep -qF 'can be written by others' told
	printf 'include = open.ini\n' >outer.ini
	check_fails outer.ini
	grep -qxF 'shmguard: outer.ini:1: open.ini: can be written by others: chmod go-w' told
	printf '[default]\ninclude = /dev/null\n' >outer.ini
	check_fails outer.ini
	grep -qxF 'shmguard: outer.ini:2: /dev/null: is not a regular file' told
	printf '[default]\ninclude = gone.ini\n' >outer.ini
	check_fails outer.ini
	grep -qxF 'shmguard: outer.ini:2: gone.ini: cannot be opened: No such file or directory' told
	mkdir -m 777 anybodys
	printf "[default]\nsecret = yes\n" >anybodys/good.ini
	check_fails anybodys/good.ini
	grep -qxF 'shmguard: anybodys/good.ini: can be replaced by others, to whom anybodys belongs or is open to write to' told
	mkdir -m 755 anybodys/own
	cp anybodys/good.ini anybodys/own
	check_fails "$PWD/anybodys/own/good.ini"
	grep -qxF "shmguard: $PWD/anybodys/own/good.ini: can be replaced by others, to whom $PWD/anybodys belongs or is open to write to" told
	ln -s anybodys/own led
	check_fails led/good.ini
	chmod 1777 anybodys
	"$SHMGUARD" policy check anybodys/good.ini anybodys/own/good.ini led/good.ini
	head -c 2000000 /dev/zero >zeros.ini
	check_fails zeros.ini
	grep -qF 'too large' told
	head -c 1000 /dev/zero >nul.ini
	check_fails nul.ini
	grep -qF 'NUL byte' told
}

@test "a policy of another user is refused" {
	[ "$(id -u)" -eq 0 ] || skip "only root can give a file away"
	printf '[default]\nsecret = yes\n' >foreign.ini
	chown 65534 foreign.ini
	check_fails foreign.ini
	grep -qxF 'shmguard: foreign.ini: belongs to another user, who could change the policy' told
	mkdir -p theirs/own
	printf '[default]\nsecret = yes\n' >theirs/own/good.ini
	ln -s theirs/own/good.ini led.ini
	"$SHMGUARD" policy check theirs/own/good.ini led.ini
	chown -h 65534 led.ini
	check_fails led.ini
	chown 65534 theirs
	chown -h 0 led.ini
	check_fails led.ini
	check_fails theirs/own/good.ini
	grep -qxF 'shmguard: theirs/own/good.ini: can be replaced by others, to whom theirs belongs or is open to write to' told
}

# refused: a policy in ./shared is, since others may write there.
refused()
{
	check_fails shared/good.ini
	grep -qxF 'shmguard: shared/good.ini: can be replaced by others, to whom shared belongs or is open to write to' told
}

@test "a policy in a directory that another group can write to is refused" {
	[ "$(id -u)" -eq 0 ] || skip "only root can give a directory to any group"
	mkdir -m 775 shared
	printf '[default]\nsecret = yes\n' >shared/good.ini
	"$SHMGUARD" policy check shared/good.ini
	chgrp 3000 shared
	refused
	run -125 env SHMGUARD_POLICY="$PWD/shared/good.ini" LD_PRELOAD="$BUILD/libshmguard.so" true
	[ "${#lines[@]}" -eq 1 ]
	# To whom it is the group he makes files with, it is as good as himself.
	setpriv --regid 3000 --clear-groups "$SHMGUARD" policy check shared/good.ini
	run -2 setpriv --regid 3001 --groups 3000 "$SHMGUARD" policy check shared/good.ini
	chmod 1775 shared
	"$SHMGUARD" policy check shared/good.ini
	chmod 755 shared
	"$SHMGUARD" policy check shared/good.ini
	env SHMGUARD_POLICY="$PWD/shared/good.ini" LD_PRELOAD="$BUILD/libshmguard.so" true
}

@test "a policy in a directory that an access list lets others write to is refused" {
	command -v setfacl >/dev/null || skip "no setfacl"
	mkdir -m 755 shared
	printf '[default]\nsecret = yes\n' >shared/good.ini
	setfacl -m u:3000:rwx shared || skip "no access lists here"
	refused
	for list in g:3000:wx u:3000:rx,u:3001:rwx g:3000:rx,g:3001:rwx; do
		setfacl --set "u::rwx,g::rx,o::rx,$list" shared
		refused
	done
	chmod 1775 shared
	"$SHMGUARD" policy check shared/good.ini
	chmod 755 shared
	for list in u:3000:rwx,m::rx g::rwx,u:3000:rx "u:$(id -u):rwx" u:0:rwx "g:$(id -g):rwx,g:0:rwx" d:u:3000:rwx; do
		setfacl -k --set "u::rwx,g::rx,o::rx" shared
		setfacl -m "$list" shared
		"$SHMGUARD" policy check shared/good.ini
	done
	# What the owning group may is in the list, not in the mask that stat shows.
	if [ "$(id -u)" -eq 0 ]; then
		chgrp 3000 shared
		setfacl -k --set u::rwx,g::rx,o::rx,u:0:rwx shared
		"$SHMGUARD" policy check shared/good.ini
		setfacl -m g::rwx shared
		refused
	fi
}

@test "what a policy says cannot write to the terminal" {
	printf '[default]\nmax-mode = \033[31m\n' >escape.ini
	check_fails escape.ini
	no grep -q $'\033' told
}

@test "every profile is printed as a policy that checks good and says the same" {
	local profile
	for profile in observe safe strict; do
		"$SHMGUARD" policy show "$profile" >"$profile.ini"
		"$SHMGUARD" policy check "$profile.ini"
		"$SHMGUARD" policy explain --profile=observe --name=/x "$profile.ini" | sed -n '/^Rules/,$p' |
			awk '/^  / { print $1, $2 }' >by-file
		"$SHMGUARD" policy explain --profile="$profile" --name=/x | sed -n '/^Rules/,$p' |
			awk '/^  / { print $1, $2 }' >by-profile
		[ "$(wc -l <by-file)" -gt 60 ]
		same by-file by-profile
	done
	[ "$(grep -c ' = warn$' observe.ini)" -eq "$(rule_ids | wc -l)" ]
	grep -qx 'world-writable = fix' safe.ini
	grep -qx 'foreign-owner = deny' safe.ini
	grep -qx 'exec-map = deny' strict.ini
	grep -qx 'segment-leak = warn' strict.ini
}

@test "policy explain says which section decides, and why the others do not" {
	printf '%s\n' '[default]' 'world-writable = note' '[ours]' 'name = /app.*' 'exe = server' 'world-writable = deny' \
		'max-mode = 0600' >policy.ini
	"$SHMGUARD" policy explain policy.ini --name=/app.1 --exe=/opt/bin/server --uid=1000 >yes
	"$SHMGUARD" policy explain policy.ini --name=/app.1 --exe=/opt/bin/other --uid=1000 >no
	cat yes no
	grep -qE '^  world-writable +deny +EACCES +policy.ini:3 \[ours\]$' yes
	grep -qE '^  max-mode +0600 +policy.ini:3 \[ours\]$' yes
	grep -qxF '    applies: name /app.1 matches /app.*, exe /opt/bin/server matches server' yes
	grep -qE '^  world-writable +note +policy.ini:1 \[default\]$' no
	grep -qE '^  max-mode +07777 +built in$' no
	grep -qxF '    does not apply: exe /opt/bin/other matches none of server' no
	grep -qE '^  foreign-owner +warn +profile observe:2 \[default\]$' no
}

@test "policy check and explain say what a pattern or a name is that can be none's" {
	printf '%s\n' '[ours]' 'name = /dev/shm/x' 'exe = bin/y' 'names = "/x y"' 'world-writable = deny' >policy.ini
	check_fails policy.ini
	[ "$(wc -l <told)" -eq 3 ]
	grep -qxF "shmguard: policy.ini:2: 'name' takes what follows /dev/shm, not '/dev/shm/x'; did you mean '/x'?" told
	grep -qxF "shmguard: policy.ini:3: 'exe' takes a whole path or, without a slash, the last part of one, not 'bin/y'; did you mean '*/bin/y'?" told
	grep -qxF "shmguard: policy.ini:4: 'names' takes no quotes around '/x y'; did you mean '/x y'?" told
	run -2 "$SHMGUARD" policy explain --name=/dev/shm/x
	[ "${lines[0]}" = "shmguard: --name takes what follows /dev/shm, not '/dev/shm/x'; did you mean '/x'?" ]
	[ "${#lines[@]}" -eq 2 ]
	run -0 "$SHMGUARD" policy explain --name=/dev/shmx
	for _ in {1..3000}; do printf '[s]\nname = /x\n'; done >policy.ini
	check_fails policy.ini
	[ "$(cat told)" = 'shmguard: policy.ini:513: the policy has too many sections: more than 256' ]
}

@test "policy explain says which objects a limit counts" {
	printf '%s\n' '[default]' 'max-objects = 9' '[few]' 'name = /a*, /b' 'max-objects = 1' >policy.ini
	"$SHMGUARD" policy explain policy.ini --name=/a1 | grep -qE '^ +max-objects +1 of /a\*, /b +'
	"$SHMGUARD" policy explain policy.ini --name=/c | grep -qE '^ +max-objects +9 +'
}

@test "policy explain says that an audit only tells" {
	printf 'mode = audit\nworld-writable = deny\n' >policy.ini
	"$SHMGUARD" policy explain policy.ini --name=/x >out
	grep -qE '^  world-writable +deny +audit: only told +policy.ini:1 \[default\]$' out
}

@test "policy is told how it is used" {
	local words
	for words in "" "chekc" "check" "show" "show tight" "explain --uid=alice" "explain --profile=none" "explain a b" \
		"explain --what"; do
		# shellcheck disable=SC2086 # the words are several arguments
		run "$SHMGUARD" policy $words
		echo "$words: $output"
		[ "$status" -eq 2 ]
		[[ $output == *shmguard:* ]]
	done
	run "$SHMGUARD" policy --help
	[ "$status" -eq 0 ]
	[[ $output == *"Exit status"* ]]
	run bash -c "'$SHMGUARD' policy show safe >/dev/full"
	[ "$status" -eq 3 ]
}

@test "policy keys names every key, for people, documents and the manual page" {
	local form
	for form in "" --markdown --man; do
		# shellcheck disable=SC2086 # none is no argument
		"$SHMGUARD" policy keys $form >listed
		grep -qE '(^| |`)max\\?-mode' listed
		[ "$(grep -c 'octal mode' listed)" -eq 1 ]
	done
}

@test "run passes profile and policy on, the policy by its absolute path" {
	printf '[default]\nsecret = yes\n' >policy.ini
	SHMGUARD_PROFILE=old SHMGUARD_POLICY=/old "$SHMGUARD" run --quiet --report=none -o out --profile=safe --policy=policy.ini -- \
		env >environment
	grep '^SHMGUARD_P' environment
	grep -qxF SHMGUARD_PROFILE=safe environment
	grep -qxF "SHMGUARD_POLICY=$(pwd -P)/policy.ini" environment
	SHMGUARD_PROFILE=old SHMGUARD_POLICY=/old "$SHMGUARD" run --quiet --report=none -o none -- env >environment
	no grep '^SHMGUARD_P[RO]' environment
}

@test "run refuses a policy that is wrong, in one line, before anything starts" {
	local status=0
	printf '[default]\nworld-writeable = deny\nmax-mode = 9\n' >policy.ini
	"$SHMGUARD" run -o out --policy=policy.ini -- touch started >stdout 2>told || status=$?
	cat told
	[ "$status" -eq 125 ]
	[ "$(cat told)" = "shmguard: policy.ini:2: there is no key 'world-writeable'; did you mean 'world-writable'? (and 1 more: \`shmguard policy check policy.ini\`)" ]
	[ ! -e started ]
	[ ! -e out ]
	run "$SHMGUARD" run -o out --policy=missing.ini -- touch started
	[ "$status" -eq 125 ]
	[ "$output" = "shmguard: missing.ini: cannot be opened: No such file or directory" ]
	run "$SHMGUARD" run -o out --profile=saef -- touch started
	[ "$status" -eq 125 ]
	[ "$output" = "shmguard: there is no profile 'saef'; did you mean 'safe'?" ]
	run "$SHMGUARD" run --policy= -- touch started
	[ "$status" -eq 125 ]
	[ ! -e started ]
}

@test "the policy in README.md is a good one" {
	sed -n '/^```ini$/,/^```$/p' "$ROOT/README.md" | grep -v '^```' >readme.ini
	run "$SHMGUARD" policy check readme.ini
	[ "$output" = "readme.ini: good, 2 sections" ]
	"$SHMGUARD" policy explain readme.ini --exe=/usr/sbin/serviced --uid=991 --name=/service.1 >out
	grep -qE '^  max-size +67108864 ' out
	grep -qx 'The name is one that the program may use.' out
}
