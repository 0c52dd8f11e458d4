#!/usr/bin/env bats
# Eight processes create, attach to and remove one name, a ninth one watches it. `make soak` does so for longer.
load helpers
load enforce

@test "under safe no name is ever wide, no creation is lost and no open fails that would not" {
	SHMGUARD_PROFILE=safe LD_PRELOAD="$BUILD/libshmguard.so" "$PROGRAMS/race" 5 "$NAME" >out
	cat out
	read -r _ opened _ looked _ <out
	[ "${opened%,}" -gt 1000 ] && [ "${looked%;}" -gt 1000 ]
}

@test "the race is one: without a policy the name is wide" {
	run "$PROGRAMS/race" 0.5 "$NAME"
	[ "$status" -eq 1 ]
	[[ $output == *"failed 0 (Success), exclusive failed 0, lost 0" && $output != *"wide 0,"* ]]
}

# kept ZERO...: nothing that processes and threads keep in one object is lost to wipes under that policy, which do happen.
kept()
{
	policy 'create-without-excl = off' 'predictable-name = off' "[wiped]" "name = /$NAME" "$@"
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/slots" 5 "/$NAME" >out || { cat out; return 1; }
	read -r _ rounds _ <out
	[ "${rounds%,}" -gt 500 ]
	grep -Eq 'action=fixed' audit.log
}

@test "a secret is wiped after its last use, never while a process or a thread has just begun another" {
	kept 'secret = yes' 'secret-left = fix'
}

@test "stale bytes are wiped when nobody maps the object, never while a process or a thread has just begun to" {
	kept 'zero = on-attach, on-last-unmap'
}

# parting ROUNDS HOW: what it printed, as nobody: of root's objects nothing is certain where a process of root's is not shown.
parting()
{
	as_nobody SHMGUARD_POLICY="$NOBODY_HOME/policy.ini" LD_PRELOAD="$NOBODY_BUILD/libshmguard.so" \
		"$NOBODY_BUILD/tests/programs/parting" "$1" "$NAME" "$2"
	rm "/dev/shm/$NAME"
}

nobodys_policy()
{
	make_nobody_build
	printf '%s\n' '[default]' "log = file:$NOBODY_HOME/audit.log" 'predictable-name = off' "[secret]" "name = /$NAME" \
		'secret = yes' 'secret-left = fix' >"$NOBODY_HOME/policy.ini"
	chmod 644 "$NOBODY_HOME/policy.ini"
}

@test "of users that end at one moment one wipes the secret, whatever threads they have, unmapped just before or not" {
	nobodys_policy
	for how in ee ue uu et eeett; do
		[ "$(parting 40 "$how")" = "left 0" ]
	done
	remove_nobody_build
}

@test "of one that ends and one that executes another program at that moment one wipes the secret, or says that it is left" {
	nobodys_policy
	parting 200 ex >out
	cp "$NOBODY_HOME/audit.log" .
	remove_nobody_build
	cat out audit.log
	run awk '/rule=secret-left/ { told++; if (match($0, /held-back=[0-9]+/)) told += substr($0, RSTART + 10, RLENGTH - 10) }
		END { print told + 0 }' audit.log
	[ "$output" -ge 200 ]
}

@test "a child that another thread forks as the process ends loses nothing" {
	policy 'create-without-excl = off' 'predictable-name = off' "[wiped]" "name = /$NAME" 'secret = yes' 'secret-left = fix'
	run env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PROGRAMS/amid_exit" 100 "/$NAME"
	[ "$status" -eq 0 ]
}

# attaching SIZE RULE: nothing is lost where that rule alone is fixed, which happens.
attaching()
{
	policy 'create-without-excl = off' 'predictable-name = off' "$2 = fix"
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/attaching" 100 "/$NAME" "$1" || return
	grep -q "rule=$2 .*action=fixed" audit.log
}

@test "what several write that attach at one moment stays, when an old run's bytes are wiped" {
	attaching 8192 stale-bytes
}

@test "what several write that grow an object at one moment stays, when what was behind its end is cleared" {
	attaching 10 grow-exposes-tail
}

# left_over HOW EXPECTED RULE...: what four processes that come to a leftover at one moment get, ten times.
left_over()
{
	rm -f audit.log
	policy 'create-without-excl = off' 'predictable-name = off' "${@:3}"
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/left_over" 10 "/$NAME" "$1" >out
	echo "$*: $(cat out)"
	[ "$(cat out)" = "$2" ]
}

@test "none of several that come at one moment to what an earlier run left gets it, where that is denied" {
	left_over create 'old 0, other 0, refused 40' 'stale-bytes = deny'
	left_over create 'old 0, other 0, refused 40' 'stale-reattach = deny'
	left_over create 'old 0, other 0, refused 40' 'stale-bytes = deny' 'stale-reattach = deny'
	left_over map 'old 0, other 0, refused 40' 'stale-bytes = deny'
}

@test "of several that come at one moment to what an earlier run left one has it made anew, or cleared, and all get that" {
	left_over create 'old 0, other 40, refused 0' 'stale-reattach = fix'
	[ "$(grep -c 'rule=stale-reattach .*action=fixed' audit.log)" -eq 10 ]
	left_over create 'old 0, other 40, refused 0' 'stale-bytes = fix'
	left_over create 'old 0, other 40, refused 0' 'zero = on-attach'
}

@test "the leftover is one: without a rule all get its bytes" {
	left_over create 'old 40, other 0, refused 0' 'stale-bytes = off' 'stale-reattach = off'
}
