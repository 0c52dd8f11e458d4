#!/usr/bin/env bats
# shmguard doctor -- COMMAND: what stands in the way of guarding a program, and what takes it away.

bats_require_minimum_version 1.5.0

load helpers
load machine
load doctor

# Programs of every kind, in $ZOO.
setup_file()
{
	export ZOO
	make_copy
	ZOO=$COPY/zoo
	mkdir "$ZOO"
	cd "$ZOO" || exit 1
	echo 'int puts(const char *); int main(void) { return puts("ran") < 0; }' >plain.c
	gcc -o plain plain.c
	gcc -static -o static plain.c
	gcc -static-pie -o static-pie plain.c
	gcc -m32 -o narrow plain.c
	gcc -fsanitize=address -o asan-plain plain.c
	{
		cat plain.c
		echo 'const char *__asan_default_options(void) { return "detect_leaks=0"; }'
	} >optioned.c
	gcc -fsanitize=address -o asan optioned.c
	gcc -fsanitize=thread -o tsan plain.c
	clang -fsanitize=address -o asan-inside plain.c
	gcc -shared -o libgone.so -x c - <<<'int gone;'
	gcc -shared -Wl,-soname,libseccomp.so.2 -o libfilter.so -x c - <<<'int filter;'
	gcc -Wl,--no-as-needed -o needy plain.c -L. -lgone
	gcc -Wl,--no-as-needed -o filtering plain.c -L. -lfilter
	rm libgone.so
	cp plain foreign; printf '\267' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
	cp plain loaderless; sed -i 's:/lib64/ld-linux-x86-64.so.2:/lib64/ld-gnutls-x86-64.so:' loaderless
	head -c 80 plain >'cut'
	printf '#!%s/plain\n' "$ZOO" >one; printf '#! %s/one -x\n' "$ZOO" >two
	printf '#!/usr/bin/env plain\n' >by-env; printf '#!/usr/bin/env -S A=1 plain -x\n' >by-env-split
	printf '#!/usr/bin/env plain -x\n' >by-env-word
	printf '#!/nowhere/python3\n' >missing; printf '#!/bin/sh\r\n' >'return'
	printf '#!%s/loop\n' "$ZOO" >loop
	echo 'exit 3' >words
	cp plain suid; chown 65534 suid; chmod 4755 suid
	cp plain sgid; chgrp 65534 sgid; chmod 2755 sgid
	cp plain able; setcap cap_net_raw+ep able
	cp plain closed
	cp plain $'odd \e[31m\n'
	chmod +x one two by-* missing return loop words cut
	chmod 644 closed
}

teardown_file()
{
	remove_copy
}

setup()
{
	needs_root "a machine of its own"
	cd "$BATS_TEST_TMPDIR" || exit 1
	export PATH=$PATH:$ZOO
}

# seen PROGRAM...: doctor of each, into PROGRAM.json.
seen()
{
	in_machine "no_lttng; for name in $*; do doctor \"\$name.json\" \"\$ZOO/\$name\"; done"
}

# All that is said of a program that is as it should be.
ALL='command interpreter class linkage set-id capabilities libraries preload sanitizer'

@test "doctor COMMAND: a program that can be guarded, and is not run; LTTng is asked as well" {
	in_machine '
		COLUMNS=80 "$SHMGUARD" doctor plain --of --its-own >plain.txt
		no_lttng
		"$SHMGUARD" doctor --json -- plain --of --its-own >plain.json || echo "$?" >status'
	# shellcheck disable=SC2086
	[ "$(are plain.json $ALL lttng)" = 'ok ok ok ok ok ok ok ok ok bad' ]
	[ "$(cat status)" -eq 1 ]
	jq -e --arg path "$ZOO/plain" '.command == "plain" and .checks[0].values.path == $path' plain.json
	jq -e '[.checks[].area] | unique == ["program", "recording"]' plain.json
	run -1 grep ran plain.txt
	[ "$(tail -n 1 plain.txt)" = 'plain can be guarded here.' ]
}

@test "doctor COMMAND: static, another width or machine, cut short, without its loader or a library" {
	seen static static-pie narrow foreign cut loaderless needy
	fit static.json foreign.json cut.json
	[ "$(are static.json class linkage preload libraries)" = 'ok bad bad -' ]
	[ "$(are static-pie.json class linkage preload)" = 'ok bad bad' ]
	says static.json preload 'it is statically linked'
	[ "$(are narrow.json class preload)" = 'bad bad' ]
	says narrow.json class 'ELF, 32 bits, i386'
	[ "$(are foreign.json class preload)" = 'bad bad' ]
	says foreign.json class 'ELF, 64 bits, aarch64'
	[ "$(are cut.json class linkage preload)" = 'ok bad -' ]
	says cut.json linkage 'cut short'
	[ "$(are loaderless.json class linkage)" = 'ok bad' ]
	says loaderless.json linkage 'its loader /lib64/ld-gnutls-x86-64.so is not here'
	[ "$(are needy.json linkage libraries preload)" = 'ok bad ok' ]
	says needy.json libraries 'not found: libgone.so'
}

@test "doctor COMMAND: of the dynamic loader, what it is given counts" {
	in_machine 'no_lttng
		loader=$(readelf -l "$ZOO/plain" | sed -n "s/.*interpreter: \(.*\)]/\1/p")
		doctor good.json "$loader" --inhibit-cache "$ZOO/plain"
		doctor bad.json "$loader" "$ZOO/static"'
	[ "$(are good.json class linkage preload)" = 'ok ok ok' ]
	[ "$(are bad.json class linkage preload)" = 'ok ok bad' ]
	says bad.json preload "of $ZOO/static, which the dynamic loader is to load: it is statically linked"
}

@test "doctor COMMAND: what run refuses is bad, for the same reason" {
	local name why
	seen static narrow suid
	for name in static narrow suid; do
		run -126 "$SHMGUARD" run -o "$BATS_TEST_TMPDIR/never" -- "$ZOO/$name"
		why=$(jq -r '.checks[] | select(.id == "preload") | .found' "$name.json")
		[[ $output == *"${why#not loaded: } ("* ]]
	done
	# As what exec cannot start is.
	run -126 "$SHMGUARD" run -o "$BATS_TEST_TMPDIR/never" -- "$ZOO/cut"
	run -127 "$SHMGUARD" run -o "$BATS_TEST_TMPDIR/never" -- "$ZOO/loaderless"
	run -127 "$SHMGUARD" run -o "$BATS_TEST_TMPDIR/never" -- "$ZOO/missing"
}

@test "doctor COMMAND: interpreters, one after the other, missing, too many, by env, or none" {
	seen one two by-env by-env-split by-env-word missing return loop words
	# shellcheck disable=SC2086
	[ "$(are two.json $ALL)" = 'ok ok ok ok ok ok ok ok ok' ]
	jq -e --arg zoo "$ZOO" '.checks[1].values.interpreters == [$zoo + "/one", $zoo + "/plain"]' two.json
	jq -e --arg zoo "$ZOO" '.checks[1].values.interpreters == ["/usr/bin/env", $zoo + "/plain"]' by-env.json
	jq -e --arg zoo "$ZOO" '.checks[1].values.interpreters == ["/usr/bin/env", $zoo + "/plain"]' by-env-split.json
	# That is one word for the kernel; env says the same.
	[ "$(are by-env-word.json interpreter preload)" = 'bad -' ]
	says by-env-word.json interpreter 'plain -x, which /usr/bin/env names: No such file'
	run -127 "$ZOO/by-env-word"
	[ "$(are missing.json command interpreter class preload)" = 'ok bad - -' ]
	says missing.json interpreter "/nowhere/python3, which $ZOO/missing names: No such file"
	says return.json interpreter 'carriage return'
	[ "$(are loop.json interpreter)" = bad ]
	run "$ZOO/loop"
	[ "$status" -ne 0 ]
	[ "$(are words.json interpreter preload)" = 'ok ok' ]
	says words.json interpreter '/bin/sh, as it has no first line'
	# The command cures it.
	eval "$(change return.json interpreter)"
	seen return
	[ "$(are return.json interpreter)" = ok ]
	"$ZOO/return"
}

@test "doctor COMMAND: set-id and file capabilities, for whom they gain something; a copy has neither" {
	seen suid sgid able
	[ "$(are suid.json set-id capabilities preload)" = 'bad ok bad' ]
	[ "$(are sgid.json set-id preload)" = 'bad bad' ]
	[ "$(are able.json capabilities preload)" = 'ok ok' ]
	says able.json capabilities 'gain root nothing'
	in_machine '
		no_lttng
		as_user "$COPY/shmguard" doctor --json -- "$ZOO/able" >theirs.json || true
		as_user "$COPY/shmguard" doctor --json -- "$ZOO/suid" >own.json || true
		setpriv --no-new-privs "$SHMGUARD" doctor --json -- "$ZOO/suid" >bound.json || true'
	[ "$(are theirs.json set-id capabilities preload)" = 'ok bad bad' ]
	[ "$(are own.json set-id preload)" = 'ok ok' ]
	[ "$(are bound.json set-id preload)" = 'ok ok' ]
	says bound.json set-id 'gains you nothing'
	in_machine '
		no_lttng
		mount --bind "$BUILD" /mnt; ZOO=$ZOO; mkdir zoo; mount --bind "$ZOO" zoo
		mount -t tmpfs -o mode=1777 tmpfs /tmp; SHMGUARD=/mnt/shmguard
		cd zoo; doctor /run/suid.json ./suid; eval "$(change /run/suid.json set-id)"
		doctor /run/copy.json /tmp/suid
		jq -er ".checks[] | select(.id == \"preload\" or .id == \"set-id\") | .fitness" /run/copy.json' >copy
	[ "$(tr '\n' ' ' <copy)" = 'ok ok ' ]
}

@test "doctor COMMAND: only an AddressSanitizer that is a library whose options the program has is in the way, and can be told" {
	seen asan asan-plain tsan asan-inside
	ASAN_OPTIONS=verify_asan_link_order=0 in_machine 'no_lttng; doctor told.json "$ZOO/asan"'
	[ "$(are asan.json preload sanitizer) $(are tsan.json sanitizer) $(are asan-inside.json sanitizer)" = 'ok bad ok ok' ]
	[ "$(are told.json sanitizer) $(are asan-plain.json sanitizer)" = 'ok ok' ]
	says tsan.json sanitizer 'ThreadSanitizer, a library'
	says asan-inside.json sanitizer 'AddressSanitizer, linked into it'
	# It is as it says.
	run env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_PROFILE=safe "$ZOO/asan"
	[ "$status" -ne 0 ]
	[[ $output == *'does not come first'* ]]
	run env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_PROFILE=safe "$ZOO/asan-plain"
	[ "$status $output" = '0 ran' ]
	eval "$(change asan.json sanitizer)"
	run env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_PROFILE=safe "$ZOO/asan"
	[ "$status $output" = '0 ran' ]
}

@test "doctor COMMAND: not there, not executable, not readable, and names that a terminal would obey" {
	local odd=$'odd \e[31m\n'
	run -2 "$SHMGUARD" doctor ''
	chmod 4755 "$ZOO/$odd"; chown 65534 "$ZOO/$odd"; chmod 4755 "$ZOO/$odd"
	ODD=$odd in_machine '
		no_lttng
		export COLUMNS=200
		"$SHMGUARD" doctor -- nowhere-to-be-found >nowhere.txt || echo "$?" >>nowhere.txt
		"$SHMGUARD" doctor -- "$ZOO" >directory.txt || echo "$?" >>directory.txt
		doctor closed.json "$ZOO/closed"; eval "$(change closed.json command)"
		doctor open.json "$ZOO/closed"
		chmod 711 "$ZOO/closed"
		as_user "$COPY/shmguard" doctor --json -- "$ZOO/closed" >blind.json || true
		doctor odd.json "$ZOO/$ODD"
		"$SHMGUARD" doctor -- "$ZOO/$ODD" >odd.txt || true'
	grep -qF 'nowhere-to-be-found: No such file or directory' nowhere.txt
	[ "$(tail -n 2 nowhere.txt)" = $'nowhere-to-be-found cannot be guarded here.\n1' ]
	grep -qF 'Is a directory' directory.txt
	[ "$(are closed.json command) $(are open.json command preload)" = 'bad ok ok' ]
	[ "$(are blind.json command preload)" = 'warn -' ]
	run -1 grep -P '[\x01-\x09\x0b-\x1f]' odd.txt
	grep -qF 'odd \x1b[31m\n' odd.txt
	fit odd.json closed.json blind.json
	jq -e --arg name "$ZOO/$odd" '.command == $name' odd.json
	# A shell reads the name again.
	[[ "$(change odd.json set-id)" == "install -m 755 \$'"* ]]
	eval "set -- $(change odd.json set-id)"
	[ "$4" = "$ZOO/$odd" ]
}

@test "doctor COMMAND: a seccomp filter that it inherits, or may make" {
	cat >filtered.py <<-'END'
		import ctypes, os, sys
		class Program(ctypes.Structure):
		    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
		allow = bytes([6, 0, 0, 0, 0, 0, 255, 127])
		libc = ctypes.CDLL(None, use_errno=True)
		assert libc.prctl(38, 1, 0, 0, 0) == 0
		for _ in range(2):
		    assert libc.prctl(22, 2, ctypes.byref(Program(1, allow))) == 0
		os.execv(sys.argv[1], sys.argv[1:])
	END
	seen plain filtering
	in_machine '
		no_lttng
		"$PYTHON" filtered.py "$SHMGUARD" doctor --json -- "$ZOO/plain" >filtered.json || true'
	[ "$(are plain.json seccomp) $(are filtering.json seccomp) $(are filtered.json seccomp)" = 'ok warn warn' ]
	says filtering.json seccomp 'it links libseccomp'
	says filtered.json seccomp 'it inherits 2 filters from you'
}

@test "doctor COMMAND: the AppArmor profile that it gets, inherits, or none" {
	in_machine '
		no_lttng
		mount -t tmpfs tmpfs /sys/module; mkdir -p /sys/module/apparmor/parameters
		echo Y >/sys/module/apparmor/parameters/enabled
		doctor unread.json "$ZOO/plain"
		mount -t tmpfs tmpfs /sys/kernel/security
		profile() # NAME ATTACHMENT MODE
		{
			mkdir -p "/sys/kernel/security/apparmor/policy/profiles/$1.1"
			echo "$1" >"/sys/kernel/security/apparmor/policy/profiles/$1.1/name"
			echo "$2" >"/sys/kernel/security/apparmor/policy/profiles/$1.1/attach"
			echo "$3" >"/sys/kernel/security/apparmor/policy/profiles/$1.1/mode"
		}
		profile other "/usr/{bin,sbin}/plain" enforce
		profile deeper "$ZOO/*/plain" enforce
		doctor none.json "$ZOO/plain"
		profile wide "/tmp/**" complain
		doctor complain.json "$ZOO/plain"
		profile exact "$ZOO/{pl[a-c]in,other}" enforce
		doctor enforce.json "$ZOO/plain"
		echo "outer (enforce)" >current
		bash -c "mount --bind current /proc/\$\$/attr/current; exec \"$SHMGUARD\" doctor --json -- ls" \
			>confined.json || true'
	seen plain
	[ "$(are plain.json apparmor) $(are unread.json apparmor) $(are none.json apparmor)" = 'ok warn ok' ]
	says none.json apparmor 'no profile is for it'
	[ "$(are complain.json apparmor) $(are enforce.json apparmor)" = 'ok warn' ]
	says complain.json apparmor 'it gets the profile wide (complain)'
	says enforce.json apparmor 'it gets the profile exact (enforce)'
	[ "$(are confined.json apparmor)" = warn ]
	says confined.json apparmor 'it inherits from you the profile outer (enforce)'
	[ "$(change enforce.json apparmor)" = "aa-complain $ZOO/plain" ]
}

@test "doctor -- COMMAND needs no /proc for what it says of the program" {
	needs_root "to have a /proc of its own"
	# shellcheck disable=SC2016
	unshare --mount --propagation private bash -c '
		mount -t tmpfs tmpfs /proc
		"$0" doctor --json -- "$1" >out.json || true' "$SHMGUARD" "$ZOO/plain"
	run -1 pgrep -x lttng-sessiond
	jq -e '.checks[] | select(.id == "recording") | .fitness == "bad" and (.found | test("/proc is not mounted"))' out.json
	jq -e '[.checks[] | select(.id | test("class|linkage|libraries|preload")) | .fitness] == ["ok", "ok", "ok", "ok"]' out.json
}
