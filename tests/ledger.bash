# shellcheck shell=bash
# Holds libshmguard.so's ledger, and what the trace says, against the kernel.

# ledger_threads SECONDS [SEED]
ledger_threads()
{
	local name end
	for name in one two; do
		cat >plugin.c <<-END_OF_PLUGIN
			#include <sys/mman.h>
			int work(int fd)
			{
				void *map = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
				return map == MAP_FAILED || munmap(map, 4096);
			}
		END_OF_PLUGIN
		gcc -shared -fPIC plugin.c -o $name.so
	done
	# With the library that shows its ledger.
	cp "$BUILD/shmguard" "$BUILD/libshmguard-tracepoints.so" "$BUILD/tests/ledger/libshmguard.so" .
	# On a busy machine LTTng takes so long to come up that calls are lost meanwhile: then that is told, and not compared.
	local try
	for try in 1 2 3; do
		rm -rf recording held
		./shmguard run --quiet --report=none -o recording -- "$BUILD/tests/ledger/threads" "$1" "${2:-$RANDOM}" \
			./one.so ./two.so
		report recording >report.json
		! holds '.trace.lost == 0' || break
		echo "try $try"
		holds '.trace.complete | not'
	done
	holds '.trace.lost == 0 and .trace.complete'
	# It sleeps before it exits.
	end=$("$SHMGUARD" log recording | tail -n 1 | grep exit | awk '{ print $2 - 0.1 }')
	"$SHMGUARD" objects --at="$end" recording >objects.txt
	"$PYTHON" "$ROOT/tests/ledger/compare.py" objects.txt held
}
