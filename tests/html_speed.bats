#!/usr/bin/env bats
# How long the page takes by its own clock, which goes on while others use the machine. Runs alone (tests/run-suite).

bats_require_minimum_version 1.5.0

load helpers
load html

# drawn_soon FILE: within a second, as it counts itself. Virtual time would not measure it. Whatever else the machine does
# only adds to it: the best of some counts.
drawn_soon()
{
	local milliseconds=
	for _ in 1 2 3 4 5 6 7 8; do
		open_page "$1" >dom
		[ ! -s console ] || { cat console; false; }
		milliseconds=$(grep -o 'data-milliseconds="[0-9]*"' dom | tr -dc 0-9)
		echo "$milliseconds ms"
		[ "${milliseconds:-1000}" -ge 1000 ] || return 0
	done
	false
}

@test "a trace of 5 MB is drawn within a second of opening it" {
	"$SHMGUARD" run --quiet --report=none -o many -- "$PROGRAMS/rate" 100000 0.8
	[ "$(du -sb many/trace | cut -f 1)" -gt 5000000 ]
	"$SHMGUARD" report --format=html:page.html many
	drawn_soon page.html
	[[ $(text_of dom timeline) == *"left out: there are too many."* ]]
}

@test "of a table of thousands of rows the first are drawn, and how many are not is said" {
	objects 10000 many
	"$SHMGUARD" report --format=html:page.html many
	open_page page.html >dom
	[ ! -s console ] || { cat console; false; }
	grep -q 'data-drawn="yes"' dom
	[[ $(text_of dom objects) =~ [0-9],[0-9]{3}\ of\ [0-9]+,[0-9]{3}\ objects\ not\ drawn ]]
	[ "$(grep -o '<tr' dom | wc -l)" -lt 500 ]
}
