#!/usr/bin/env bats
# What a rule counts by its place, and one place did to many objects: each object's part is asked for, left out and told.

bats_require_minimum_version 1.5.0

load helpers
load forms

# keeps: records a program that maps 30 frames and a /config at one place, and keeps them, or their descriptors; with
# `spent` it maps a last one, /spent, and gives it back.
keeps()
{
	cat >keeps.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static int opened;
		__attribute__((noinline)) static int get(const char *name)
		{
			return shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
		}
		__attribute__((noinline)) static void *attach(const char *name, size_t size)
		{
			int fd = get(name);
			if (posix_fallocate(fd, 0, size))
				return NULL;
			void *at = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			if (opened)
				munmap(at, size);
			else
				close(fd);
			shm_unlink(name);
			opened = opened ? fd : 0;
			return at;
		}
		int main(int argc, char **argv)
		{
			char name[40];
			opened = !strcmp(argv[1], "descriptors");
			for (int i = 0; i < 30 + argc - 1; i++) {
				snprintf(name, sizeof name, i < 30 ? "/frame.%d" : i > 30 ? "/spent" : "/config", i);
				void *at = attach(name, i < 30 ? 65536 : 4096);
				if (i > 30)
					opened ? close(opened) : munmap(at, 4096);
				usleep(5000);
			}
			return 0;
		}
	END
	gcc -g -O0 -w keeps.c -o keeps
	"$SHMGUARD" run --quiet --report=none -o "$1" -- ./keeps "$@"
}

# churns: records a program that at one place makes and removes 1500 objects /tmpobj.N, and /known once; at another it maps
# /known and /other in turns, 2000 times each, and gives them back.
churns()
{
	cat >churns.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		__attribute__((noinline)) static void make(const char *name)
		{
			close(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600));
			shm_unlink(name);
		}
		__attribute__((noinline)) static void map(int fd)
		{
			munmap(mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), 4096);
		}
		int main(void)
		{
			char name[40];
			for (int i = 0; i < 1501; i++) {
				snprintf(name, sizeof name, i < 1500 ? "/tmpobj.%d" : "/known", i);
				make(name);
			}
			int fds[] = {shm_open("/known", O_CREAT | O_EXCL | O_RDWR, 0600),
				     shm_open("/other", O_CREAT | O_EXCL | O_RDWR, 0600)};
			for (int i = 0; i < 2; i++)
				if (posix_fallocate(fds[i], 0, 4096))
					return 1;
			for (int i = 0; i < 4001; i++)
				map(fds[i % 2]);
			shm_unlink("/known");
			shm_unlink("/other");
			return 0;
		}
	END
	gcc -g -O0 -w churns.c -o churns
	"$SHMGUARD" run --quiet --report=none -o churn -- ./churns
}

# told FILTER OPTION...: of the findings in a report with those options; the objects' names in place of their ids.
told()
{
	"$SHMGUARD" report --format=json "${@:2}" >report.json
	jq -c "(.objects | map({key: .id, value: .names[0]}) | from_entries) as \$name |
		[.findings[] | .object = \$name[.object]] | $1" report.json
}

@test "mapping-leak: the part of one of many objects is asked for, left out, and told by itself; the rest stays" {
	keeps mappings
	of='map([.severity, .count, .bytes, .object])'
	leak=--rule=mapping-leak
	[ "$(told "$of" $leak mappings)" = '[["error",31,1970176,"/config"]]' ]
	run -0 "$SHMGUARD" report $leak mappings
	[[ $output != *"this tells of"* ]]
	[ "$(told "$of" $leak --object='/frame.*' mappings)" = '[["error",30,1966080,"/frame.29"]]' ]
	[ "$(told "$of" $leak --object=/frame.3 mappings)" = '[["error",1,65536,"/frame.3"]]' ]
	[ "$(told "$of" $leak --object=/config mappings)" = '[["error",1,4096,"/config"]]' ]
	[ "$(told "$of" $leak --object=/none mappings)" = '[]' ]
	[ "$(told 'map(.message | contains("unmapped 0: ") and contains("; this tells of 1 of them (64 KiB; the latest of /frame.3)"))' \
		$leak --object=/frame.3 mappings)" = '[true]' ]
	echo 'mapping-leak:/config' >known
	[ "$(told "$of" $leak --suppress=known mappings)" = '[["error",30,1966080,"/frame.29"]]' ]
	run -1 "$SHMGUARD" report --suppress=known --fail-on=error mappings
	[[ $output == *"suppressed 1 finding (1 occurrence), of which 1 has others that are told"* ]]
	echo 'mapping-leak:/frame.*' >known
	[ "$(told "$of" $leak --suppress=known mappings)" = '[["error",1,4096,"/config"]]' ]
	echo 'mapping-leak:/config' >>known
	run -0 "$SHMGUARD" report $leak --suppress=known --fail-on=note mappings
	[[ $output == *"nothing found [some was suppressed]"* && $output != *unused* ]]
	[ "$(told 'map(.count) | [length, add]' $leak --group-by=object mappings)" = '[31,31]' ]
	[ "$(told 'map(.object) | unique | length' $leak --group-by=object mappings)" = 31 ]
	# How they are brought together is not what was found.
	"$SHMGUARD" report --format=json --group-by=object mappings >grouped.json
	run -0 "$SHMGUARD" diff grouped.json mappings
	[[ ${lines[0]} == "0 new, 0 fixed, 0 changed" ]]
}

@test "fd-leak: so is that of one of many, and object and message are of the latest that is still open" {
	keeps descriptors spent
	of='map([.severity, .count, .object, (.message | .[rindex("of /") + 3:-1])])'
	leak=--rule=fd-leak
	[ "$(told "$of" $leak descriptors)" = '[["error",31,"/config","/config"]]' ]
	[ "$(told "$of" $leak --object='/frame.*' descriptors)" = '[["error",30,"/frame.29","/frame.29"]]' ]
	[ "$(told "$of" $leak --object=/config descriptors)" = '[["error",1,"/config","/config"]]' ]
	[ "$(told "$of" $leak --object=/spent descriptors)" = '[]' ]
	echo 'fd-leak:/frame.*' >known
	[ "$(told "$of" $leak --suppress=known descriptors)" = '[["error",1,"/config","/config"]]' ]
	run -1 "$SHMGUARD" report --suppress=known --fail-on=error descriptors
	[[ $output == *"suppressed 1 finding (30 occurrences), of which 1 has others that are told"* ]]
	[ "$(told 'map(.count) | [length, add]' $leak --group-by=object descriptors)" = '[31,31]' ]
}

@test "mapping-leak: what was given back is not told of, though it was the latest" {
	keeps mappings spent
	[ "$(told 'map([.count, .object])' --rule=mapping-leak mappings)" = '[[31,"/config"]]' ]
	[ "$(told 'length' --rule=mapping-leak --object=/spent mappings)" = 0 ]
}

@test "churn: so is that of some of many objects, of those that were made and of those that were mapped" {
	churns
	of='map([.count, .object]) | sort'
	churn=--rule=churn
	[ "$(told "$of" $churn churn)" = '[[1501,"/known"],[4001,"/known"]]' ]
	[ "$(told "$of" $churn --object='/tmpobj.*' churn)" = '[[1500,"/tmpobj.1499"]]' ]
	[ "$(told "$of" $churn --object=/other churn)" = '[[2000,"/other"]]' ]
	[ "$(told "$of" $churn --object=/known churn)" = '[[1,"/known"],[2001,"/known"]]' ]
	[ "$(told 'map(.message | contains("unlinked objects 1501 times here") and contains("within a second; this tells of 1500 of them"))' \
		$churn --object='/tmpobj.*' churn)" = '[true]' ]
	echo 'churn:/known' >known
	[ "$(told "$of" $churn --suppress=known churn)" = '[[1500,"/tmpobj.1499"],[2000,"/other"]]' ]
	run -1 "$SHMGUARD" report $churn --suppress=known --fail-on=note churn
	[[ $output == *"suppressed 2 findings (2,002 occurrences), of which 2 have others that are told"* ]]
	printf 'churn:/tmpobj.*\nchurn:/[ko]*\n' >known
	run -0 "$SHMGUARD" report $churn --suppress=known --fail-on=note churn
	[[ $output == *"nothing found [some was suppressed]"* && $output != *unused* ]]
	run -0 "$SHMGUARD" report $churn churn
	[[ $output != *"this tells of"* ]]
	# Each came once, or like the others: they stay together.
	[ "$(told "$of" $churn --group-by=object churn)" = '[[1501,"/known"],[4001,"/known"]]' ]
}
