#!/usr/bin/env bats
# What lies beside a trace and is JSON, but not as shmguard writes it: no word of it is believed.

bats_require_minimum_version 1.5.0

setup()
{
	load helpers.bash
	load leaks.bash
	cp -r "$ROOT/tests/traces/leaks" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return 1
}

# changed FILE FILTER...: the file of the canned recording is what jq makes of it.
changed()
{
	local file=$1
	shift
	jq -c "$@" "$ROOT/tests/traces/leaks/$file" >"leaks/$file"
}

# look FILTER TEXT: what the filter makes of shm.json is named, and as good as none.
look()
{
	changed shm.json "$1"
	incomplete "leaks/shm.json is damaged: $2"
	holds 'any(.trace.problems[]; startswith("what was left in /dev/shm is not known"))'
	same none.json <(jq -S 'del(.trace)' report.json)
}

@test "a look at /dev/shm that has not what such a look has is named, and taken for one that is missing" {
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete'
	rm leaks/shm.json
	"$SHMGUARD" report --format=json leaks | jq -S 'del(.trace)' >none.json
	look '{}' "looked: expected "
	look '{looked: 1, objects: []}' "device: expected "
	look '.objects = 7' "objects: expected a list"
	look 'del(.objects)' "objects: expected a list"
	look '.objects[1] = 5' "objects[1]: expected an object"
	look '.objects[0].name = 5' "objects[0].name: expected a string"
	look '.objects[0].name = null' "objects[0].name: expected a string"
	look 'del(.objects[1].ino)' "objects[1].ino: expected a whole number"
	look '.objects[0].size = -1' "objects[0].size: expected a whole number"
	look '.objects[0].holders = [7, "8"]' "objects[0].holders[1]: expected a whole number"
	look '.objects[0].holders_complete = 1' "objects[0].holders_complete: expected true or false"
	look '.mount = {nosuid: true}' "mount.nodev: expected true or false"
	look '.mount = 3' "mount: expected an object"
	# What is not asked for may be there, and what an earlier version did not write may be missing.
	changed shm.json '.later = [1] | .objects[0].later = null | .mount = null | del(.objects[].nlink)'
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete and .trace.problems == []'
}

@test "however many problems a recording tells of, those that reading finds come behind them" {
	local count
	changed shm.json 'del(.objects)'
	echo '{' >>leaks/processes.jsonl
	for count in {0..17}; do
		changed recording.json --argjson count "$count" '.problems = [range($count) | "number \(.)"]'
		incomplete "leaks/shm.json is damaged: objects: expected a list"
		holds --argjson count "$count" '.trace.problems[:$count] == [range($count) | "number \(.)"]'
		"$SHMGUARD" log leaks >/dev/null 2>errors
		[ "$(grep -c 'number [0-9]*$' errors)" -eq "$count" ]
	done
}

@test "a first look that has not what such a look has is named, and tells of nothing" {
	local before
	for before in '{}' '{"objects":[{"name":5}]}' '{"looked":1,"device":25,"objects":[{"name":"/seg"}]}' '{"looked":1,"device":25,"objects":[],"uid":"0"}'; do
		echo "$before" >leaks/shm-before.json
		incomplete "leaks/shm-before.json is damaged: "
		holds 'all(.. | strings; contains("(null)") | not)'
	done
}

@test "a line of processes.jsonl that has not what such a line has is left out, and that is said" {
	# line FILTER TEXT
	line()
	{
		changed processes.jsonl "$1"
		incomplete "leaks/processes.jsonl is damaged in line $2"
		holds '.trace.problems == [.trace.problems[] | select(endswith(": what cannot be read was left out"))]'
	}
	line 'if .type == "reaped" then .status = "9" else . end' "5 (status: expected a whole number"
	holds '.processes[] | select(.id == "100") | .ended == "unknown"'
	line 'if .type == "reaped" then del(.status) else . end' "5 (status: expected a whole number"
	line 'if .type == "reaped" then .pid = null else . end' "5 (pid: expected a whole number"
	line 'if .type == "reaped" then .pid = 4294967396 else . end' "5 (pid: expected a whole number"
	line 'if .type == "reaped" then .time = -5 else . end' "5 (time: expected a whole number"
	line 'if .type == "reaped" then .type = 5 else . end' "5 (type: expected a string)"
	line 'if .type == "reaped" then [.] else . end' "5 (expected an object)"
	line 'if .type == "end" then del(.child) else . end' "4 (child: expected a whole number"
	line '.pid |= tostring' "1 (pid: expected a whole number that is a pid) and others"
	line 'if .type == "fork" then .texts = "x" else . end' "2 (texts: expected a list)"
	line 'if .type == "start" then .texts[0] = null else . end' "1 (texts[0]: expected a string) and others"
	line 'if .type == "unseen" then .exe = 3 else . end' "6 (exe: expected a string)"
	line '., (select(.type == "reaped") | .type = "usage")' "6 (since: expected a whole number"
	# A later version may have more.
	changed processes.jsonl '., (select(.type == "reaped") | {type: "later", pid: "x"}) | .more = 1'
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete'
}

# others FILE FILTER...: what jq makes of the file is another recording's, which is said.
others()
{
	changed "$@"
	incomplete "leaks/$1 is of another recording, and not used"
}

@test "a look at /dev/shm or lines of another recording are named, and not used" {
	local started ended own
	own=$(jq -r .id leaks/recording.json)
	started=$(jq .started leaks/recording.json)
	ended=$(jq .ended leaks/recording.json)
	rm leaks/shm.json
	"$SHMGUARD" report --format=json leaks | jq -S 'del(.trace)' >none.json
	# By the id that they have, or of an earlier version by the time of the look.
	for filter in '.recording = "deadbeef"' '.recording = "x"' ".looked = $started - 2000000000" ".looked = $ended + 61000000000"; do
		others shm.json "$filter"
		same none.json <(jq -S 'del(.trace)' report.json)
		run -0 "$SHMGUARD" report leaks
		[[ $output == *"Not seen"*"leaks/shm.json is of another recording"* ]]
	done
	for filter in . ".recording = \"$own\"" ".looked = $started" ".recording = \"$own\" | .looked = 5"; do
		changed shm.json "$filter"
		"$SHMGUARD" report --format=json leaks >report.json
		holds '.trace.complete and .trace.problems == []'
	done
	# A clock that was put back.
	changed recording.json '.ended = .started - 5000000000'
	changed shm.json ".looked = $started - 5000000000"
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.problems == []'
	cp "$ROOT/tests/traces/leaks"/*.json leaks
	jq -c '.recording = "deadbeef"' leaks/shm.json >leaks/shm-before.json
	incomplete "leaks/shm-before.json is of another recording, and not used"
	cp "$ROOT/tests/traces/leaks/shm-before.json" leaks
	for filter in '{type: "recording", id: "deadbeef"}' '{type: "recording", id: "1a2b3c4d-"}'; do
		jq -nc "$filter" | cat - "$ROOT/tests/traces/leaks/processes.jsonl" >leaks/processes.jsonl
		incomplete "leaks/processes.jsonl is of another recording, and not used"
		holds '(.processes[] | select(.id == "100") | .ended) == "unknown" and .unseen == []'
	done
	jq -nc --arg own "$own" '{type: "recording", id: $own}' | cat - "$ROOT/tests/traces/leaks/processes.jsonl" >leaks/processes.jsonl
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete'
	jq -nc '{type: "recording", id: "deadbeef"}, {type: "reaped", pid: 101, status: 9, time: 5}' >>leaks/processes.jsonl
	incomplete "leaks/processes.jsonl has lines of another recording, which are not used"
	holds '.processes[] | select(.id == "100") | .ended == "signal"'
	jq -nc '{type: "recording"}' >leaks/processes.jsonl
	incomplete "leaks/processes.jsonl is damaged in line 1 (id: expected a string)"
}

@test "a processes.jsonl that is longer than it was when the recording ended is said to be" {
	local size
	size=$(stat -c %s leaks/processes.jsonl)
	changed recording.json --argjson size "$size" '.processes_bytes = $size'
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete'
	jq -c 'select(.type == "end")' leaks/processes.jsonl >added
	cat added >>leaks/processes.jsonl
	incomplete "leaks/processes.jsonl is not as it was when the recording ended: $(stat -c %s added) bytes are more than its $size"
}

@test "a recording.json that has not what it has to have is named, and the trace is read without it" {
	local filter
	for filter in 'del(.started)' '.started = "1"' '.started = 1.5' '.host = null' 'del(.command)' '.command = "x"' '.command[1] = 1' \
		'.cwd = []' '.ended = "x"' '.command_status = "0"' '.command_pid = {}' '.stream_bytes = -1' '.problems = [{}]' \
		'.problems = 1' '.secrets = 1' '.secrets = [{name: [1]}]' '.turns = 1' '.trace_kept = 0'; do
		changed recording.json "$filter"
		incomplete "leaks/recording.json is damaged: "
		holds 'any(.trace.problems[]; contains("leaks/recording.json cannot be used: "))'
	done
}

@test "symbols.json that has not what it has to have is named, and the names are looked up" {
	local modules
	for modules in 7 '{}' '[7]' '[{"path":"/usr/bin/server","addresses":{}}]' '[{"path":"/a","build_id":"","addresses":[]}]' \
		'[{"path":"/a","build_id":"00","addresses":{"10":7}}]' '[{"path":"/a","build_id":"00","addresses":{"10":[7]}}]' \
		'[{"path":"/a","build_id":"00","addresses":{"10":[{"function":7}]}}]' \
		'[{"path":"/a","build_id":"00","addresses":{"10":[{"line":"7"}]}}]' \
		'[{"path":"/a","build_id":"00","addresses":{"10":[{"own":7}]}}]' \
		'[{"path":"/a","build_id":"00","addresses":{"10":[{"borrowed":"yes"}]}}]'; do
		echo "{\"schema\":\"shmguard-symbols/1\",\"modules\":$modules}" >leaks/symbols.json
		"$SHMGUARD" report --format=json leaks >report.json 2>errors
		# What was recorded is whole.
		holds '.trace.complete and (.trace.problems | length) == 1 and
			(.trace.problems[0] | test("^leaks/symbols.json: modules.*: expected .*: names are looked up on this machine$"))'
	done
	run -0 "$SHMGUARD" report leaks
	[[ $output == *"Not seen"*"leaks/symbols.json: modules"* && $output != *incomplete* ]]
	for form in csv folded; do
		"$SHMGUARD" report --format=$form leaks 2>&1 >out | grep -q "^shmguard: $form: leaks/symbols.json: modules"
	done
	"$SHMGUARD" log leaks 2>&1 >out | grep -q '^shmguard: leaks/symbols.json: modules'
	echo '{"schema":"shmguard-symbols/1"}' >leaks/symbols.json
	"$SHMGUARD" report --format=json leaks >report.json 2>errors
	grep -q 'leaks/symbols.json: modules: expected a list' errors report.json
	echo '{"schema":"shmguard-symbols/1","modules":[{"path":"/a","build_id":"00","addresses":{"10":"no symbols","11":[{},{"function":"f","file":"f.c","line":7}]}}]}' >leaks/symbols.json
	"$SHMGUARD" report --format=json leaks >report.json 2>errors
	run ! grep -q symbols.json errors report.json
	# Of several recordings each has its own.
	mkdir fleet
	cp -r leaks fleet/a
	cp -r leaks fleet/b
	"$PYTHON" "$ROOT/tests/fleet.py" fleet/b
	echo x | tee fleet/a/symbols.json >fleet/b/symbols.json
	"$SHMGUARD" report --format=json fleet >report.json 2>errors
	holds '[.trace.problems[] | capture("(?<file>^[a-z/]+symbols.json): .*: names are looked up").file] ==
		["fleet/a/symbols.json", "fleet/b/symbols.json"]'
}

# begun TIME TEXT: that the recording started then is not used, as the text has it, and that is said.
begun()
{
	changed recording.json --argjson time "$1" '.started = $time'
	incomplete "leaks/recording.json: started: $1 is no time that it can have started, by $2, and not used"
	holds '.trace.seconds > 1 and .trace.seconds < 3'
	"$SHMGUARD" log leaks 2>errors >calls
	[ "$(awk 'NR == 1 { print ($2 >= 0 && $2 < 2) }' calls)" -eq 1 ]
}

@test "a start of the recording that nothing agrees with is named, and its times are told from what began first" {
	local started
	started=$(jq .started leaks/recording.json)
	begun 0 "any clock"
	begun -5 "any clock"
	begun $((started - 700000000000000000)) processes.jsonl
	begun $((started + 100000000000000000)) processes.jsonl
	# Of several recordings the others keep theirs.
	mkdir fleet
	cp -r leaks fleet/a
	cp -r leaks fleet/b
	cp "$ROOT/tests/traces/leaks/recording.json" fleet/a
	python3 "$ROOT/tests/fleet.py" fleet/b
	for begun in 0 $((started - 700000000000000000)) $((started + 100000000000000000)); do
		jq --argjson time $begun '.started = $time' leaks/recording.json >fleet/b/new
		jq -s '.[0] + {id: .[1].id}' fleet/b/new fleet/b/recording.json >fleet/new && mv fleet/new fleet/b/recording.json
		"$SHMGUARD" report --format=json fleet >report.json
		holds --arg begun $begun '.trace.seconds > 1 and .trace.seconds < 3 and
			any(.trace.problems[]; startswith("fleet/b/recording.json: started: \($begun) is no time"))'
	done
}

@test "a start of the recording long before its first call is believed where something agrees with it" {
	local started
	started=$(jq .started leaks/recording.json)
	# A program that waited.
	changed recording.json '.started -= 72000 * 1000000000'
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete and .trace.seconds > 72000'
	# One that is not recorded, and started one that is after three days.
	changed recording.json '.started -= 259200 * 1000000000'
	jq -c --argjson started "$started" '{looked: ($started - 259199 * 1000000000), device: 25, objects: []}' leaks/shm.json >leaks/shm-before.json
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete and .trace.seconds > 259200'
	# A clock that was put back a little.
	cp "$ROOT/tests/traces/leaks/shm-before.json" leaks
	changed recording.json '.started += 900000000'
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.complete'
}
